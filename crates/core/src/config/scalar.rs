//! What an unquoted scalar is: the core schema of YAML 1.2.

use super::tree::{Content, Node};

/// What a value is, as YAML resolves it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind<'a> {
    Null,
    Bool(bool),
    /// A whole number; `None` when it is too large for any of ours.
    Integer(Option<i64>),
    Float,
    Text(&'a str),
    Sequence,
    Mapping,
}

impl Node {
    /// What it is.
    pub(super) fn kind(&self) -> Kind<'_> {
        match &self.content {
            Content::Scalar { text, plain: true } => resolve(text),
            Content::Scalar { text, plain: false } => Kind::Text(text),
            Content::Sequence(_) => Kind::Sequence,
            Content::Mapping(_) => Kind::Mapping,
        }
    }

    /// The scalar as it stands, without quotes.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } => Some(text),
            Content::Sequence(_) | Content::Mapping(_) => None,
        }
    }
}

fn resolve(text: &str) -> Kind<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ => number(text).unwrap_or(Kind::Text(text)),
    }
}

fn number(text: &str) -> Option<Kind<'_>> {
    let digits =
        |text: &str, radix: u32| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(rest) = text.strip_prefix(prefix) {
            return digits(rest, radix)
                .then(|| Kind::Integer(i64::from_str_radix(rest, radix).ok()));
        }
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits(unsigned, 10) {
        return Some(Kind::Integer(text.parse().ok()));
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Kind::Float);
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_float = (digits(whole, 10) || whole.is_empty())
        && (digits(fraction, 10) || fraction.is_empty())
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text), 10));
    is_float.then_some(Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_resolved_as_yaml_1_2_has_it() {
        for (text, kind) in [
            ("", Kind::Null),
            ("~", Kind::Null),
            ("null", Kind::Null),
            ("True", Kind::Bool(true)),
            ("false", Kind::Bool(false)),
            ("FALSE", Kind::Bool(false)),
            ("0", Kind::Integer(Some(0))),
            ("-7", Kind::Integer(Some(-7))),
            ("0o17", Kind::Integer(Some(15))),
            ("0xff", Kind::Integer(Some(255))),
            ("99999999999999999999", Kind::Integer(None)),
            ("1.78", Kind::Float),
            (".5e-3", Kind::Float),
            ("1e3", Kind::Float),
            ("-.inf", Kind::Float),
        ] {
            assert_eq!(resolve(text), kind, "{text}");
        }
        for text in ["yes", "no", "on", "1.2.3", ".", "e3", "0x", "22.04-lts", "1e", "-", "+.nan"] {
            assert_eq!(resolve(text), Kind::Text(text), "{text}");
        }
    }
}
