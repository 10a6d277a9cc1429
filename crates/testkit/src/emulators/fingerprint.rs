//! The fingerprint by which providers know public keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The MD5 fingerprint, with colons, of a public key in OpenSSH's one-line form; `None` when it is
/// no such key.
#[must_use]
pub fn md5(public_key: &str) -> Option<String> {
    let mut words = public_key.split_whitespace();
    let (kind, encoded) = (words.next()?, words.next()?);
    let blob = STANDARD.decode(encoded).ok()?;
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let named = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    if named != kind.as_bytes() {
        return None;
    }
    let pairs: Vec<String> = md5::compute(&blob).iter().map(|byte| format!("{byte:02x}")).collect();
    Some(pairs.join(":"))
}

#[cfg(test)]
mod tests {
    use super::md5;

    #[test]
    fn a_key_has_the_fingerprint_that_ssh_keygen_shows() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBLUI4SotagtjyKzlwhEOTKnRqbPUU0NTusem0Ie8HBw someone";
        assert_eq!(md5(key).as_deref(), Some("23:9e:89:f4:c5:9d:96:23:81:05:2e:d4:2a:4f:a2:cd"));
    }

    #[test]
    fn what_is_no_public_key_has_none() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBLUI4SotagtjyKzlwhEOTKnRqbPUU0NTusem0Ie8HBw someone";
        let wrong =
            ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-ed25519 !", &key.replace("ssh-", "sh-")];
        for text in wrong {
            assert_eq!(md5(text), None, "{text}");
        }
    }
}
