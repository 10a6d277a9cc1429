//! The same login for the system's OpenSSH: as arguments, and as a block of its configuration.
//!
//! Both name the host key's place so that OpenSSH judges the host as [`crate::SshConnector`] does: by
//! the keys pinned on the instance, which the words themselves carry; where there are none by the
//! user's files, strictly, where these speak of the address, else by our own file under the
//! instance's alias. To carry keys takes OpenSSH 8.5 or later; an earlier one refuses the option.

use std::fmt::Write as _;

use stagecraft_core::config::HostKeys;
use stagecraft_core::error::Code;
use stagecraft_core::identity::{HostKey, Pins};
use stagecraft_core::name::HostName;
use stagecraft_core::remote::{Command, Target};

use crate::host_keys::alias_of;
use crate::host_keys::gate::{Gate, KnownHosts};
use crate::host_keys::store::{HostKeyStore, StoreError};
use crate::login::{Login, LoginError, resolve};
use crate::settings::SshSettings;
use crate::ssh_config::{SshConfig, SshConfigError};

/// A login that cannot be written down for OpenSSH.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The OpenSSH configuration cannot be used.
    #[error(transparent)]
    Config(#[from] SshConfigError),
    /// The OpenSSH configuration asks for something impossible.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// A known-hosts file cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value, such as the path of a file, has a line break or another control character, after which
    /// OpenSSH would read more than was meant.
    #[error(
        "{keyword} {value:?} has a control character, which cannot be written down for OpenSSH"
    )]
    ControlCharacter {
        /// What it would be the value of.
        keyword: &'static str,
        /// The value.
        value: String,
    },
    /// A value, such as the path of a file, has what OpenSSH puts something else in the place of, and no
    /// way to write it down so that it does not.
    #[error(
        "OpenSSH would put something else in the place of `{what}` in {keyword} {value:?}, and there is no way to write it so that it does not"
    )]
    Expanded {
        /// What it would be the value of.
        keyword: &'static str,
        /// The value.
        value: String,
        /// What it has.
        what: &'static str,
    },
}

impl ExportError {
    /// What kind of failure it is.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Store(StoreError::Unsafe { .. }) => Code::KNOWN_HOSTS_UNSAFE,
            Self::Config(_)
            | Self::Login(_)
            | Self::Store(StoreError::File(_))
            | Self::ControlCharacter { .. }
            | Self::Expanded { .. } => Code::SSH_FAILED,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Config(_) | Self::Login(_) | Self::Store(StoreError::File(_)) => None,
            Self::Store(StoreError::Unsafe { mend, .. }) => Some(mend),
            Self::ControlCharacter { .. } | Self::Expanded { .. } => Some(
                "give the file or folder another name, or name a link to it; `stagecraft exec` and `infra bootstrap` take it as it is",
            ),
        }
    }
}

/// Writes down logins. What the files say that the settings name is as it was when this was made.
#[derive(Debug)]
pub struct Exporter<'a> {
    settings: &'a SshSettings,
    config: SshConfig,
    known: KnownHosts,
}

/// How OpenSSH logs in to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The host.
    pub host: HostName,
    /// What is decided of the login.
    pub login: Login,
    /// The configuration file OpenSSH is to read instead of the user's usual one.
    pub config_file: Option<String>,
    /// What it is told beyond address, port and user, as keywords of its configuration, in order. Values
    /// are written as its configuration needs them.
    pub options: Vec<(&'static str, String)>,
    /// What it is told to connect to; where the user's configuration says otherwise, `login` has that.
    pub address: String,
}

impl<'a> Exporter<'a> {
    /// Reads the files `settings` name.
    ///
    /// # Errors
    /// When one of them cannot be read or understood.
    pub fn new(settings: &'a SshSettings) -> Result<Self, ExportError> {
        let config = match &settings.ssh_config {
            Some(path) => SshConfig::load(path, settings.home.as_deref())?,
            None => SshConfig::default(),
        };
        Ok(Self { settings, config, known: KnownHosts::read(settings)? })
    }

    /// What is decided of the login of `target`.
    ///
    /// # Errors
    /// When the OpenSSH configuration asks for something impossible.
    pub fn login(&self, target: &Target) -> Result<Login, ExportError> {
        Ok(resolve(target, self.settings, &self.config)?)
    }

