//! What goes wrong between a client and the API, as data.
//!
//! ```json
//! { "rules": [ { "method": "POST", "path": "/droplets", "when": { "nth": 2 }, "then": "lost_answer" } ] }
//! ```

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Something that goes wrong, and with which requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The method; every one when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path without the version prefix, `*` for any one segment, `**` at the end for any rest;
    /// every path when it is left out.
    #[serde(default = "any_path")]
    pub path: String,
    /// Which of the requests that match.
    #[serde(default)]
    pub when: When,
    /// What happens to them.
    pub then: Effect,
}

/// Which of the requests that match a rule, counted from 1 by that rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Every one.
    #[default]
    All,
    /// The one of this number.
    Nth(u64),
    /// This many from the beginning.
    First(u64),
    /// The last of each this many.
    Every(u64),
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// It is carried out, and the connection is cut instead of an answer.
    LostAnswer,
    /// The connection is cut before anything happens.
    Cut,
    /// It is answered by this status in the provider's own words.
    Status {
        /// The status.
        code: u16,
        /// Whether it is carried out all the same.
        #[serde(default)]
        with_effect: bool,
    },
    /// It is told to be one too many, and not carried out.
    RateLimited {
        /// How long to wait; not said when it is left out.
        #[serde(default)]
        after_seconds: Option<u64>,
    },
    /// It takes long, in the world's time.
    Slow {
        /// Before it is carried out.
        #[serde(default)]
        before_ms: u64,
        /// Before it is answered.
        #[serde(default)]
        after_ms: u64,
    },
    /// It is carried out, and the connection is cut in the middle of the answer's body.
    Truncated,
    /// It is carried out, and answered by 200 and something that is no JSON.
    NotJson,
    /// A proxy answers by this status and a page of HTML.
    Html {
        /// The status.
        code: u16,
        /// Whether it is carried out all the same.
        #[serde(default)]
        with_effect: bool,
    },
    /// It is carried out, and answered by 200 and a body that does not end for so many bytes.
    Huge {
        /// How many bytes.
        #[serde(default = "quarter_gibibyte")]
        bytes: u64,
    },
    /// It is not carried out, and answered by 307.
    Redirect {
        /// Where to.
        to: String,
    },
}

impl Rule {
    /// A rule for every request that is made this way to such a path; see [`Rule::path`].
    #[must_use]
    pub fn new(method: &str, path: &str, then: Effect) -> Self {
        Self { method: Some(method.to_owned()), path: path.to_owned(), when: When::All, then }
    }

    /// The same rule for some of those requests.
    #[must_use]
    pub fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        let asked = self.method.as_deref();
        asked.is_none_or(|asked| asked.eq_ignore_ascii_case(method)) && path_fits(&self.path, path)
    }
}

impl When {
    fn picks(self, number: u64) -> bool {
        match self {
            Self::All => true,
            Self::Nth(nth) => number == nth,
            Self::First(first) => number <= first,
            Self::Every(every) => every > 0 && number.is_multiple_of(every),
        }
    }
}

impl Effect {
    /// How long the request waits before it is carried out and before it is answered.
    pub(super) fn delays(&self) -> (Duration, Duration) {
        match self {
            Self::Slow { before_ms, after_ms } => {
                (Duration::from_millis(*before_ms), Duration::from_millis(*after_ms))
            }
            Self::LostAnswer
            | Self::Cut
            | Self::Status { .. }
            | Self::RateLimited { .. }
            | Self::Truncated
            | Self::NotJson
            | Self::Html { .. }
            | Self::Huge { .. }
            | Self::Redirect { .. } => (Duration::ZERO, Duration::ZERO),
        }
    }

    /// Whether the request is carried out.
    pub(super) fn carries_out(&self) -> bool {
        match self {
            Self::Status { with_effect, .. } | Self::Html { with_effect, .. } => *with_effect,
            Self::Cut | Self::RateLimited { .. } | Self::Redirect { .. } => false,
            Self::LostAnswer
            | Self::Slow { .. }
            | Self::Truncated
            | Self::NotJson
            | Self::Huge { .. } => true,
        }
    }
}

/// As in the file.
impl fmt::Display for Effect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match serde_json::to_string(self) {
            Ok(text) => out.write_str(&text),
            Err(_) => Err(fmt::Error),
        }
    }
}

/// Rules and how often each has matched.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Vec<(Rule, u64)>>);

impl Faults {
    pub(super) fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self(Mutex::new(rules.into_iter().map(|rule| (rule, 0)).collect()))
    }

    pub(super) fn add(&self, rule: Rule) {
        self.with(|rules| rules.push((rule, 0)));
    }

    pub(super) fn clear(&self) {
        self.with(Vec::clear);
    }

    /// Counts a request with every rule it matches; the first of them that picks it decides.
    pub(super) fn of(&self, method: &str, path: &str) -> Option<Effect> {
        self.with(|rules| {
            let mut picked = None;
            for (rule, count) in rules.iter_mut().filter(|(rule, _)| rule.fits(method, path)) {
                *count += 1;
                if picked.is_none() && rule.when.picks(*count) {
                    picked = Some(rule.then.clone());
                }
            }
            picked
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<(Rule, u64)>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a path matches a pattern as in [`Rule::path`].
pub(super) fn path_fits(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let mut wanted = pattern.split('/');
    loop {
        match (wanted.next(), segments.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(wanted), Some(segment)) if wanted == segment => {}
            (Some(_), _) | (None, Some(_)) => return false,
        }
    }
}

fn any_path() -> String {
    "/**".to_owned()
}

fn quarter_gibibyte() -> u64 {
    256 << 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_segments() {
        for (pattern, path, fits) in [
            ("/droplets", "/droplets", true),
            ("/droplets", "/droplets/1", false),
            ("/droplets/*", "/droplets/1", true),
            ("/droplets/*", "/droplets", false),
            ("/droplets/*/actions", "/droplets/1/actions", true),
            ("/droplets/**", "/droplets/1/actions", true),
            ("/**", "/account", true),
        ] {
            assert_eq!(path_fits(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn a_rule_counts_what_it_matches_and_picks_by_number() {
        let picked = |when: When| {
            let faults = Faults::new([Rule::new("GET", "/x", Effect::Cut).when(when)]);
            (1..=6).filter(|_| faults.of("GET", "/x").is_some()).count()
        };
        let whens = [When::All, When::Nth(2), When::First(4), When::Every(3)];
        assert_eq!(whens.map(picked), [6, 1, 4, 2]);
    }

    #[test]
    fn the_first_rule_that_picks_a_request_decides_and_the_others_count_on() {
        let faults = Faults::new([
            Rule::new("POST", "/x", Effect::Cut).when(When::Nth(1)),
            Rule::new("POST", "/x", Effect::LostAnswer).when(When::Nth(2)),
        ]);
        assert_eq!(faults.of("GET", "/x"), None);
        let seen = [(); 3].map(|()| faults.of("POST", "/x"));
        assert_eq!(seen, [Some(Effect::Cut), Some(Effect::LostAnswer), None]);
    }
}
