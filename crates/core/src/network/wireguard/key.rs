use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;

/// A public key, as WireGuard writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PublicKey(String);

/// A text that is not a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotAKey;

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        match BASE64.decode(text.as_bytes()) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => Err(NotAKey),
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_32_bytes_are_a_key() {
        let good = BASE64.encode(&[7; 32]);
        assert_eq!(good.parse::<PublicKey>().map(|key| key.to_string()), Ok(good));
        for bad in ["", "x", "(none)", &BASE64.encode(&[7; 31]), "AAAA\nPostUp = reboot"] {
            assert_eq!(bad.parse::<PublicKey>(), Err(NotAKey), "{bad}");
        }
    }
}