    /// The login of `target`. Makes the folder of our own known-hosts file where OpenSSH may write to it.
    ///
    /// # Errors
    /// When the OpenSSH configuration asks for something impossible, or a value cannot be written down.
    pub fn export(&self, target: &Target) -> Result<Export, ExportError> {
        let settings = self.settings;
        let login = self.login(target)?;
        let options = self.options(target, &login)?;
        let config_file = match (&settings.ssh_config, &settings.home) {
            (Some(path), Some(home)) if *path == home.join(".ssh/config") => None,
            (Some(path), _) => Some(path.display().to_string()),
            (None, _) => Some("none".to_owned()),
        };
        let (host, address) = (target.host.clone(), target.endpoint.host.clone());
        let export = Export { login, config_file, options, host, address };
        let odd = export.keywords().find(|(_, value)| value.contains(char::is_control));
        if let Some((keyword, value)) = odd {
            return Err(ExportError::ControlCharacter { keyword, value });
        }
        let expanded = export
            .keywords()
            .find_map(|(keyword, value)| Some((expands(keyword, &value)?, keyword, value)));
        match expanded {
            Some((what, keyword, value)) => Err(ExportError::Expanded { keyword, value, what }),
            None => Ok(export),
        }
    }

    fn options(
        &self,
        target: &Target,
        login: &Login,
    ) -> Result<Vec<(&'static str, String)>, StoreError> {
        let settings = self.settings;
        let mut options = Vec::new();
        let alias = alias_of(target.provider, &target.instance);
        let gate = Gate::by(&self.known, settings, &login.host, login.port, &alias, target.pins);
        if let Some(pins) = gate.pins() {
            // The keys come from the instance, so there is no file to share.
            options.push(("HostKeyAlgorithms", "ssh-ed25519".to_owned()));
            let revoked = |key: &HostKey| gate.revokes(key);
            options.push(("KnownHostsCommand", print_known_hosts(&alias, pins, revoked)));
            options.push(("HostKeyAlias", alias));
            options.push(("UserKnownHostsFile", "none".to_owned()));
            options.push(("GlobalKnownHostsFile", "/dev/null".to_owned()));
            options.push(("StrictHostKeyChecking", "yes".to_owned()));
            options.push(("UpdateHostKeys", "no".to_owned()));
            // Over a connection that is open already no key is looked at.
            options.push(("ControlPath", "none".to_owned()));
        } else if settings.host_keys != HostKeys::AcceptNew || gate.is_the_users() {
            let files: Vec<String> = settings
                .user_known_hosts
                .iter()
                .map(|path| quote(&path.display().to_string()))
                .collect();
            if !files.is_empty() {
                options.push(("UserKnownHostsFile", files.join(" ")));
            }
            options.push(("StrictHostKeyChecking", "yes".to_owned()));
        } else {
            HostKeyStore::new(&settings.known_hosts).prepare()?;
            options.push(("HostKeyAlias", alias));
            let file = quote(&settings.known_hosts.display().to_string());
            options.push(("UserKnownHostsFile", file));
            options.push(("StrictHostKeyChecking", "accept-new".to_owned()));
            options.push(("HashKnownHosts", "no".to_owned()));
        }
        let keys = &login.identities;
        let exclusive: Vec<_> = keys.provider_key.iter().chain(&keys.only).collect();
        let files =
            if exclusive.is_empty() { keys.configured.iter().collect() } else { exclusive.clone() };
        for file in files {
            options.push(("IdentityFile", quote(&file.display().to_string())));
        }
        if !exclusive.is_empty() {
            options.push(("IdentitiesOnly", "yes".to_owned()));
        }
        if let Some(agent) = keys.agent.as_ref().filter(|_| keys.agent != settings.agent_socket) {
            options.push(("IdentityAgent", quote(&agent.display().to_string())));
        }
        if let Some(hops) = &login.proxy_jump {
            options.push(("ProxyJump", word(hops)));
        }
        Ok(options)
    }
}

impl Export {
    /// The words that run the system's `ssh`, the program first.
    ///
    /// Without `command` it is an interactive login. A single word goes to the remote shell as it is,
    /// several are quoted so that they arrive as they are.
    #[must_use]
    pub fn command_line(&self, command: &[String]) -> Vec<String> {
        let mut words = vec!["ssh".to_owned()];
        if let Some(file) = &self.config_file {
            words.extend(["-F".to_owned(), file.clone()]);
        }
        for (keyword, value) in self.keywords() {
            words.extend(["-o".to_owned(), format!("{keyword}={value}")]);
        }
        words.extend(["--".to_owned(), self.address.clone()]);
        match command {
            [] => {}
            [line] => words.push(line.clone()),
            [program, rest @ ..] => words.push(Command::new(program).args(rest).to_shell()),
        }
        words
    }

