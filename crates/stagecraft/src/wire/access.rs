//! How to log in to hosts: keys, passphrases, and which host keys are believed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stagecraft_core::config::{Config, HostKeys, SshConfig};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::identity::KeyMint;
use stagecraft_core::remote::quote_path;
use stagecraft_remote::{
    Ed25519Mint, KeyError, Passphrases, SshConnector, SshSettings, UnlockedKey, check_key_file,
    ensure_key_pair, public_key_of,
};

use super::{Clouds, Environment};
use crate::stop::Stop;

/// Our folder beside the configuration file; losing it loses nothing.
const FOLDER: &str = ".stagecraft";

/// How to log in to hosts, and whom new hosts let in.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// How to log in.
    pub(crate) settings: SshSettings,
    /// Public keys for hosts that take them when they are made.
    pub(super) authorized_keys: Vec<String>,
}

/// Where host keys are kept that were believed on first contact.
pub(super) fn known_hosts(folder: &Path) -> PathBuf {
    folder.join(FOLDER).join("known_hosts")
}

/// Works out how to log in to hosts of `clouds`. `base` is the folder of the configuration file.
///
/// # Errors
/// When bootstrap could not start at all: no home directory, or a key that cannot be used.
pub(crate) fn access(
    environment: &Environment,
    config: &Config,
    clouds: &Clouds,
    base: &Path,
) -> Result<Access, Stop> {
    let ssh = &config.bootstrap.ssh;
    let home = environment.home().ok_or_else(|| {
        Stop::bootstrap("the home directory is unknown, so there is no place for SSH keys")
            .with_hint("set `HOME`")
    })?;
    let mut settings = SshSettings::new(known_hosts(base));
    settings = settings.with_openssh_files(home);
    settings.user = ssh.user.clone();
    settings.port = ssh.port;
    settings.host_keys = ssh.host_keys;
    settings.agent_socket = environment.text("SSH_AUTH_SOCK").map(Into::into);
    settings.local_user = environment.text("USER").map(str::to_owned);

    let mut authorized_keys = Vec::new();
    if let Some(written) = &ssh.private_key_path {
        let path = environment.expand(written, base).unwrap_or_else(|| written.into());
        let unusable = |why: String| {
            Stop::bootstrap(format!("the private key `{written}` cannot be used: {why}"))
                .with_hint("set `infra.bootstrap.ssh.private_key_path` to a key you can read")
        };
        // That there is none is said without its whole path once more.
        std::fs::metadata(&path).map_err(|error| unusable(error.to_string()))?;
        check_key_file(&path).map_err(|error| {
            let KeyError::Unsafe { why, mend, .. } = error else {
                return unusable(error.to_string());
            };
            Stop::bootstrap(format!("the private key `{written}` {why}")).with_hint(match mend {
                Some(mend) => {
                    format!("run `{mend} {}`, or name a key of your own", quote_path(written))
                }
                None => "name a key of your own with `infra.bootstrap.ssh.private_key_path`: \
                             that file is somebody else's, who alone can change its mode"
                    .to_owned(),
            })
        })?;
        match unlocked(environment, ssh, written, &path)? {
            Some(key) => {
                let public = key.public().map_err(|error| unusable(error.to_string()))?;
                authorized_keys.push(public);
                settings.unlocked.insert(path.clone(), key);
            }
            None => match public_key_of(&path) {
                Ok(public) => authorized_keys.push(public),
                // Only hosts that are made here have to be told whom to let in.
                Err(KeyError::Encrypted { .. }) if !clouds.local => {}
                Err(KeyError::Encrypted { .. }) => {
                    return Err(or_by_variable(no_public_half(written), ssh));
                }
                Err(error) => return Err(unusable(error.to_string())),
            },
        }
        settings.private_key = Some(path);
    } else if clouds.local {
        let folder = environment.data_dir().unwrap_or_else(|| home.join(FOLDER));
        let pair = ensure_key_pair(&folder.join("local").join("id_ed25519")).map_err(|error| {
            Stop::bootstrap(format!("could not make the key for local hosts: {error}"))
                .with_hint("set `infra.bootstrap.ssh.private_key_path` to a key of your own, or `XDG_DATA_HOME` to a folder that may be written to")
        })?;
        authorized_keys.push(pair.public);
        settings.provider_keys.insert(ProviderId::Local, pair.private);
    }
    Ok(Access { settings, authorized_keys })
}

/// The private key of the file, unlocked by the variable the file names; `None` where it names none, or
/// that is not set.
fn unlocked(
    environment: &Environment,
    ssh: &SshConfig,
    written: &str,
    path: &Path,
) -> Result<Option<UnlockedKey>, Stop> {
    let Some(name) = &ssh.private_key_passphrase_env else { return Ok(None) };
    // Without it the agent may have the key, or somebody be there to ask.
    let Some(passphrase) = environment.secret(name) else { return Ok(None) };
    match UnlockedKey::read(path, &passphrase) {
        Ok(key) => Ok(Some(key)),
        Err(KeyError::WrongPassphrase { .. }) => {
            let what = if passphrase.is_empty() { "is empty" } else { "holds another" };
            let message = format!(
                "the private key `{written}` needs its passphrase, and the environment variable `{name}` {what}"
            );
            Err(Stop::bootstrap(message).with_hint(format!(
                "set `{name}` to the passphrase, or unset it: then your SSH agent is asked, or you are on the terminal"
            )))
        }
        Err(error) => {
            Err(Stop::bootstrap(format!("the private key `{written}` cannot be used: {error}")))
        }
    }
}

