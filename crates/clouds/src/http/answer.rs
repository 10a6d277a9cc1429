use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use quick_xml::DeError;
use serde::de::DeserializeOwned;
use serde_json::Value;

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

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Xml,
}

impl Format {
    /// Its name in the header of a request.
    pub(super) fn accept(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "text/xml",
        }
    }
}

impl Answer {
    /// The body as what it should be.
    ///
    /// # Errors
    /// What is wrong with it, without showing it: it may hold a secret.
    pub(super) fn read<T: DeserializeOwned>(&self, format: Format) -> Result<T, String> {
        match format {
            Format::Json => self.json().map_err(|error| json_trouble(&error)),
            Format::Xml => self.xml().map_err(|error| xml_trouble(&error)),
        }
    }

    /// The body as what it should be, from XML.
    pub(crate) fn xml<T: DeserializeOwned>(&self) -> Result<T, DeError> {
        quick_xml::de::from_reader(self.body.as_slice())
    }

    /// The body as what it should be, from JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// The body with every text in it as `hide` says; `None` where it says that none has to change.
    pub(super) fn hidden(
        &self,
        format: Format,
        hide: impl Fn(&str) -> Option<String>,
    ) -> Option<Vec<u8>> {
        // What is not UTF-8 is not understood.
        let text = std::str::from_utf8(&self.body).ok()?;
        let plain = hide(text);
        // JSON can write the same word in many ways, but only with these.
        if format == Format::Json && (text.contains("\\u00") || text.contains("\\/")) {
            let mut value: Value = serde_json::from_str(plain.as_deref().unwrap_or(text)).ok()?;
            if hide_in(&mut value, &hide) > 0 {
                return serde_json::to_vec(&value).ok();
            }
        }
        plain.map(String::into_bytes)
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

/// How many texts of a value had to change.
fn hide_in(value: &mut Value, hide: &impl Fn(&str) -> Option<String>) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => match hide(text) {
            Some(hidden) => {
                *text = hidden;
                1
            }
            None => 0,
        },
        Value::Array(values) => values.iter_mut().map(|value| hide_in(value, hide)).sum(),
        Value::Object(fields) => {
            let before = fields.len();
            fields.retain(|name, _| hide(name).is_none());
            let gone = before - fields.len();
            gone + fields.values_mut().map(|value| hide_in(value, hide)).sum::<usize>()
        }
    }
}

fn json_trouble(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Eof => "the answer was cut off".to_owned(),
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
            format!("it is not JSON (line {}, column {})", error.line(), error.column())
        }
        serde_json::error::Category::Data => harmless(&error.to_string()),
    }
}

/// Names fields and types; a value that is quoted is cut off.
fn harmless(text: &str) -> String {
    match text.rsplit_once("expected ") {
        Some((before, expected)) if before.starts_with("invalid ") => {
            format!("something else than {expected}")
        }
        _ => text.to_owned(),
    }
}

fn xml_trouble(error: &DeError) -> String {
    match error {
        DeError::Custom(text) => harmless(text),
        DeError::UnexpectedEof => "the answer was cut off".to_owned(),
        DeError::InvalidXml(_)
        | DeError::KeyNotRead
        | DeError::MixedContent(_)
        | DeError::TooDeeplyNested(_) => "it is not XML as described".to_owned(),
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

    #[test]
    fn a_word_is_hidden_however_json_writes_it() {
        let hide = |text: &str| text.contains("secret").then(|| text.replace("secret", "…"));
        let hidden = |body: &str| {
            let answer = Answer { body: body.as_bytes().to_vec(), ..Answer::default() };
            let hidden = answer.hidden(Format::Json, hide)?;
            Some(String::from_utf8(hidden).unwrap())
        };
        assert_eq!(hidden(r#"{"a": [1, "x\u0073"]}"#), None);
        assert_eq!(hidden(r#"{"a": "the secret"}"#).unwrap(), r#"{"a": "the …"}"#);
        let odd = r#"{"a": ["\u0073ecret", {"b": "secre\u0074"}, 18446744073709551615], "\u0073ecret": 1}"#;
        let clean = r#"{"a":["…",{"b":"…"},18446744073709551615]}"#;
        assert_eq!(hidden(odd).unwrap(), clean);
        assert_eq!(hidden(r#"{"a": "secret \u0073"#), None, "it is not JSON, so it is not read");
    }

    fn answer<const N: usize>(headers: [(&str, &str); N]) -> Answer {
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Answer { headers, ..Answer::default() }
    }
}
