use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stagecraft_clouds::aws::{ApiUrls, AwsCredentials, AwsProvider, AwsSettings};
use stagecraft_clouds::digitalocean::{DigitalOceanProvider, DigitalOceanSettings};
use stagecraft_clouds::hetzner::{HetznerProvider, HetznerSettings};
use stagecraft_clouds::http::{BaseUrl, Token};
use stagecraft_clouds::local::{self, EngineAddress, LocalProvider, LocalSettings};
use stagecraft_core::Secret;
use stagecraft_core::cloud::{CloudError, CloudProvider, Identity, Registry, RegistryError};
use stagecraft_core::config::{Config, HostKeys, NetworkConfig, ProviderConfig, SshConfig};
use stagecraft_core::credential::{Credential, Field};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_core::identity::KeyMint;
use stagecraft_remote::{
    Ed25519Mint, KeyError, Passphrases, SshConnector, SshSettings, UnlockedKey, ensure_key_pair,
    public_key_of,
};

use super::{Clouds, Environment};
use crate::documents::ProviderItem;
use crate::stop::Stop;
use crate::ui::Progress;

/// Our folder beside the configuration file; losing it loses nothing.
const FOLDER: &str = ".stagecraft";
/// Variables that programs which build images may see.
const BUILD_VARIABLES: [&str; 7] =
    ["TMPDIR", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/// How to log in to hosts, and whom new hosts let in.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// How to log in.
    pub(crate) settings: SshSettings,
    /// Public keys for hosts that take them when they are made.
    authorized_keys: Vec<String>,
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
        std::fs::File::open(&path).map_err(|error| unusable(error.to_string()))?;
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
    Stop::bootstrap(message)
        .with_hint(format!("run `ssh-keygen -y -f {written} > {written}.pub`, which asks for it"))
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

/// The clouds that are looked at. Without `access` they can be looked at only.
///
/// # Errors
/// When the environment or the file names something that cannot be used.
pub(crate) fn providers(
    environment: &Environment,
    config: &Config,
    clouds: &Clouds,
    access: Option<&Access>,
    progress: &Progress,
) -> Result<BTreeMap<ProviderId, Arc<dyn CloudProvider>>, Stop> {
    let registry = registry(environment, config, access, progress);
    let local = clouds.local.then_some((ProviderId::Local, &Identity::Anybody));
    let others = clouds.identities.iter().map(|(id, identity)| (*id, identity));
    let all = local.into_iter().chain(others).map(|(id, identity)| {
        let client = registry.client(id, identity);
        Ok((id, client.map_err(|error| no_client(&error))?))
    });
    all.collect()
}

fn no_client(error: &RegistryError) -> Stop {
    let failure = Failure::from(error);
    let exit = if failure.code.is_cloud() { ExitCode::Cloud } else { ExitCode::Usage };
    Stop::new(exit, failure)
}

/// Every provider there is, as the file would have it.
pub(crate) fn registry<'a>(
    environment: &'a Environment,
    config: &'a Config,
    access: Option<&'a Access>,
    progress: &'a Progress,
) -> Registry<'a> {
    let settings = |id| config.providers.get(&id).cloned().unwrap_or_default();
    let (of_aws, of_digitalocean, of_hetzner) = (
        settings(ProviderId::Aws),
        settings(ProviderId::DigitalOcean),
        settings(ProviderId::Hetzner),
    );
    Registry::new()
        .with(ProviderId::Aws, move |identity| {
            let credentials = match identity {
                Identity::Owner(credential) => AwsCredentials::Keys {
                    access_key_id: part(credential, Field::AccessKeyId)?.reveal().to_owned(),
                    secret_access_key: token(credential, Field::SecretAccessKey)?,
                    session_token: match credential.field(Field::SessionToken) {
                        Some(_) => Some(token(credential, Field::SessionToken)?),
                        None => None,
                    },
                },
                Identity::Chain { profile } => AwsCredentials::Chain { profile: profile.clone() },
                Identity::Anybody => AwsCredentials::Chain { profile: None },
            };
            Ok(Arc::new(aws(config, &of_aws, credentials)?) as _)
        })
        .with(ProviderId::DigitalOcean, move |identity| {
            let settings = DigitalOceanSettings {
                api_url: base_url(ProviderId::DigitalOcean, &of_digitalocean)?,
                token: token_of(ProviderId::DigitalOcean, identity)?,
                ssh_key_name: of_digitalocean.ssh_key_name.clone(),
            };
            Ok(Arc::new(DigitalOceanProvider::new(settings)) as _)
        })
        .with(ProviderId::Hetzner, move |identity| {
            let settings = HetznerSettings {
                api_url: base_url(ProviderId::Hetzner, &of_hetzner)?,
                token: token_of(ProviderId::Hetzner, identity)?,
                ssh_key_name: of_hetzner.ssh_key_name.clone(),
            };
            Ok(Arc::new(HetznerProvider::new(settings)) as _)
        })
        .with(ProviderId::Local, move |_| Ok(Arc::new(local(environment, access, progress)?) as _))
}

