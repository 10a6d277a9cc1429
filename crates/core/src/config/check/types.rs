//! Values of the wrong type, and what was probably meant.

use std::ops::Range;

use super::Checker;
use crate::config::problem::Problem;
use crate::config::scalar::Kind;
use crate::config::source::{harmless, quoted};
use crate::config::tree::Node;
use crate::error::Code;

impl Checker {
    pub(super) fn wrong_type(&mut self, node: &Node, key: &Range<usize>, expected: &str) {
        let place = self.place();
        let text = quoted(node.scalar().unwrap_or_default());
        let (span, message) = match node.kind() {
            Kind::Null => (key, format!("{place} has no value")),
            Kind::Bool(_) => {
                (&node.span, format!("{place} must be {expected}, not the truth value {text}"))
            }
            Kind::Integer(_) | Kind::Float => {
                (&node.span, format!("{place} must be {expected}, not the number {text}"))
            }
            Kind::Text(_) => {
                (&node.span, format!("{place} must be {expected}, not the text {text}"))
            }
            Kind::Sequence => (key, format!("{place} must be {expected}, not a list")),
            Kind::Mapping => (key, format!("{place} must be {expected}, not a mapping")),
        };
        let mut problem = Problem::new(Code::CONFIG_WRONG_TYPE, message)
            .at(span.clone())
            .with_label(format!("{expected} is needed"));
        problem.help = what_was_meant(node, expected);
        self.report(problem);
    }
}

/// An edit that makes a value of the wrong type one of the right type, where it is obvious.
fn what_was_meant(node: &Node, expected: &str) -> Option<String> {
    match (node.kind(), expected) {
        (Kind::Null, A_MAPPING) => {
            Some("write `{}` for an empty one, or leave the key out".to_owned())
        }
        (Kind::Null, _) => Some("write a value, or leave the key out".to_owned()),
        (Kind::Bool(_) | Kind::Integer(_) | Kind::Float, A_TEXT) => {
            let text = harmless(node.scalar().unwrap_or_default(), 80);
            Some(format!("quote it: `\"{text}\"`"))
        }
        (Kind::Text("yes" | "Yes" | "on" | "On"), A_TRUTH_VALUE) => Some("write `true`".to_owned()),
        (Kind::Text("no" | "No" | "off" | "Off"), A_TRUTH_VALUE) => {
            Some("write `false`".to_owned())
        }
        (Kind::Text(text), A_WHOLE_NUMBER) if text.parse::<i64>().is_ok() => {
            Some("remove the quotes".to_owned())
        }
        (Kind::Text(_), A_LIST) => Some("put it in brackets: `[...]`".to_owned()),
        _ => None,
    }
}

const A_MAPPING: &str = "a mapping";
const A_LIST: &str = "a list";
const A_WHOLE_NUMBER: &str = "a whole number";
const A_TRUTH_VALUE: &str = "`true` or `false`";
const A_TEXT: &str = "a text";

pub(super) fn words_of_type(name: &str) -> &'static str {
    match name {
        "object" => A_MAPPING,
        "array" => A_LIST,
        "integer" => A_WHOLE_NUMBER,
        "boolean" => A_TRUTH_VALUE,
        _ => A_TEXT,
    }
}
