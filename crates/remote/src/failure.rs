//! Turns what went wrong into the failures of the contract.

use std::io;

use russh::AlgorithmKind;
use stagecraft_core::config::HostKeys;
use stagecraft_core::name::HostName;
use stagecraft_core::remote::{KeySource, RemoteError};

use crate::host_keys::gate::Denial;
use crate::host_keys::store::StoreError;
use crate::settings::SshSettings;

/// Whom a failure is about.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The host of the target, also while a jump host is talked to.
    pub(crate) host: HostName,
    /// Address and port, and whether it is a jump host.
    pub(crate) address: String,
    is_jump: bool,
}

impl Peer {
    pub(crate) fn new(host: &HostName, address: &str, port: u16, jump: Option<&str>) -> Self {
        let address = if address.contains(':') {
            format!("[{address}]:{port}")
        } else {
            format!("{address}:{port}")
        };
        let address = match jump {
            Some(name) => format!("{address} (jump host `{name}`)"),
            None => address,
        };
        Self { host: host.clone(), address, is_jump: jump.is_some() }
    }

    pub(crate) fn unreachable(&self, why: impl Into<String>) -> RemoteError {
        RemoteError::Unreachable {
            host: self.host.clone(),
            address: self.address.clone(),
            why: why.into(),
            on_the_way: self.is_jump,
        }
    }

    pub(crate) fn refused(&self, user: &str, why: impl Into<String>) -> RemoteError {
        RemoteError::Refused {
            host: self.host.clone(),
            address: self.address.clone(),
            user: user.to_owned(),
            why: why.into(),
        }
    }

    pub(crate) fn local(&self, why: impl ToString) -> RemoteError {
        RemoteError::Local { host: self.host.clone(), why: why.to_string() }
    }

    pub(crate) fn store(&self, error: StoreError) -> RemoteError {
        let (host, why) = (self.host.clone(), error.to_string());
        match error {
            StoreError::File(_) => RemoteError::Local { host, why },
            StoreError::Unsafe { mend, .. } => RemoteError::KnownHostsUnsafe { host, why, mend },
        }
    }

    pub(crate) fn locked(&self, key: String, why: String) -> RemoteError {
        RemoteError::Locked { host: self.host.clone(), key, why }
    }

    pub(crate) fn denied(&self, denial: Denial, settings: &SshSettings) -> RemoteError {
        let (host, address) = (self.host.clone(), self.address.clone());
        match denial {
            Denial::Mismatch { presented, expected, file, line } => RemoteError::HostKeyMismatch {
                host,
                address,
                presented,
                expected,
                known_in: KeySource::File(format!("{}:{line}", settings.show(&file))),
            },
            Denial::NotPinned { presented, expected } => RemoteError::HostKeyMismatch {
                host,
                address,
                presented,
                expected: expected.fingerprint(),
                known_in: KeySource::Instance,
            },
            Denial::Unknown { presented, policy } => RemoteError::HostKeyUnknown {
                host,
                address,
                presented,
                may_be_pinned: policy == HostKeys::Pinned && !self.is_jump,
            },
            Denial::Store(error) => self.store(error),
        }
    }

    /// A connection that broke before it was there.
    pub(crate) fn broken(&self, error: &russh::Error) -> RemoteError {
        let russh::Error::NoCommonAlgo { kind, theirs, .. } = error else {
            return self.unreachable(describe(error));
        };
        let what = match *kind {
            AlgorithmKind::Kex => "key exchange",
            AlgorithmKind::Key => "kind of host key",
            AlgorithmKind::Cipher => "cipher",
            AlgorithmKind::Compression => "compression",
            AlgorithmKind::Mac => "MAC",
        };
        self.local(format!(
            "{} offers no {what} that is still considered safe (it offers {})",
            self.address,
            short(&theirs.join(", "))
        ))
    }
}

/// The most of a stranger's words that is shown.
const LONGEST: usize = 200;

/// What a server says of itself, on one line and not longer than anybody reads.
pub(crate) fn short(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A cause as a fragment of a sentence.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library has many; few are worth own words")]
pub(crate) fn describe(error: &russh::Error) -> String {
    use russh::Error as E;
    match error {
        E::IO(error) => describe_io(error),
        E::Disconnect | E::HUP => "the connection was closed".to_owned(),
        E::Version => "the answer was not SSH".to_owned(),
        E::KeepaliveTimeout => "it stopped answering".to_owned(),
        E::WrongServerSig => "it could not prove to have its host key".to_owned(),
        error => short(&error.to_string().to_lowercase()),
    }
}

/// A cause as a fragment of a sentence.
#[expect(clippy::wildcard_enum_match_arm, reason = "the system has many; few are worth own words")]
pub(crate) fn describe_io(error: &io::Error) -> String {
    use io::ErrorKind as K;
    match error.kind() {
        K::ConnectionRefused => "connection refused".to_owned(),
        K::TimedOut => "no answer".to_owned(),
        K::HostUnreachable => "no route to the host".to_owned(),
        K::NetworkUnreachable => "the network is unreachable".to_owned(),
        K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe | K::UnexpectedEof => {
            "the connection was closed".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_cannot_fill_the_screen() {
        assert_eq!(
            short(" too many\r\n\tauthentication failures \n"),
            "too many authentication failures"
        );
        assert_eq!(short(&"é".repeat(100_000)).chars().count(), LONGEST + 1);
        let host = "db-1".parse().expect("a name");
        let theirs = vec!["x".repeat(1000); 30];
        let error = Peer::new(&host, "203.0.113.7", 22, None).broken(&russh::Error::NoCommonAlgo {
            kind: AlgorithmKind::Kex,
            ours: Vec::new(),
            theirs,
        });
        assert!(error.to_string().len() < 500, "{error}");
    }
}
