//! Sealing, and opening what was sealed: AES-256-GCM, bound to what the record is.
//!
//! A record, with numbers big-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 3 | `SCV` |
//! | 1 | version of the format, 1 |
//! | 8 | id of the key |
//! | 12 | nonce, fresh for every sealing |
//! | 1 + n | length of the issuer, and the issuer |
//! | 1 + n | length of the name, and the name |
//! | 4 | length of the rest |
//! | n | ciphertext, and its tag of 16 bytes |
//!
//! All before the ciphertext is authenticated with it. What is sealed is, for each field, the length of
//! its name in 1 byte, its name, the length of its secret in 4 bytes, and its secret.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Key as AesKey};
use stagecraft_core::Secret;
use stagecraft_core::credential::{Credential, Field, Issuer};
use stagecraft_core::name::CredentialName;
use zeroize::Zeroizing;

use crate::key::{ID_LENGTH, Key, KeyId, KeyRing};

const MAGIC: &[u8] = b"SCV";
/// The format that is written, and the oldest that is believed.
const VERSION: u8 = 1;
const OLDEST: u8 = 1;
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;

/// A number that is used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce([u8; NONCE_LENGTH]);

impl Nonce {
    /// A nonce of these bytes, which must never be used with the same key again.
    #[must_use]
    pub fn new(bytes: [u8; NONCE_LENGTH]) -> Self {
        Self(bytes)
    }

    /// A fresh one, from the system's source of randomness.
    ///
    /// # Errors
    /// When that gives nothing.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; NONCE_LENGTH];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

/// Why a record does not open. Says nothing of what is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is sealed with a key that is not there.
    #[error("it is sealed with the key `{0}`, which is not there")]
    WrongKey(KeyId),
    /// Its end is missing, or there is more than belongs to it.
    #[error("it has {have} bytes instead of {need}")]
    Cut {
        /// How long it is.
        have: usize,
        /// How long it says it is; at least, where its own length is cut off.
        need: usize,
    },
    /// It does not begin as records do.
    #[error("it does not begin as a sealed record does")]
    NoRecord,
    /// It says that it is of a format older than any that is believed.
    #[error("it says it is of format {0}, which is older than any in use")]
    Downgraded(u8),
    /// It is of a format that this version does not know.
    #[error("it is of format {0}, which this version does not know")]
    Newer(u8),
    /// It is the record of something else.
    #[error("it is the record of `{name}` of {issuer}")]
    Misplaced {
        /// Whose record it says it is.
        name: String,
        /// Of which issuer.
        issuer: String,
    },
    /// It was changed after it was sealed.
    #[error("it was changed after it was sealed")]
    Tampered,
}

/// Seals a credential under a name.
#[must_use]
pub fn seal(key: &Key, nonce: Nonce, name: &CredentialName, credential: &Credential) -> Vec<u8> {
    let plain = encode(credential);
    let issuer = credential.issuer().as_str();
    let mut record = Vec::new();
    record.extend(MAGIC);
    record.push(VERSION);
    record.extend(key.id().bytes());
    record.extend(nonce.0);
    for word in [issuer, name.as_str()] {
        record.push(u8::try_from(word.len()).expect("names have at most 63 bytes"));
        record.extend(word.as_bytes());
    }
    let length = u32::try_from(plain.len() + TAG_LENGTH).expect("secrets are of a few thousand");
    record.extend(length.to_be_bytes());
    let payload = Payload { msg: &plain, aad: &record };
    let sealed = cipher(key)
        .encrypt(&nonce.0.into(), payload)
        .expect("AES-GCM fails for texts of many gigabytes only");
    record.extend(sealed);
    record
}

/// Opens the record of a name.
///
/// # Errors
/// When it was not sealed for this name and issuer with a key of the ring, or is not as it was.
pub fn open(
    ring: &KeyRing,
    name: &CredentialName,
    issuer: Issuer,
    record: &[u8],
) -> Result<Credential, OpenError> {
    let mut reader = Reader { record, at: 0 };
    let magic = reader.take(MAGIC.len())?;
    if magic != MAGIC {
        return Err(OpenError::NoRecord);
    }
    match reader.byte()? {
        version if version < OLDEST => return Err(OpenError::Downgraded(version)),
        version if version > VERSION => return Err(OpenError::Newer(version)),
        _ => {}
    }
    let id = KeyId::new(reader.array::<ID_LENGTH>()?);
    let nonce = Nonce(reader.array()?);
    let (of_issuer, of_name) = (reader.word()?, reader.word()?);
    let length = u32::from_be_bytes(reader.array()?) as usize;
    let (header, sealed) = record.split_at(reader.at);
    if sealed.len() != length {
        let need = header.len().saturating_add(length);
        return Err(OpenError::Cut { have: record.len(), need });
    }
    if of_name != name.as_str().as_bytes() || of_issuer != issuer.as_str().as_bytes() {
        let text = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
        return Err(OpenError::Misplaced { name: text(of_name), issuer: text(of_issuer) });
    }
    let key = ring.key(id).ok_or(OpenError::WrongKey(id))?;
    let payload = Payload { msg: sealed, aad: header };
    let plain = cipher(key).decrypt(&nonce.0.into(), payload).map_err(|_| OpenError::Tampered)?;
    // What is authentic was made by `encode`; if it is not, it is not believed.
    decode(issuer, &Zeroizing::new(plain)).ok_or(OpenError::Tampered)
}

fn cipher(key: &Key) -> Aes256Gcm {
    let bytes: &AesKey<Aes256Gcm> = key.bytes().into();
    Aes256Gcm::new(bytes)
}

fn encode(credential: &Credential) -> Zeroizing<Vec<u8>> {
    let length = |field: Field, secret: &Secret| 5 + field.as_str().len() + secret.reveal().len();
    let whole = credential.fields().map(|(field, secret)| length(field, secret)).sum();
    // Room for all of it: bytes that grow leave copies of themselves behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(whole));
    for (field, secret) in credential.fields() {
        let (name, secret) = (field.as_str().as_bytes(), secret.reveal().as_bytes());
        plain.push(u8::try_from(name.len()).expect("fields have short names"));
        plain.extend(name);
        let length = u32::try_from(secret.len()).expect("secrets are of a few thousand bytes");
        plain.extend(length.to_be_bytes());
        plain.extend(secret);
    }
    plain
}

fn decode(issuer: Issuer, plain: &[u8]) -> Option<Credential> {
    let mut reader = Reader { record: plain, at: 0 };
    let mut fields = Vec::new();
    while reader.at < plain.len() {
        let name = std::str::from_utf8(reader.word().ok()?).ok()?;
        let length = u32::from_be_bytes(reader.array().ok()?) as usize;
        let secret = std::str::from_utf8(reader.take(length).ok()?).ok()?;
        fields.push((Field::named(name)?, Secret::new(secret)));
    }
    Credential::new(issuer, fields).ok()
}

/// Reads a record from its start.
#[derive(Clone, Copy)]
struct Reader<'a> {
    record: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], OpenError> {
        let end = self.at.saturating_add(length);
        let bytes = self.record.get(self.at..end);
        let bytes = bytes.ok_or(OpenError::Cut { have: self.record.len(), need: end })?;
        self.at = end;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], OpenError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8, OpenError> {
        self.array().map(|[byte]| byte)
    }

    fn word(&mut self) -> Result<&'a [u8], OpenError> {
        let length = self.byte()?;
        self.take(length.into())
    }
}

#[cfg(test)]
mod tests;
