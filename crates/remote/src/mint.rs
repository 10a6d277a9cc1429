//! One-time host keys.

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey, key};
use stagecraft_core::identity::{KeyMint, MintError, OneTimeKey};

use crate::host_keys::gate::host_key;

/// Makes ed25519 keys with the randomness of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ed25519Mint;

impl KeyMint for Ed25519Mint {
    fn mint(&self) -> Result<OneTimeKey, MintError> {
        let failed = |error: russh::keys::ssh_key::Error| MintError(error.to_string());
        let key = PrivateKey::random(&mut key::safe_rng(), Algorithm::Ed25519).map_err(failed)?;
        let public = host_key(key.public_key());
        let public = public.ok_or_else(|| MintError("it is of another kind".to_owned()))?;
        Ok(OneTimeKey::new(public, key.to_openssh(LineEnding::LF).map_err(failed)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_keys_are_alike_and_both_halves_belong_together() {
        let [one, other] = [(); 2].map(|()| Ed25519Mint.mint().unwrap());
        assert_ne!(one.public, other.public);
        let data = one.user_data();
        let private: String = data
            .reveal()
            .lines()
            .skip_while(|line| !line.contains("BEGIN"))
            .map_while(|line| line.strip_prefix("    "))
            .flat_map(|line| [line, "\n"])
            .collect();
        let read = PrivateKey::from_openssh(private).unwrap();
        assert_eq!(host_key(read.public_key()), Some(one.public));
    }

    #[test]
    fn fingerprints_and_lines_are_those_of_the_library() {
        let key = PrivateKey::random(&mut key::safe_rng(), Algorithm::Ed25519).unwrap();
        let ours = host_key(key.public_key()).unwrap();
        assert_eq!(ours.to_openssh(), key.public_key().to_openssh().unwrap());
        assert_eq!(ours.fingerprint(), crate::host_keys::gate::fingerprint(key.public_key()));
    }
}
