use std::fmt;
use std::str::FromStr;

/// A version of the client, e.g. `1.78.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version([u32; 3]);

/// A text that is no version was used where one is needed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version such as `1.78.0`")]
pub struct InvalidVersion(pub String);

impl FromStr for Version {
    type Err = InvalidVersion;

    /// Takes two or three numbers; what follows them behind a `-`, as in the daemon's own
    /// `1.82.0-tabcdef`, does not count.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidVersion(text.to_owned());
        let numbers = text.split_once('-').map_or(text, |(numbers, _)| numbers);
        let mut version = [0; 3];
        let mut count = 0;
        for part in numbers.split('.') {
            let plain = part.bytes().all(|byte| byte.is_ascii_digit());
            let slot = version.get_mut(count).filter(|_| plain).ok_or_else(invalid)?;
            *slot = part.parse().map_err(|_| invalid())?;
            count += 1;
        }
        if count >= 2 { Ok(Self(version)) } else { Err(invalid()) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let of = |text: &str| text.parse::<Version>().unwrap();
        assert!(of("1.100.0") > of("1.78.3"));
        assert!(of("1.78") < of("1.78.1"));
        assert_eq!(of("1.82.0-t0123456-g789abcdef"), of("1.82.0"));
        assert_eq!(of("1.82").to_string(), "1.82.0");
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "1", "1.", "v1.2", "1.2.3.4", "1.+2", "1.99999999999"] {
            assert_eq!(text.parse::<Version>(), Err(InvalidVersion(text.to_owned())));
        }
    }
}
