//! Labels and the language that picks by them.

use std::collections::BTreeSet;

use crate::world::Labels;

/// The longest name of a key, and the longest value.
const LONGEST: usize = 63;
/// The longest prefix of a key.
const LONGEST_PREFIX: usize = 253;
/// The prefix nobody else may use.
const RESERVED: &str = "hetzner.cloud";

/// A `label_selector`, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    Has(String),
    Lacks(String),
    In(String, BTreeSet<String>),
    NotIn(String, BTreeSet<String>),
}

impl Selector {
    /// Reads a selector; an empty one picks everything.
    ///
    /// # Errors
    /// The part that was not understood.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let mut requirements = Vec::new();
        for part in parts(text) {
            let part = part.trim();
            let requirement = Requirement::parse(part).filter(Requirement::is_valid);
            requirements.push(requirement.ok_or_else(|| part.to_owned())?);
        }
        Ok(Self(requirements))
    }

    /// Whether all of it holds for `labels`.
    pub(super) fn picks(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| requirement.holds(labels))
    }
}

impl Requirement {
    fn parse(part: &str) -> Option<Self> {
        let one = |value: &str| [value.trim().to_owned()].into();
        if let Some((key, value)) = part.split_once("!=") {
            return Some(Self::NotIn(key.trim().to_owned(), one(value)));
        }
        if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            return Some(Self::In(key.trim().to_owned(), one(value)));
        }
        if let Some(key) = part.strip_prefix('!') {
            return Some(Self::Lacks(key.trim().to_owned()));
        }
        let Some((before, values)) = part.strip_suffix(')').and_then(|rest| rest.split_once('('))
        else {
            return Some(Self::Has(part.to_owned()));
        };
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        match before.split_whitespace().collect::<Vec<_>>()[..] {
            [key, "in"] => Some(Self::In(key.to_owned(), values)),
            [key, "notin"] => Some(Self::NotIn(key.to_owned(), values)),
            _ => None,
        }
    }

    fn is_valid(&self) -> bool {
        match self {
            Self::Has(key) | Self::Lacks(key) => is_key(key),
            Self::In(key, values) | Self::NotIn(key, values) => {
                is_key(key) && values.iter().all(|value| is_value(value))
            }
        }
    }

    fn holds(&self, labels: &Labels) -> bool {
        match self {
            Self::Has(key) => labels.contains_key(key),
            Self::Lacks(key) => !labels.contains_key(key),
            Self::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Self::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
        }
    }
}

/// Why these labels cannot be written, if they cannot.
pub(super) fn fault_of(labels: &Labels) -> Option<String> {
    labels.iter().find_map(|(key, value)| {
        if !is_key(key) {
            return Some(format!("label key '{key}' is not valid"));
        }
        if key.split_once('/').is_some_and(|(prefix, _)| prefix == RESERVED) {
            return Some(format!("label key prefix '{RESERVED}/' is reserved"));
        }
        (!is_value(value)).then(|| format!("label value '{value}' of '{key}' is not valid"))
    })
}

/// Splits at commas outside parentheses.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut inside) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        match character {
            '(' => inside = true,
            ')' => inside = false,
            ',' if !inside => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

fn is_key(key: &str) -> bool {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let is_prefix = |prefix: &str| {
        prefix.len() <= LONGEST_PREFIX
            && prefix
                .split('.')
                .all(|label| is_framed(label, |byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    };
    prefix.is_none_or(is_prefix) && !name.is_empty() && is_value(name)
}

fn is_value(value: &str) -> bool {
    value.is_empty()
        || (value.len() <= LONGEST
            && is_framed(value, |byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)))
}

/// Whether it is made of `allowed` and begins and ends with a letter or digit.
fn is_framed(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    let ends = [text.bytes().next(), text.bytes().last()];
    ends.into_iter().all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
        && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_grammar_picks_what_it_says() {
        let cases: [(&str, &[&str]); 13] = [
            ("", &["web", "db", "bare"]),
            ("role=web", &["web"]),
            ("role==web", &["web"]),
            ("role!=web", &["db", "bare"]),
            ("role", &["web", "db"]),
            ("!role", &["bare"]),
            ("role in (web,db)", &["web", "db"]),
            ("role in ( web , other )", &["web"]),
            ("role notin (web)", &["db", "bare"]),
            ("role,env=prod", &["db"]),
            ("role in (web,db),env!=prod", &["web"]),
            ("x.example/empty=", &["bare"]),
            (" role = db , env = prod ", &["db"]),
        ];
        for (text, expected) in cases {
            let selector = Selector::parse(text).unwrap();
            let picked: Vec<_> = servers()
                .into_iter()
                .filter(|(_, labels)| selector.picks(labels))
                .map(|(name, _)| name)
                .collect();
            assert_eq!(picked, expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_selector_is_named() {
        for (text, part) in [
            ("role=we b", "role=we b"),
            ("a=b,", ""),
            ("role within (web)", "role within (web)"),
            ("a=b,c:d=e", "c:d=e"),
            ("role=a=b", "role=a=b"),
        ] {
            assert_eq!(Selector::parse(text), Err(part.to_owned()), "{text}");
        }
    }

    #[test]
    fn labels_follow_the_rules_of_keys_and_values() {
        let long = "x".repeat(64);
        let fine =
            labels(&[("role", "web"), ("example.com/my", ""), ("a.b_c-d", "A"), (&long[1..], "1")]);
        assert_eq!(fault_of(&fine), None);
        for (key, value) in [
            ("role:x", "web"),
            ("", "web"),
            ("-role", "web"),
            (&long, "web"),
            ("a/b/c", "web"),
            ("hetzner.cloud/role", "web"),
            ("role", "web one"),
            ("role", "web:one"),
            ("role", &long),
            ("role", "web."),
        ] {
            assert!(fault_of(&labels(&[(key, value)])).is_some(), "{key}={value}");
        }
    }

    fn servers() -> Vec<(&'static str, Labels)> {
        vec![
            ("web", labels(&[("role", "web")])),
            ("db", labels(&[("role", "db"), ("env", "prod")])),
            ("bare", labels(&[("x.example/empty", "")])),
        ]
    }

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }
}
