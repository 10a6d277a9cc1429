use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE32_NOPAD_NOCASE, BASE64, BASE64_NOPAD};
use sha2::{Digest as _, Sha256};

/// The algorithm's name in SSH.
const ALGORITHM: &str = "ssh-ed25519";

/// The public half of an ed25519 host key.
///
/// It is 32 bytes, as many as its fingerprint, so labels hold the key itself: 52 characters of
/// `a-z` and `2-7`, which every provider's labels can hold, also those that are compared without
/// case. From it follow the fingerprint and the line OpenSSH wants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostKey([u8; 32]);

/// A text that is no ed25519 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not an ed25519 public key")]
pub struct NotAHostKey;

impl HostKey {
    /// The key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key as a label's value.
    #[must_use]
    pub fn to_label(&self) -> String {
        BASE32_NOPAD_NOCASE.encode(&self.0).to_ascii_lowercase()
    }

    /// Reads a label's value.
    ///
    /// # Errors
    /// When it is not one that [`Self::to_label`] writes, in either case.
    pub fn from_label(text: &str) -> Result<Self, NotAHostKey> {
        let bytes = BASE32_NOPAD_NOCASE.decode(text.as_bytes()).map_err(|_| NotAHostKey)?;
        bytes.try_into().map(Self).map_err(|_| NotAHostKey)
    }

    /// The key as OpenSSH writes it, without a comment: `ssh-ed25519 AAAA...`.
    #[must_use]
    pub fn to_openssh(&self) -> String {
        format!("{ALGORITHM} {}", BASE64.encode(&self.blob()))
    }

    /// The key as OpenSSH shows it to people: `SHA256:...`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", BASE64_NOPAD.encode(&Sha256::digest(self.blob())))
    }

    /// The key as SSH transports it (RFC 8709): algorithm and key, each after its length.
    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(51);
        for part in [ALGORITHM.as_bytes(), &self.0] {
            blob.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            blob.extend(part);
        }
        blob
    }
}

/// Reads a line as OpenSSH writes it, with or without a comment.
impl FromStr for HostKey {
    type Err = NotAHostKey;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let mut words = line.split_ascii_whitespace();
        let (Some(ALGORITHM), Some(blob)) = (words.next(), words.next()) else {
            return Err(NotAHostKey);
        };
        let blob = BASE64.decode(blob.as_bytes()).map_err(|_| NotAHostKey)?;
        let bytes = blob.last_chunk().copied().ok_or(NotAHostKey)?;
        let key = Self(bytes);
        if key.blob() == blob { Ok(key) } else { Err(NotAHostKey) }
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.fingerprint())
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostKey({})", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `ssh-keygen -t ed25519`, with the fingerprint it printed.
    const LINE: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGL/vafcwTUyeu4y4WCPnBJ1UhfjTtRHK4MESPzYqHOw";
    const FINGERPRINT: &str = "SHA256:iRnnouHMvkFkTx1HosSzdJc1NufSR+ePfbuzV2L5SkE";

    #[test]
    fn a_key_is_read_and_written_as_openssh_does() {
        let key: HostKey = LINE.parse().unwrap();
        assert_eq!(key.to_openssh(), LINE);
        assert_eq!(key.fingerprint(), FINGERPRINT);
        assert_eq!(format!("{LINE} root@app-1\n").parse(), Ok(key));
        assert_eq!(format!("{key} {key:?}"), format!("{FINGERPRINT} HostKey({FINGERPRINT})"));
    }

    #[test]
    fn a_label_holds_the_whole_key_in_an_alphabet_every_provider_has() {
        let key: HostKey = LINE.parse().unwrap();
        let label = key.to_label();
        assert_eq!(label.len(), 52, "Hetzner's labels hold 63");
        assert!(label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')), "{label}");
        assert_eq!(HostKey::from_label(&label), Ok(key));
        assert_eq!(HostKey::from_label(&label.to_uppercase()), Ok(key), "case may be lost");
    }

    #[test]
    fn anything_else_is_no_key() {
        let rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==";
        for line in ["", "ssh-ed25519", rsa, "ssh-ed25519 AAAA", "ssh-ed25519 !", &LINE[..70]] {
            assert_eq!(line.parse::<HostKey>(), Err(NotAHostKey), "{line}");
        }
        let label = LINE.parse::<HostKey>().unwrap().to_label();
        for text in ["", "a", &label[1..], &format!("{label}aa"), &label.replace(&label[..1], "1")]
        {
            assert_eq!(HostKey::from_label(text), Err(NotAHostKey), "{text}");
        }
    }

    #[test]
    fn every_key_survives_its_label() {
        for byte in [0, 1, 127, 128, 255] {
            let key = HostKey::new([byte; 32]);
            assert_eq!(HostKey::from_label(&key.to_label()), Ok(key));
            assert_eq!(key.to_openssh().parse(), Ok(key));
        }
    }
}
