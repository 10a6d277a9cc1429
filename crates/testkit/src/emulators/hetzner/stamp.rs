//! Times as the API writes them.

use jiff::Timestamp;

/// A time in milliseconds since 1970, to the second.
pub(super) fn stamp(millis: u64) -> String {
    let seconds = i64::try_from(millis / 1000).unwrap_or(i64::MAX);
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_its_offset() {
        assert_eq!(stamp(951_782_399_999), "2000-02-28T23:59:59+00:00");
        assert_eq!(stamp(1_700_000_000_000), "2023-11-14T22:13:20+00:00");
    }
}