    /// A block for an OpenSSH configuration file that logs in to the host by its name.
    #[must_use]
    pub fn config_block(&self) -> String {
        let mut text = format!("Host {}\n", self.host);
        for (keyword, value) in self.keywords() {
            let _infallible = writeln!(text, "  {keyword} {value}");
        }
        text
    }

    /// Everything OpenSSH is told.
    fn keywords(&self) -> impl Iterator<Item = (&'static str, String)> {
        let own = [
            ("HostName", escape(&self.login.host)),
            ("Port", self.login.port.to_string()),
            ("User", word(&self.login.user)),
        ];
        own.into_iter().chain(self.options.iter().cloned())
    }
}

/// The command that prints known-hosts lines for `alias`. No word of them needs quoting.
fn print_known_hosts(alias: &str, pins: &Pins, revoked: impl Fn(&HostKey) -> bool) -> String {
    let line = |key: HostKey| {
        let marker = if revoked(&key) { "@revoked " } else { "" };
        format!(r"{marker}{alias} {}\n", key.to_openssh())
    };
    let lines: String = pins.keys().map(line).collect();
    format!("/usr/bin/printf '{lines}'")
}

/// What OpenSSH would expand in a value as it is written, of what has no other way to write it. Where it knows
/// no variables today, a later version may: since 10.0 it does in the name of a user, and tokens too.
fn expands(keyword: &str, value: &str) -> Option<&'static str> {
    if value.contains("${") {
        return Some("${");
    }
    (keyword == "User" && value.contains('%')).then_some("%")
}

/// A value that has tokens: `%` stands for itself.
fn escape(text: &str) -> String {
    text.replace('%', "%%")
}

/// A value OpenSSH splits at blanks and expands.
fn quote(path: &str) -> String {
    // A relative path may begin with it; an absolute one does not.
    let here = if path.starts_with('~') { "./" } else { "" };
    let path = format!("{here}{}", escape(path));
    if path.contains([' ', '\t', '"', '\'', '\\', '#']) {
        format!("\"{}\"", path.replace('\\', r"\\").replace('"', "\\\""))
    } else {
        path
    }
}

