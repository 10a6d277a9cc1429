use std::fmt;

use zeroize::Zeroizing;

use super::HostKey;
use crate::error::{Code, Diagnose, Retry};

/// Makes one-time host keys. The only part of pinning that needs randomness.
pub trait KeyMint: fmt::Debug + Send + Sync {
    /// A key pair nobody has seen.
    ///
    /// # Errors
    /// When this machine has no randomness to give.
    fn mint(&self) -> Result<OneTimeKey, MintError>;
}

/// A one-time host key could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not make a one-time host key: {0}")]
pub struct MintError(pub String);

impl Diagnose for MintError {
    fn code(&self) -> Code {
        Code::HOST_IDENTITY_FAILED
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn hints(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A host key for the first boot of one host, kept only until its order is sent.
#[derive(Clone)]
pub struct OneTimeKey {
    /// Its public half.
    pub public: HostKey,
    private: Zeroizing<String>,
}

impl OneTimeKey {
    /// A pair from its public half and its private half in OpenSSH's format.
    #[must_use]
    pub fn new(public: HostKey, private: Zeroizing<String>) -> Self {
        Self { public, private }
    }

    /// What the host's first boot is told: that this is its host key, and the only one.
    ///
    /// cloud-init writes the keys it is given, removes those of the image and makes no others, before
    /// sshd is started.
    #[must_use]
    pub fn user_data(&self) -> UserData {
        let mut text = Zeroizing::new(String::from("#cloud-config\n"));
        text.push_str("ssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n");
        for line in self.private.lines() {
            text.push_str("    ");
            text.push_str(line);
            text.push('\n');
        }
        text.push_str("  ed25519_public: ");
        text.push_str(&self.public.to_openssh());
        text.push('\n');
        UserData(text)
    }
}

impl fmt::Debug for OneTimeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OneTimeKey({})", self.public)
    }
}

/// What a new machine is told for its first boot. Holds a private key, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct UserData(Zeroizing<String>);

impl UserData {
    /// What somebody else has written, for example an emulated cloud's customer.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for the request that orders the machine and for nothing else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UserData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserData({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Failure;

    /// The least any provider takes: AWS, before it is encoded.
    const SMALLEST_LIMIT: usize = 16 * 1024;

    #[test]
    fn user_data_makes_the_key_the_only_one_of_the_host() {
        let key = key("-----BEGIN KEY-----\nc2VjcmV0\n-----END KEY-----\n");
        let expected = format!(
            "#cloud-config\n\
             ssh_deletekeys: true\n\
             ssh_keys:\n  \
               ed25519_private: |\n    \
                 -----BEGIN KEY-----\n    \
                 c2VjcmV0\n    \
                 -----END KEY-----\n  \
               ed25519_public: {}\n",
            key.public.to_openssh()
        );
        assert_eq!(key.user_data().reveal(), expected);
    }

    #[test]
    fn a_real_key_stays_far_below_every_providers_limit() {
        // OpenSSH writes 399 bytes for an ed25519 key without a comment.
        let key = key(&format!("{}\n", "x".repeat(70)).repeat(6));
        assert!(key.user_data().reveal().len() < SMALLEST_LIMIT / 10);
    }

    #[test]
    fn neither_key_nor_user_data_can_be_shown() {
        let key = key("PRIVATE-PART\n");
        let shown = format!("{key:?} {:?}", key.user_data());
        assert!(!shown.contains("PRIVATE"), "{shown}");
        assert!(shown.starts_with("OneTimeKey(SHA256:"), "{shown}");
        assert!(shown.ends_with(" bytes)"), "{shown}");
    }

    #[test]
    fn a_machine_without_randomness_says_so_and_needs_no_second_try() {
        let error = MintError("the device is gone".to_owned());
        let told = "could not make a one-time host key: the device is gone";
        assert_eq!(Failure::from(&error), Failure::new(Code::HOST_IDENTITY_FAILED, told));
        assert_eq!(error.retry(), Retry::Never);
    }

    fn key(private: &str) -> OneTimeKey {
        OneTimeKey::new(HostKey::new([7; 32]), Zeroizing::new(private.to_owned()))
    }
}
