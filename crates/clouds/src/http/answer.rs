use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;

/// What an API answered, without the types of the HTTP client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// Headers by lower-case name; those that are not text are left out.
    pub(crate) headers: BTreeMap<String, String>,
    /// The body; of a refusal, without the token.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as what it should be.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// A header by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// When the provider answered, by its own clock: what its times can be compared with.
    pub(crate) fn date(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.header("date")?).ok()
    }

    /// How long to wait for as long as `Retry-After` says, in seconds or until a date.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = httpdate::parse_http_date(text).ok()?;
        Some(until.duration_since(self.date()?).unwrap_or_default())
    }

    /// How long it is from the answer to the moment a header names in seconds since 1970.
    pub(crate) fn until_epoch(&self, name: &str) -> Option<Duration> {
        let at: u64 = self.header(name)?.trim().parse().ok()?;
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at))?;
        Some(at.duration_since(self.date()?).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = ("date", "Sat, 21 Nov 2026 10:00:00 GMT");
        let after = |text| answer([date, ("retry-after", text)]).retry_after();
        assert_eq!(after("7"), Some(Duration::from_secs(7)));
        assert_eq!(after("Sat, 21 Nov 2026 10:01:05 GMT"), Some(Duration::from_secs(65)));
        assert_eq!(after("Sat, 21 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(after("soon"), None);
    }

    #[test]
    fn times_since_1970_are_compared_with_the_providers_clock() {
        let date = ("date", "Thu, 01 Jan 1970 00:01:40 GMT");
        let until = |text| answer([date, ("ratelimit-reset", text)]).until_epoch("ratelimit-reset");
        assert_eq!(until("130"), Some(Duration::from_secs(30)));
        assert_eq!(until("50"), Some(Duration::ZERO));
        assert_eq!(until("never"), None);
        assert_eq!(answer([("ratelimit-reset", "130")]).until_epoch("ratelimit-reset"), None);
    }

    fn answer<const N: usize>(headers: [(&str, &str); N]) -> Answer {
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Answer { headers, ..Answer::default() }
    }
}
