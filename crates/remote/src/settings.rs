//! Everything a connection depends on besides its target, as plain data from the caller.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stagecraft_core::config::HostKeys;
use stagecraft_core::desired::ProviderId;

use crate::unlocked::UnlockedKey;

/// How to log in to hosts.
///
/// A field that is `None` was not said by the user and is filled from the OpenSSH configuration
/// file, then from OpenSSH's defaults; what is `Some` wins over both.
#[derive(Clone, Debug)]
pub struct SshSettings {
    /// The user, if the configuration names one; `root` in the end.
    pub user: Option<String>,
    /// The port, if the configuration names one. A port the provider reports for an instance wins
    /// over it; 22 in the end.
    pub port: Option<u16>,
    /// Which host keys are believed.
    pub host_keys: HostKeys,
    /// The only private key to use, apart from `provider_keys`.
    pub private_key: Option<PathBuf>,
    /// Keys that have a passphrase and were unlocked, by their files.
    pub unlocked: BTreeMap<PathBuf, UnlockedKey>,
    /// Keys of single providers: offered first, and only to that provider's own hosts.
    pub provider_keys: BTreeMap<ProviderId, PathBuf>,
    /// Socket of the SSH agent; not used when `private_key` names a key without a passphrase.
    pub agent_socket: Option<PathBuf>,
    /// Private keys tried after the agent's, in order; missing files are skipped.
    pub default_identities: Vec<PathBuf>,
    /// The user's known-hosts files: read, never written.
    pub user_known_hosts: Vec<PathBuf>,
    /// Our own known-hosts file: keys accepted on first contact, by instance.
    pub known_hosts: PathBuf,
    /// The user's OpenSSH configuration file; a missing file is an empty one.
    pub ssh_config: Option<PathBuf>,
    /// The user's home directory, for `~/` and for short paths in messages.
    pub home: Option<PathBuf>,
    /// The name of the user on this machine, OpenSSH's default for jump hosts.
    pub local_user: Option<String>,
    /// Limit for the TCP connection of one attempt.
    pub connect_timeout: Duration,
    /// Limit from the TCP connection to being logged in.
    pub login_timeout: Duration,
}

impl SshSettings {
    /// Settings that know no key and no file but our own known-hosts file.
    #[must_use]
    pub fn new(known_hosts: impl Into<PathBuf>) -> Self {
        Self {
            user: None,
            port: None,
            host_keys: HostKeys::AcceptNew,
            private_key: None,
            unlocked: BTreeMap::new(),
            provider_keys: BTreeMap::new(),
            agent_socket: None,
            default_identities: Vec::new(),
            user_known_hosts: Vec::new(),
            known_hosts: known_hosts.into(),
            ssh_config: None,
            home: None,
            local_user: None,
            connect_timeout: Duration::from_secs(10),
            login_timeout: Duration::from_secs(30),
        }
    }

    /// The usual files of a user whose home directory is `home`, in OpenSSH's order.
    #[must_use]
    pub fn with_openssh_files(mut self, home: &Path) -> Self {
        let dot_ssh = home.join(".ssh");
        self.default_identities =
            ["id_ed25519", "id_ecdsa", "id_rsa"].map(|name| dot_ssh.join(name)).into();
        self.user_known_hosts = vec![
            dot_ssh.join("known_hosts"),
            dot_ssh.join("known_hosts2"),
            PathBuf::from("/etc/ssh/ssh_known_hosts"),
        ];
        self.ssh_config = Some(dot_ssh.join("config"));
        self.home = Some(home.to_owned());
        self
    }

    /// A path as shown to the user, with `~` for the home directory.
    #[must_use]
    pub fn show(&self, path: &Path) -> String {
        match self.home.as_deref().and_then(|home| path.strip_prefix(home).ok()) {
            Some(below) => format!("~/{}", below.display()),
            None => path.display().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_home_are_shown_short() {
        let settings =
            SshSettings::new("/x/known_hosts").with_openssh_files(Path::new("/home/ada"));
        assert_eq!(settings.show(Path::new("/home/ada/.ssh/id_rsa")), "~/.ssh/id_rsa");
        assert_eq!(settings.show(Path::new("/etc/ssh/x")), "/etc/ssh/x");
    }
}