/// The token of whoever asks.
fn token_of(id: ProviderId, identity: &Identity) -> Result<Token, Failure> {
    match identity {
        Identity::Owner(credential) => token(credential, Field::Token),
        Identity::Anybody | Identity::Chain { .. } => {
            Err(Failure::new(Code::CLOUD_UNAUTHENTICATED, format!("{id} needs an API token")))
        }
    }
}

fn token(credential: &Credential, field: Field) -> Result<Token, Failure> {
    Token::new(part(credential, field)?.reveal()).map_err(|why| {
        let message = format!("the {} of {} is none: {why}", field.words(), credential.issuer());
        Failure::new(Code::CREDENTIAL_INVALID, message)
    })
}

fn part(credential: &Credential, field: Field) -> Result<&Secret, Failure> {
    credential.field(field).ok_or_else(|| {
        let message = format!("a credential of {} has no {}", credential.issuer(), field.words());
        Failure::new(Code::CREDENTIAL_INVALID, message)
    })
}

/// Hosts may be wherever the file puts any, in whichever environment.
fn aws(
    config: &Config,
    settings: &ProviderConfig,
    credentials: AwsCredentials,
) -> Result<AwsProvider, Failure> {
    let url = base_url(ProviderId::Aws, settings)?;
    let hosts = config.environments.values().flat_map(BTreeMap::values);
    let hosts = || hosts.clone().filter(|host| host.provider == ProviderId::Aws);
    let mut regions = settings.allowed_regions.clone();
    regions.extend(hosts().map(|host| host.region.clone()));
    let mut sizes = settings.allowed_sizes.clone();
    sizes.extend(hosts().map(|host| host.size.clone()));
    let default_region = settings.default_region.clone().or_else(|| regions.first().cloned());
    Ok(AwsProvider::new(AwsSettings {
        api_urls: url.as_ref().map(ApiUrls::all).unwrap_or_default(),
        credentials,
        default_region: default_region.unwrap_or_else(|| "us-east-1".into()),
        regions,
        sizes,
        ssh_key_name: settings.ssh_key_name.clone(),
        subnet_id: settings.subnet_id.clone(),
        ssh_port: config.bootstrap.ssh.port.unwrap_or(22),
        mesh_port: match &config.network {
            // Tailscale finds its way through without an open port.
            NetworkConfig::None | NetworkConfig::Tailscale { .. } => None,
            NetworkConfig::WireGuard(mesh) => Some(mesh.port),
        },
    }))
}

/// Where the file says an API is. The configuration has checked it already.
fn base_url(id: ProviderId, settings: &ProviderConfig) -> Result<Option<BaseUrl>, Failure> {
    let parsed = settings.api_url.as_deref().map(BaseUrl::parse).transpose();
    parsed.map_err(|error| {
        let message = format!("`cloud.providers.{id}.api_url` cannot be used: {error}");
        Failure::new(Code::CONFIG_INVALID_VALUE, message)
    })
}

fn local(
    environment: &Environment,
    access: Option<&Access>,
    progress: &Progress,
) -> Result<LocalProvider, Failure> {
    let engine = engine_address(environment).map_err(|error| Failure::from(&error))?;
    Ok(LocalProvider::new(LocalSettings {
        engine,
        authorized_keys: access.map(|access| access.authorized_keys.clone()).unwrap_or_default(),
        cache: environment.cache_dir().unwrap_or_else(|| std::env::temp_dir().join("stagecraft")),
        environment: environment.some(BUILD_VARIABLES),
        progress: Arc::new(Building(progress.clone())),
    }))
}

/// Where Docker Engine is, as Docker's own client would have it.
pub(super) fn engine_address(environment: &Environment) -> Result<EngineAddress, CloudError> {
    let certificates = environment.is_set("DOCKER_TLS_VERIFY").then(|| {
        let given = environment.text("DOCKER_CERT_PATH").map(Into::into);
        given.or_else(|| Some(environment.home()?.join(".docker")))
    });
    EngineAddress::parse(environment.text("DOCKER_HOST"), certificates.flatten().as_deref())
}

/// Shows what the building of an image does.
#[derive(Debug)]
struct Building(Progress);

impl local::Progress for Building {
    fn line(&self, text: &str) {
        self.0.activity(ProviderId::Local, text);
    }
}

/// What a provider supports.
pub(crate) fn provider_facts(provider: ProviderId) -> ProviderItem {
    let (hosts, credentials, arm64, spot) = match provider {
        ProviderId::Aws => ("EC2 instances", "keys, credentials or chain", "native", "yes"),
        ProviderId::DigitalOcean => ("Droplets", "token_env or credentials", "emulated", "ignored"),
        ProviderId::Hetzner => ("Cloud servers", "token_env or credentials", "native", "ignored"),
        ProviderId::Local => ("Docker containers", "none", "engine's", "ignored"),
    };
    ProviderItem {
        provider,
        hosts: hosts.to_owned(),
        credentials: credentials.to_owned(),
        arm64: arm64.to_owned(),
        spot: spot.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use stagecraft_core::config;

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
        let missing = access_of(home.path(), &clouds, "{ private_key_path: ~/none }").unwrap_err();
        assert_eq!(missing.exit, ExitCode::Bootstrap);
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
