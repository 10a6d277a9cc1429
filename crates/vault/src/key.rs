//! Keys, and the ring of those that may be in use.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

/// Bytes of a key of AES-256.
const LENGTH: usize = 32;
/// Bytes of its id.
pub(crate) const ID_LENGTH: usize = 8;

/// What records are sealed with. Never shows itself, and is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<[u8; LENGTH]>);

impl Key {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: &[u8; LENGTH]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// A new key, from the system's source of randomness.
    ///
    /// # Errors
    /// When that gives nothing.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        getrandom::fill(&mut *bytes)?;
        Ok(Self(bytes))
    }

    /// What tells it from other keys, and tells nothing of it.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let digest = Sha256::new().chain_update("stagecraft key id\0").chain_update(*self.0);
        let digest: [u8; 32] = digest.finalize().into();
        let mut id = [0; ID_LENGTH];
        id.copy_from_slice(&digest[..ID_LENGTH]);
        KeyId(id)
    }

    pub(crate) fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, ***)", self.id())
    }
}

/// The name of a key, made from the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId([u8; ID_LENGTH]);

impl KeyId {
    pub(crate) fn new(bytes: [u8; ID_LENGTH]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; ID_LENGTH] {
        &self.0
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&HEXLOWER.encode(&self.0))
    }
}

/// A text that holds no keys. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// There is no key in it.
    #[error("there is no key in it")]
    Empty,
    /// A word of it is not Base64.
    #[error("its {0}. key is not Base64")]
    NotBase64(usize),
    /// A word of it is not as long as a key.
    #[error("its {number}. key has {length} bytes instead of 32")]
    Length {
        /// Which one, counted from 1.
        number: usize,
        /// How long it is.
        length: usize,
    },
}

/// Keys that may be in use, the newest first. While keys are being changed there are two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing(Vec<Key>);

impl KeyRing {
    /// A ring of one key.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self(vec![key])
    }

    /// Reads keys in Base64, separated by white space or commas. A line that starts with `#` is not
    /// read.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let words = lines.flat_map(|line| line.split([',', ' ', '\t', '\r']));
        let mut keys = Vec::new();
        for (number, word) in (1..).zip(words.filter(|word| !word.is_empty())) {
            let decoded = BASE64.decode(word.as_bytes());
            let bytes = Zeroizing::new(decoded.map_err(|_| InvalidKey::NotBase64(number))?);
            let key: &[u8; LENGTH] = bytes
                .as_slice()
                .try_into()
                .map_err(|_| InvalidKey::Length { number, length: bytes.len() })?;
            keys.push(Key::new(key));
        }
        if keys.is_empty() { Err(InvalidKey::Empty) } else { Ok(Self(keys)) }
    }

    /// The same keys as a text that can be read again.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let length = BASE64.encode_len(LENGTH) + 1;
        // Room for all of it: a text that grows leaves copies of itself behind.
        let mut text = Zeroizing::new(String::with_capacity(self.0.len() * length));
        for key in &self.0 {
            let mut word = BASE64.encode(key.bytes());
            text.push_str(&word);
            word.zeroize();
            text.push('\n');
        }
        text
    }

    /// The newest key.
    ///
    /// # Panics
    /// Never: a ring has at least one key.
    #[must_use]
    pub fn newest(&self) -> &Key {
        &self.0[0]
    }

    /// The key of this id.
    #[must_use]
    pub fn key(&self, id: KeyId) -> Option<&Key> {
        self.0.iter().find(|key| key.id() == id)
    }

    /// The ids of all keys, the newest first.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = KeyId> {
        self.0.iter().map(Key::id)
    }

    /// The same with a newer key.
    #[must_use]
    pub fn with_newest(&self, key: Key) -> Self {
        Self(std::iter::once(key).chain(self.0.iter().cloned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_read_as_it_was_written() {
        let (old, new) = (Key::new(&[1; 32]), Key::new(&[2; 32]));
        let ring = KeyRing::new(old.clone()).with_newest(new.clone());
        let text = ring.to_text();
        assert_eq!(text.capacity(), text.len(), "it never grew");
        assert_eq!(KeyRing::parse(&text), Ok(ring.clone()));
        assert_eq!(KeyRing::parse(&format!("# mine\n {}", text.replace('\n', ", "))), Ok(ring));
        assert_ne!(old.id(), new.id());
        assert_eq!(KeyId::parse(&old.id().to_string()), Some(old.id()));
    }

    #[test]
    fn what_is_no_key_is_told_without_being_shown() {
        let good = BASE64.encode(&[7; 32]);
        for (text, why) in [
            ("", "there is no key in it"),
            ("# only this\n", "there is no key in it"),
            ("PLANTED!", "its 1. key is not Base64"),
            (&good[..43], "its 1. key is not Base64"),
            (&good[..40], "its 1. key has 30 bytes instead of 32"),
            (&format!("{good} UExBTlRFRA=="), "its 2. key has 7 bytes instead of 32"),
        ] {
            assert_eq!(KeyRing::parse(text).unwrap_err().to_string(), why);
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let ring = KeyRing::new(Key::new(&[7; 32]));
        let shown = format!("{ring:?}");
        assert!(shown.contains("***") && !shown.contains("7, 7") && !shown.contains("BwcH"));
    }
}
