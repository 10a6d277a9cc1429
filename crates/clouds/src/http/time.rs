use std::time::Duration;

use jiff::Timestamp;

/// How long after the beginning of 1970 a time is, as APIs write it, e.g. `2026-11-21T10:00:00Z`.
pub(crate) fn since_1970(text: &str) -> Option<Duration> {
    let at: Timestamp = text.parse().ok()?;
    Duration::try_from(at.duration_since(Timestamp::UNIX_EPOCH)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_offset_and_fraction() {
        let millis = |text| since_1970(text).map(|since| since.as_millis());
        assert_eq!(millis("2020-07-21T18:37:44Z"), Some(1_595_356_664_000));
        assert_eq!(millis("2020-07-21T20:37:44.250+02:00"), Some(1_595_356_664_250));
        assert_eq!(millis("1969-12-31T23:59:59Z"), None);
        assert_eq!(millis("yesterday"), None);
        assert_eq!(millis(""), None);
    }
}
