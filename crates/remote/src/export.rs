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
            Self::ControlCharacter { keyword, .. } | Self::Expanded { keyword, .. }
                if !names_a_file(keyword) =>
            {
                Some(
                    "write it another way, in the file or in your OpenSSH configuration; `stagecraft exec` and `infra bootstrap` take it as it is",
                )
            }
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

/// Whether the value of a keyword is the path of a file, so that another path would do.
fn names_a_file(keyword: &str) -> bool {
    ["IdentityFile", "UserKnownHostsFile", "IdentityAgent"].contains(&keyword)
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
mod tests;
