//! The key pairs, the same in every region.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::emulators::aws::ids::derived;
use crate::emulators::fingerprint;

/// The key pairs, by name.
#[derive(Debug, Default)]
pub(crate) struct Keys(Vec<Key>);

/// One key pair, of which the public half is known.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) public_key: String,
    created: String,
}

impl Keys {
    /// Adds a key pair, in place of one of the same name.
    ///
    /// # Errors
    /// It is no public key, or of a kind that is not taken.
    pub(crate) fn put(
        &mut self,
        name: &str,
        public_key: &str,
        created: &str,
    ) -> Result<(), String> {
        if fingerprint::md5(public_key).is_none() {
            return Err("Key is not in valid OpenSSH public key format".to_owned());
        }
        let key = Key {
            name: name.to_owned(),
            public_key: public_key.to_owned(),
            created: created.to_owned(),
        };
        if !["rsa", "ed25519"].contains(&key.kind()) {
            return Err("only RSA and ED25519 keys can be imported".to_owned());
        }
        self.0.retain(|known| known.name != name);
        self.0.push(key);
        Ok(())
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Key] {
        &self.0
    }

    /// The key pair of this name.
    pub(crate) fn find(&self, name: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.name == name)
    }
}

impl Key {
    /// Its id.
    pub(crate) fn id(&self) -> String {
        derived("key", &[&self.name])
    }

    /// The API's word for its algorithm.
    pub(crate) fn kind(&self) -> &str {
        let word = self.public_key.split_whitespace().next().unwrap_or_default();
        word.strip_prefix("ssh-").unwrap_or(word)
    }

    /// The fingerprint by which the API knows it, which depends on its algorithm.
    pub(crate) fn fingerprint(&self) -> String {
        let encoded = self.public_key.split_whitespace().nth(1).unwrap_or_default();
        let blob = STANDARD.decode(encoded).unwrap_or_default();
        if self.kind() == "ed25519" {
            return STANDARD.encode(Sha256::digest(blob));
        }
        let der = rsa_der(&blob).unwrap_or_default();
        let pairs: Vec<String> =
            md5::compute(der).iter().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(":")
    }

    /// As the API shows it.
    pub(crate) fn shown(&self, with_key: bool) -> Value {
        json!({
            "keyPairId": self.id(),
            "keyType": self.kind(),
            "tagSet": [],
            "publicKey": with_key.then_some(&self.public_key),
            "createTime": self.created,
            "keyName": self.name,
            "keyFingerprint": self.fingerprint(),
        })
    }
}

/// An RSA key as it is in OpenSSH, written as `SubjectPublicKeyInfo`.
fn rsa_der(blob: &[u8]) -> Option<Vec<u8>> {
    const RSA_ENCRYPTION: [u8; 15] =
        [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let (_, rest) = field(blob)?;
    let (exponent, rest) = field(rest)?;
    let (modulus, _) = field(rest)?;
    let numbers = [tagged(0x02, modulus), tagged(0x02, exponent)].concat();
    let bits = [&[0], &tagged(0x30, &numbers)[..]].concat();
    Some(tagged(0x30, &[&RSA_ENCRYPTION[..], &tagged(0x03, &bits)].concat()))
}

/// A field with its length before it, and what comes after.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// A value as DER has it.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant: Vec<u8> = length.iter().copied().skip_while(|byte| *byte == 0).collect();
    let mut out = vec![tag];
    match (content.len(), u8::try_from(significant.len())) {
        (0..128, _) => out.push(significant.first().copied().unwrap_or_default()),
        (_, count) => {
            out.push(0x80 | count.unwrap_or_default());
            out.extend(significant);
        }
    }
    out.extend(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `ssh-keygen -t rsa -b 2048`; its fingerprint by `openssl pkey -pubin -outform DER | md5sum`.
    const RSA: (&str, &str) = (include_str!("keys/example.pub"), include_str!("keys/example.md5"));

    #[test]
    fn a_key_has_the_fingerprint_of_its_algorithm() {
        let mut keys = Keys::default();
        keys.put("r", RSA.0.trim(), "").unwrap();
        let key = keys.find("r").unwrap();
        assert_eq!((key.kind(), key.fingerprint()), ("rsa", RSA.1.trim().to_owned()));
        assert!(keys.put("e", "ecdsa-sha2-nistp256 AAAA", "").is_err());
        assert!(keys.put("e", "no key", "").is_err());
    }
}
