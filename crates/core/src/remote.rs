//! The contract between Stagecraft and a host it can log in to.

mod command;

pub use command::{Command, quote, quote_path};

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::desired::ProviderId;
use crate::error::{Code, Diagnose, Retry};
use crate::identity::{HostKey, Pins};
use crate::inventory::{Endpoint, Instance};
use crate::name::{HostName, Image, InstanceId};

/// How many lines of a command's output a failure keeps.
pub const OUTPUT_LINES: usize = 15;

/// What a command printed and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The exit status; 128 + n when ended by signal n.
    pub status: i32,
    /// Standard output, not UTF-8 replaced.
    pub stdout: String,
    /// Standard error, not UTF-8 replaced.
    pub stderr: String,
}

impl Output {
    /// Whether the command ended with status 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.status == 0
    }

    /// The last `count` lines that are not blank, standard output before standard error.
    #[must_use]
    pub fn tail(&self, count: usize) -> Vec<String> {
        let lines: Vec<&str> = self
            .stdout
            .lines()
            .chain(self.stderr.lines())
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect();
        lines[lines.len().saturating_sub(count)..].iter().map(|&line| line.to_owned()).collect()
    }
}

/// A host to log in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name, for messages.
    pub host: HostName,
    /// Who made it; decides which keys are offered.
    pub provider: ProviderId,
    /// The instance; what its host key is remembered under, since addresses are used again.
    pub instance: InstanceId,
    /// Where SSH answers.
    pub endpoint: Endpoint,
    /// Whom its image lets in; who logs in unless the configuration says otherwise.
    pub user: &'static str,
    /// The host keys it may present; with none it depends on the configuration whom to believe.
    pub pins: Pins,
}

impl Target {
    /// The target an instance gives; `None` while it has no address.
    #[must_use]
    pub fn of(instance: &Instance) -> Option<Self> {
        Some(Self {
            host: instance.owner.host.clone(),
            provider: instance.provider,
            instance: instance.id.clone(),
            endpoint: instance.endpoint()?,
            user: login_user(instance.provider, &instance.spec.image),
            pins: instance.pins,
        })
    }
}

/// Those whom new machines let in.
const IMAGE_USERS: [&str; 3] = ["admin", "root", "ubuntu"];

/// The user whom new machines of an image let in. AWS's are made for `sudo`; all others let in root.
#[must_use]
pub fn login_user(provider: ProviderId, image: &Image) -> &'static str {
    match provider {
        ProviderId::Aws if image.as_str().starts_with("debian") => "admin",
        ProviderId::Aws => "ubuntu",
        ProviderId::DigitalOcean | ProviderId::Hetzner | ProviderId::Local => "root",
    }
}

/// Opens connections to hosts.
#[async_trait]
pub trait Connector: Debug + Send + Sync {
    /// Makes one attempt to connect and log in. Never retries; a host that is just booting is the
    /// engine's to wait for.
    async fn connect(&self, target: &Target) -> Result<Box<dyn Remote>, RemoteError>;

    /// Whether the user is being asked for what some attempt needs, such as a passphrase. However long
    /// that takes, it is nobody's time but the user's.
    fn is_asking(&self) -> bool {
        false
    }
}

/// An open connection to one host. Commands run as root.
#[async_trait]
pub trait Remote: Debug + Send + Sync {
    /// Runs one command to its end.
    ///
    /// A command that ran and failed is an `Ok(Output)` with a status other than 0; `Err` means
    /// the outcome is unknown or the command never ran.
    async fn run(&self, command: &Command) -> Result<Output, RemoteError>;

    /// The key that was presented, where the keys pinned on the instance decided; `None` where they did
    /// not count.
    fn host_key(&self) -> Option<HostKey>;

    /// Says goodbye. Never fails; a connection dropped without it is closed all the same.
    async fn close(&self);
}

/// Where a host key is written that a host should have presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// In a known-hosts file, e.g. `~/.ssh/known_hosts:12`.
    File(String),
    /// On the host's instance.
    Instance,
}