/// The same, with the variable named that would have helped.
pub(crate) fn or_by_variable(stop: Stop, ssh: &SshConfig) -> Stop {
    match &ssh.private_key_passphrase_env {
        Some(name) => stop.with_hint(format!(
            "or set `{name}`, which `private_key_passphrase_env` names, to the passphrase"
        )),
        None => stop,
    }
}

fn no_public_half(written: &str) -> Stop {
    let message = format!(
        "the private key `{written}` has a passphrase, and there is no `{written}.pub` with its public half for new hosts"
    );
    let (private, public) = (quote_path(written), quote_path(&format!("{written}.pub")));
    Stop::bootstrap(message)
        .with_hint(format!("run `ssh-keygen -y -f {private} > {public}`, which asks for it"))
}

/// The connections to hosts. Without `passphrases` nobody is asked for any.
pub(crate) fn connector(
    access: &Access,
    passphrases: Option<Arc<dyn Passphrases>>,
) -> Arc<SshConnector> {
    let connector = SshConnector::new(access.settings.clone());
    Arc::new(match passphrases {
        Some(passphrases) => connector.asking(passphrases),
        None => connector,
    })
}

/// What makes the keys new hosts are verified by, where hosts shall be.
pub(crate) fn mint(config: &Config) -> Option<Arc<dyn KeyMint>> {
    match config.bootstrap.ssh.host_keys {
        HostKeys::Pinned => Some(Arc::new(Ed25519Mint)),
        HostKeys::AcceptNew | HostKeys::KnownHosts => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use stagecraft_core::config;
    use stagecraft_core::error::ExitCode;

    use super::*;

    #[test]
    fn hosts_of_clouds_alone_need_no_key_of_ours() {
        let home = tempfile::tempdir().unwrap();
        let access = access_of(home.path(), &Clouds::default(), "{}").unwrap();
        assert_eq!(access.authorized_keys, [""; 0]);
        let settings = access.settings;
        assert!(settings.provider_keys.is_empty() && settings.private_key.is_none());
        assert_eq!(settings.default_identities[0], home.path().join(".ssh/id_ed25519"));
        assert_eq!(settings.agent_socket.as_deref(), Some(Path::new("/run/agent")));
        assert_eq!((settings.user, settings.port), (None, None), "`root` and 22 in the end");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "nothing is made");
    }

    #[test]
    fn a_key_is_made_for_local_hosts_and_offered_to_them_only() {
        let home = tempfile::tempdir().unwrap();
        let clouds = Clouds::local_only();
        let access = access_of(home.path(), &clouds, "{}").unwrap();
        assert_eq!(access.authorized_keys.len(), 1);
        assert!(access.settings.provider_keys.keys().eq(&[ProviderId::Local]));
        assert!(access.settings.private_key.is_none());
    }

    #[test]
    fn the_key_of_the_file_is_the_only_one() {
        let home = tempfile::tempdir().unwrap();
        let pair = ensure_key_pair(&home.path().join("key")).unwrap();
        let clouds = Clouds::local_only();
        let access = access_of(home.path(), &clouds, "{ private_key_path: ~/key }").unwrap();
        assert_eq!(access.settings.private_key, Some(pair.private));
        assert!(access.settings.provider_keys.is_empty());
        let key = home.path().join("key");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let open = access_of(home.path(), &clouds, "{ private_key_path: ~/key }").unwrap_err();
        let open = &open.troubles[0].failure;
        assert_eq!(
            open.message,
            "the private key `~/key` may be used by others (its mode is 0644)"
        );
        assert_eq!(open.hints, ["run `chmod 600 ~/key`, or name a key of your own"]);
        let null = access_of(home.path(), &clouds, "{ private_key_path: /dev/null }").unwrap_err();
        let null = &null.troubles[0].failure;
        assert!(null.message.ends_with("there is nothing in it"), "{null:?}");
        assert!(!null.hints[0].contains("chmod"), "{null:?}");
        let odd = home.path().join("$(id)");
        std::fs::copy(&key, &odd).unwrap();
        let odd = access_of(home.path(), &clouds, "{ private_key_path: ~/$(id) }").unwrap_err();
        let hint = &odd.troubles[0].failure.hints[0];
        assert_eq!(hint, "run `chmod 600 ~/'$(id)'`, or name a key of your own");
        let missing = access_of(home.path(), &clouds, "{ private_key_path: ~/none }").unwrap_err();
        assert_eq!(missing.exit, ExitCode::Bootstrap);
        let endless = access_of(home.path(), &clouds, "{ private_key_path: /dev/zero }");
        let endless = endless.unwrap_err().troubles[0].failure.message.clone();
        assert!(endless.contains("it is not an ordinary file"), "{endless}");
    }

    fn access_of(home: &Path, clouds: &Clouds, ssh: &str) -> Result<Access, Stop> {
        let file = format!(
            "project: {{ name: p }}\ncloud: {{ providers: {{}} }}\ninfra: {{ bootstrap: {{ ssh: {ssh} }} }}\n"
        );
        let config = config::parse("f", file.as_bytes()).unwrap();
        let variables = [("SSH_AUTH_SOCK", "/run/agent")];
        let environment = Environment::for_tests(home.to_str().unwrap(), &variables);
        access(&environment, &config, clouds, home)
    }
}