/// A value OpenSSH splits at blanks.
fn word(text: &str) -> String {
    if text.contains(char::is_whitespace) { format!("\"{text}\"") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use stagecraft_core::desired::ProviderId;
    use stagecraft_core::inventory::Endpoint;

    use super::*;
    use crate::keys::tests::public_key;

    #[test]
    fn the_command_line_pins_the_instance_and_not_its_address() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = settings(dir.path());
        settings.private_key = Some(PathBuf::from("/keys/de ploy"));
        let words = export(&settings).unwrap().command_line(&[]);
        let own = dir.path().join("own").display().to_string();
        let expected = format!(
            "ssh -F none -o HostName=203.0.113.7 -o Port=2222 -o User=root -o HostKeyAlias=stagecraft-hetzner-4711 -o UserKnownHostsFile={own} -o StrictHostKeyChecking=accept-new -o HashKnownHosts=no -o IdentityFile=\"/keys/de ploy\" -o IdentitiesOnly=yes -- 203.0.113.7"
        );
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn a_command_arrives_as_it_was_given() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path());
        let last = |command: &[&str]| {
            let command: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
            export(&settings).unwrap().command_line(&command).pop().unwrap()
        };
        assert_eq!(last(&["ls -l | wc"]), "ls -l | wc");
        assert_eq!(last(&["echo", "a b", "$x"]), "echo 'a b' '$x'");
    }

    #[test]
    fn where_the_users_files_speak_they_are_asked_strictly() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = settings(dir.path());
        let user = dir.path().join("user");
        let key = public_key().to_openssh().unwrap();
        std::fs::write(&user, format!("[203.0.113.7]:2222 {key}\n")).unwrap();
        settings.user_known_hosts = vec![user.clone()];
        let block = export(&settings).unwrap().config_block();
        let expected = format!(
            "Host db-1\n  HostName 203.0.113.7\n  Port 2222\n  User root\n  UserKnownHostsFile {}\n  StrictHostKeyChecking yes\n",
            user.display()
        );
        assert_eq!(block, expected);
    }

    #[test]
    fn what_the_ssh_configuration_says_is_passed_on() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = settings(dir.path()).with_openssh_files(dir.path());
        settings.provider_keys.insert(ProviderId::Local, PathBuf::from("/other"));
        let dot_ssh = dir.path().join(".ssh");
        std::fs::create_dir(&dot_ssh).unwrap();
        std::fs::write(
            dot_ssh.join("config"),
            "Host db-1\n User ada\n ProxyJump eve@bastion\n IdentityFile /k/100%%\n IdentityAgent /a.sock\n",
        )
        .unwrap();
        let words = export(&settings).unwrap().command_line(&[]).join(" ");
        for expected in [
            "ssh -o HostName",
            " -o User=ada ",
            " -o IdentityFile=/k/100%% ",
            " -o IdentityAgent=/a.sock ",
            " -o ProxyJump=eve@bastion ",
        ] {
            assert!(words.contains(expected), "{expected} in {words}");
        }
        assert!(!words.contains("IdentitiesOnly") && !words.contains("/other"), "{words}");
    }

    #[test]
    fn a_folder_whose_name_goes_on_in_the_next_line_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join("shop\n  ProxyCommand touch /tmp/x\n#");
        let error = export(&settings(&odd)).unwrap_err().to_string();
        assert!(error.starts_with("UserKnownHostsFile \"") && !error.contains('\n'), "{error}");
    }

    #[test]
    fn what_has_tokens_or_a_tilde_is_the_file_that_was_meant() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = settings(dir.path());
        for (path, written) in [("/k/%d/100%", "/k/%%d/100%%"), ("~root/id", "./~root/id")] {
            settings.private_key = Some(PathBuf::from(path));
            let words = export(&settings).unwrap().command_line(&[]).join(" ");
            assert!(words.contains(&format!(" -o IdentityFile={written} -o ")), "{words}");
        }
    }

    #[test]
    fn what_openssh_would_expand_and_cannot_be_written_otherwise_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |settings: &SshSettings| export(settings).unwrap_err().to_string();
        let mut key = settings(dir.path());
        key.private_key = Some(PathBuf::from("/k/${HOME}/id"));
        let why = "OpenSSH would put something else in the place of `${` in IdentityFile \"/k/${HOME}/id\"";
        assert!(refused(&key).starts_with(why), "{}", refused(&key));
        let own = settings(&dir.path().join("${X}"));
        assert!(refused(&own).contains("in UserKnownHostsFile"), "{}", refused(&own));
        let mut user = settings(dir.path());
        user.user = Some("a%h".to_owned());
        assert!(refused(&user).contains("`%` in User \"a%h\""), "{}", refused(&user));
        let mut dollar = settings(dir.path());
        dollar.private_key = Some(PathBuf::from("/k/$HOME/id"));
        export(&dollar).unwrap();
    }

    #[test]
    fn all_logins_are_written_down_by_the_files_as_they_were_at_first() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = settings(dir.path()).with_openssh_files(dir.path());
        settings.user_known_hosts = vec![dir.path().join("user")];
        let dot_ssh = dir.path().join(".ssh");
        std::fs::create_dir(&dot_ssh).unwrap();
        std::fs::write(dot_ssh.join("config"), "Host *\n User ada\n").unwrap();
        let exporter = Exporter::new(&settings).unwrap();
        let first = exporter.export(&target()).unwrap();
        std::fs::write(dot_ssh.join("config"), "Host *\n User eve\n").unwrap();
        let key = public_key().to_openssh().unwrap();
        std::fs::write(dir.path().join("user"), format!("[203.0.113.7]:2222 {key}\n")).unwrap();
        assert_eq!(exporter.export(&target()).unwrap(), first);
        assert_eq!(first.login.user, "ada");
        assert_ne!(export(&settings).unwrap(), first);
    }

    #[test]
    fn address_port_and_user_are_given_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = settings(dir.path());
        settings.user = Some("ada b".to_owned());
        let export = export(&settings).unwrap();
        let Login { host, port, user, .. } = &export.login;
        assert_eq!((host.as_str(), *port, user.as_str()), ("203.0.113.7", 2222, "ada b"));
        assert!(export.options.iter().all(|(keyword, _)| *keyword != "User"));
        assert!(export.config_block().contains("  User \"ada b\"\n"));
    }

    fn export(settings: &SshSettings) -> Result<Export, ExportError> {
        Exporter::new(settings)?.export(&target())
    }

    fn settings(dir: &Path) -> SshSettings {
        SshSettings::new(dir.join("own"))
    }

    fn target() -> Target {
        Target {
            host: "db-1".parse().unwrap(),
            provider: ProviderId::Hetzner,
            instance: "4711".into(),
            endpoint: Endpoint { host: "203.0.113.7".to_owned(), port: Some(2222) },
            user: "root",
            pins: Pins::default(),
        }
    }
}