/// A connection that could not be made or was lost.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// Nobody answered, or the answer was not SSH.
    #[error("could not reach `{host}` at {address}: {why}")]
    Unreachable {
        /// The host.
        host: HostName,
        /// Address and port tried.
        address: String,
        /// The cause, as the system says it.
        why: String,
        /// Whether it was a jump host that did not answer, so that the host itself was not tried.
        on_the_way: bool,
    },
    /// The server refused every key.
    #[error("`{host}` at {address} refused to log in `{user}`: {why}")]
    Refused {
        /// The host.
        host: HostName,
        /// Address and port tried.
        address: String,
        /// The user tried.
        user: String,
        /// Which keys were offered.
        why: String,
    },
    /// The server is not who it should be.
    #[error("`{host}` at {address} presented the host key {presented}, but {expected} is {}", match known_in { KeySource::File(_) => "known", KeySource::Instance => "pinned" })]
    HostKeyMismatch {
        /// The host.
        host: HostName,
        /// Address and port tried.
        address: String,
        /// Fingerprint of the key presented.
        presented: String,
        /// Fingerprint of the key known.
        expected: String,
        /// Where the known key is written.
        known_in: KeySource,
    },
    /// Strict checking, and no key known.
    #[error("no host key is {} for `{host}` at {address}, which presented {presented}", if *may_be_pinned { "pinned" } else { "known" })]
    HostKeyUnknown {
        /// The host.
        host: HostName,
        /// Address and port tried.
        address: String,
        /// Fingerprint of the key presented.
        presented: String,
        /// Whether it is a host of ours whose key could be pinned, and not one on the way to it.
        may_be_pinned: bool,
    },
    /// The connection ended while a command ran.
    #[error("the connection to `{host}` was lost while running `{command}`: {why}")]
    Lost {
        /// The host.
        host: HostName,
        /// The command, secrets masked.
        command: String,
        /// The cause.
        why: String,
        /// What it had printed by then, standard output before standard error.
        printed: Vec<String>,
    },
    /// A command did not end in time.
    #[error("`{command}` did not finish on `{host}` within {} s", limit.as_secs())]
    TimedOut {
        /// The host.
        host: HostName,
        /// The command, secrets masked.
        command: String,
        /// Its limit.
        limit: Duration,
        /// What it had printed by then, standard output before standard error.
        printed: Vec<String>,
    },
    /// A command printed more than anybody reads, and perhaps without end.
    #[error("`{host}` printed more than {} MiB in answer to `{command}`, which was stopped", limit >> 20)]
    TooMuchOutput {
        /// The host.
        host: HostName,
        /// The command, secrets masked.
        command: String,
        /// How many bytes it may print.
        limit: usize,
    },
    /// The only private key to use has a passphrase that nobody gave.
    #[error("could not prepare the connection to `{host}`: {why}")]
    Locked {
        /// The host.
        host: HostName,
        /// The key, as the user knows it.
        key: String,
        /// What was tried.
        why: String,
    },
    /// Somebody else can have written what hosts would be verified by.
    #[error("could not prepare the connection to `{host}`: {why}")]
    KnownHostsUnsafe {
        /// The host.
        host: HostName,
        /// What of, and how.
        why: String,
        /// What the user can do.
        mend: String,
    },
    /// Something on this side is wrong: a key file that cannot be read, a known-hosts file that
    /// cannot be written.
    #[error("could not prepare the connection to `{host}`: {why}")]
    Local {
        /// The host.
        host: HostName,
        /// The cause.
        why: String,
    },
}

impl RemoteError {
    /// The host it is about.
    #[must_use]
    pub fn host(&self) -> &HostName {
        match self {
            Self::Unreachable { host, .. }
            | Self::Refused { host, .. }
            | Self::HostKeyMismatch { host, .. }
            | Self::HostKeyUnknown { host, .. }
            | Self::Lost { host, .. }
            | Self::TimedOut { host, .. }
            | Self::TooMuchOutput { host, .. }
            | Self::Locked { host, .. }
            | Self::KnownHostsUnsafe { host, .. }
            | Self::Local { host, .. } => host,
        }
    }

