//! Values of options.

use std::time::Duration;

/// In seconds.
const DAY: u64 = 24 * 60 * 60;

/// A fingerprint as OpenSSH shows it.
pub(super) fn fingerprint(text: &str) -> Result<String, String> {
    let digest = text.strip_prefix("SHA256:").unwrap_or(text).trim_end_matches('=');
    let base64 = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    if digest.len() == 43 && digest.chars().all(base64) {
        Ok(format!("SHA256:{digest}"))
    } else {
        Err("it must be `SHA256:` and 43 characters, as `ssh-keygen -l` shows it".to_owned())
    }
}

/// A duration such as `90s`, `15m` or `2h`, up to a day; a number alone is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 60 * 60), ("", 1)];
    let parsed = units.into_iter().find_map(|(unit, seconds)| {
        let number = text.strip_suffix(unit)?;
        let plain = number.bytes().all(|byte| byte.is_ascii_digit());
        plain.then_some(number)?.parse::<u64>().ok()?.checked_mul(seconds)
    });
    match parsed {
        Some(seconds @ 1..=DAY) => Ok(Duration::from_secs(seconds)),
        Some(_) => Err("it must be from `1s` to `24h`".to_owned()),
        None => Err(
            "it must be a number of seconds, or one with `s`, `m` or `h`, such as `90s` or `15m`"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_its_unit_or_one_of_seconds() {
        let right =
            [("90s", 90), ("15m", 900), ("2h", 7200), ("24h", 86_400), ("90", 90), ("1", 1)];
        for (text, seconds) in right {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "s",
            "0",
            "+90",
            "-1",
            "1.5",
            "86401",
            "18446744073709551616",
            "1.5m",
            "+5s",
            "-1s",
            "0s",
            "25h",
            "5 m",
            "5M",
            "5d",
            "é",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(duration("18446744073709551615h").is_err());
    }

    #[test]
    fn a_fingerprint_is_as_openssh_shows_it() {
        let digest = "iRnnouHMvkFkTx1HosSzdJc1NufSR+ePfbuzV2L5SkE";
        let whole = format!("SHA256:{digest}");
        for text in [&whole, digest, &format!("{whole}=")] {
            assert_eq!(fingerprint(text).as_ref(), Ok(&whole), "{text}");
        }
        for text in ["", "SHA256:", &digest[1..], "MD5:2a:4f", &whole.replace('+', "-")] {
            assert!(fingerprint(text).is_err(), "{text}");
        }
    }
}