    /// What the command had printed when its end became unknown; nothing where none ran.
    #[must_use]
    pub fn printed(&self) -> &[String] {
        match self {
            Self::Lost { printed, .. } | Self::TimedOut { printed, .. } => printed,
            Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::HostKeyMismatch { .. }
            | Self::HostKeyUnknown { .. }
            | Self::TooMuchOutput { .. }
            | Self::Locked { .. }
            | Self::KnownHostsUnsafe { .. }
            | Self::Local { .. } => &[],
        }
    }
}

impl Diagnose for RemoteError {
    fn code(&self) -> Code {
        match self {
            Self::HostKeyMismatch { .. } => Code::HOST_KEY_MISMATCH,
            Self::HostKeyUnknown { .. } => Code::HOST_KEY_UNKNOWN,
            Self::KnownHostsUnsafe { .. } => Code::KNOWN_HOSTS_UNSAFE,
            Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::Lost { .. }
            | Self::TimedOut { .. }
            | Self::TooMuchOutput { .. }
            | Self::Locked { .. }
            | Self::Local { .. } => Code::SSH_FAILED,
        }
    }

    /// [`Retry::After`] for what a host that is still booting answers.
    fn retry(&self) -> Retry {
        match self {
            Self::Unreachable { .. } | Self::Refused { .. } => Retry::After(Duration::ZERO),
            Self::Lost { .. } | Self::TimedOut { .. } | Self::TooMuchOutput { .. } => {
                Retry::Observe
            }
            Self::HostKeyMismatch { .. }
            | Self::HostKeyUnknown { .. }
            | Self::Locked { .. }
            | Self::KnownHostsUnsafe { .. }
            | Self::Local { .. } => Retry::Never,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::HostKeyMismatch { known_in: KeySource::File(place), .. } => vec![format!(
                "if the host was rebuilt on purpose, remove the known key at {place}; if not, somebody may be in between"
            )],
            Self::HostKeyMismatch { host, known_in: KeySource::Instance, .. } => vec![
                format!(
                    "if the machine was rebuilt on purpose, `stagecraft infra trust {host}` shows its new key and asks; `stagecraft infra up --replace {host}` makes a new, empty machine"
                ),
                "if not, somebody may be in between; nothing was sent there".to_owned(),
            ],
            Self::HostKeyUnknown { host, may_be_pinned: true, .. } => vec![format!(
                "`stagecraft infra trust {host}` shows its key and pins it if you agree"
            )],
            Self::HostKeyUnknown { may_be_pinned: false, .. } => vec![
                "add its key to your known_hosts, or set `infra.bootstrap.ssh.host_keys: accept-new`".to_owned(),
            ],
            Self::Refused { user, .. } => {
                let key = "set `infra.bootstrap.ssh.private_key_path` to the key the host was created with; where it is not set, add that key to your agent";
                // Anybody else was named by the file, or by a configuration of OpenSSH.
                let named = (!IMAGE_USERS.contains(&user.as_str())).then(|| format!(
                    "if the host does not know `{user}`, leave `infra.bootstrap.ssh.user` out: the user of the host's image is the default"
                ));
                [key.to_owned()].into_iter().chain(named).collect()
            }
            Self::Locked { key, .. } => vec![format!(
                "add it to your SSH agent with `ssh-add {}`, name a variable that holds its passphrase with `infra.bootstrap.ssh.private_key_passphrase_env`, or run this on a terminal, where you are asked",
                quote_path(key)
            )],
            Self::KnownHostsUnsafe { mend, .. } => vec![mend.clone()],
            Self::TooMuchOutput { host, .. } => vec![format!(
                "log in with `stagecraft ssh {host}` and see what prints so much; a start-up file of the shell of the user who logs in must print nothing"
            )],
            Self::Unreachable { on_the_way: true, .. } => vec![
                "the host itself was not tried: your OpenSSH configuration has a `ProxyJump` for it".to_owned(),
            ],
            Self::Unreachable { on_the_way: false, .. }
            | Self::Lost { .. }
            | Self::TimedOut { .. }
            | Self::Local { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
