//! Compares the tree of a file with the JSON Schema, and makes what is right of it a value.

mod types;

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Map, Value, json};

use super::problem::Problem;
use super::rules::{Rule, rule_of};
use super::scalar::Kind;
use super::schema::View;
use super::source::quoted;
use super::tree::{Content, Entry, Mapping, Node};
use super::words::nearest;
use crate::error::Code;
use crate::words::listed;
use types::words_of_type;

/// What came of comparing.
#[derive(Debug)]
pub(super) struct Checked {
    /// A value the schema allows: the file without what is wrong, and with stand-ins for what is
    /// wrong or missing but required.
    pub(super) value: Value,
    /// Paths of the mappings something was left out of, so that nobody wonders what they lack.
    pub(super) incomplete: BTreeSet<String>,
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
    /// Values that look like secrets in the wrong place.
    pub(super) secrets: Vec<Range<usize>>,
}

/// Compares a tree with the schema of the whole file.
pub(super) fn check(root: &Node, schema: &Value) -> Checked {
    let mut checker = Checker {
        path: Vec::new(),
        checked: Checked {
            value: Value::Null,
            incomplete: BTreeSet::new(),
            problems: Vec::new(),
            secrets: Vec::new(),
        },
    };
    let schema = View::of_root(schema);
    let value = checker.value(root, &(0..0), schema);
    checker.checked.value = value.unwrap_or_else(|| stand_in(schema));
    checker.checked
}

/// The smallest value a schema allows.
fn stand_in(schema: View<'_>) -> Value {
    if let Some((first, _)) = schema.choices().first() {
        return json!(first);
    }
    match schema.type_name() {
        "object" => schema
            .required()
            .filter_map(|key| Some((key.to_owned(), stand_in(schema.property(key)?))))
            .collect::<Map<_, _>>()
            .into(),
        "array" => json!([]),
        "integer" => schema.keyword("minimum").clone(),
        "boolean" => json!(false),
        _ => json!(
            schema.keyword("pattern").as_str().and_then(rule_of).map_or("", |rule| rule.example)
        ),
    }
}

/// Whether a value under this key may be a secret.
fn looks_secret(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    ["token", "secret", "password", "key"].iter().any(|word| lower.contains(word))
}

/// Whether what is below a wrong key is checked too, by what was probably meant. What may be a secret is not
/// looked at.
fn is_worth_checking(entry: &Entry, schema: View<'_>) -> bool {
    !looks_secret(&entry.key) && entry.value.mapping().is_some() && schema.type_name() == "object"
}

#[derive(Debug)]
struct Checker {
    path: Vec<String>,
    checked: Checked,
}

impl Checker {
    /// The valid part of a node; `None`, and a problem, when there is none. `key` is where the
    /// node's key stands.
    fn value(&mut self, node: &Node, key: &Range<usize>, schema: View<'_>) -> Option<Value> {
        let choices = schema.choices();
        if !choices.is_empty() {
            return self.choice(node, key, &choices);
        }
        match (schema.type_name(), node.kind()) {
            ("object", Kind::Mapping) => {
                node.mapping().map(|mapping| self.object(mapping, key, schema))
            }
            ("array", Kind::Sequence) => self.array(node, key, schema),
            ("string", Kind::Text(text)) => self.text(text, node, schema),
            ("integer", Kind::Integer(number)) => self.integer(number, node, schema),
            ("boolean", Kind::Bool(value)) => Some(json!(value)),
            (expected, _) => {
                self.wrong_type(node, key, words_of_type(expected));
                None
            }
        }
    }

    fn object(&mut self, mapping: &Mapping, key: &Range<usize>, schema: View<'_>) -> Value {
        let mut object = Map::new();
        let mut meant = BTreeSet::new();
        for entry in mapping.entries() {
            let (is_right, known) = if let Some((pattern, values)) = schema.values() {
                (self.user_key(&entry.key, &entry.key_span, pattern), Some(values))
            } else if let Some(known) = schema.property(&entry.key) {
                (true, Some(known))
            } else {
                let near = self.unknown_key(entry, schema);
                let near = near.filter(|near| mapping.get(near).is_none());
                meant.extend(near);
                (false, near.and_then(|near| schema.property(near)))
            };
            let known = known.filter(|schema| is_right || is_worth_checking(entry, *schema));
            let value = known.and_then(|schema| {
                self.path.push(entry.key.clone());
                let value = self.value(&entry.value, &entry.key_span, schema);
                self.path.pop();
                value
            });
            match value.filter(|_| is_right) {
                Some(value) => {
                    object.insert(entry.key.clone(), value);
                }
                None => {
                    self.checked.incomplete.insert(self.path.join("."));
                }
            }
        }
        for required in schema.required() {
            if mapping.get(required).is_none() && !meant.contains(required) {
                self.missing_key(required, key);
            }
            if let (false, Some(schema)) =
                (object.contains_key(required), schema.property(required))
            {
                object.insert(required.to_owned(), stand_in(schema));
            }
        }
        object.into()
    }

    /// Whether a key that users choose has the right form.
    fn user_key(&mut self, key: &str, span: &Range<usize>, pattern: &str) -> bool {
        let Some(rule) = rule_of(pattern).filter(|rule| !(rule.matches)(key)) else {
            return true;
        };
        let place = self.place();
        self.report(
            Problem::new(
                Code::CONFIG_INVALID_VALUE,
                format!("{} in {place} is not a valid name", quoted(key)),
            )
            .at(span.clone())
            .with_label("not a valid name")
            .with_help(format!("use {}", rule.words)),
        );
        false
    }

    /// Returns the key that was probably meant.
    fn unknown_key<'s>(&mut self, entry: &Entry, schema: View<'s>) -> Option<&'s str> {
        if looks_secret(&entry.key) {
            self.checked.secrets.push(entry.value.span.clone());
        }
        let known = || schema.properties().into_iter().flatten().map(|(key, _)| key.as_str());
        let near = nearest(&entry.key, known());
        let problem = Problem::new(
            Code::CONFIG_UNKNOWN_KEY,
            format!("unknown key {} in {}", quoted(&entry.key), self.place()),
        )
        .at(entry.key_span.clone());
        self.report(match near {
            Some(near) => problem.with_label(format!("did you mean `{near}`?")),
            None => problem
                .with_label("not known here")
                .with_help(format!("the keys here are {}", listed(known(), "and"))),
        });
        near
    }

    fn missing_key(&mut self, key: &str, span: &Range<usize>) {
        let place = self.place();
        self.report(
            Problem::new(Code::CONFIG_MISSING_KEY, format!("missing key `{key}` in {place}"))
                .at(span.clone())
                .with_label(format!("`{key}` is required here")),
        );
    }

    fn array(&mut self, node: &Node, key: &Range<usize>, schema: View<'_>) -> Option<Value> {
        let Content::Sequence(items) = &node.content else {
            return None;
        };
        let least = schema.keyword("minItems").as_u64().unwrap_or(0);
        if (items.len() as u64) < least {
            let place = self.place();
            self.report(
                Problem::new(Code::CONFIG_INVALID_VALUE, format!("{place} is empty"))
                    .at(key.clone())
                    .with_label("needs at least one item")
                    .with_help("add one, or leave the key out"),
            );
            return None;
        }
        let unique = schema.keyword("uniqueItems").as_bool() == Some(true);
        let mut seen: Vec<Value> = Vec::new();
        let mut known = BTreeSet::new();
        for item in items {
            let Some(value) = self.value(item, &item.span, schema.items()) else {
                self.checked.incomplete.insert(self.path.join("."));
                continue;
            };
            if unique && !known.insert(value.to_string()) {
                let place = self.place();
                let text = quoted(item.scalar().unwrap_or_default());
                self.report(
                    Problem::new(
                        Code::CONFIG_INVALID_VALUE,
                        format!("{text} stands twice in {place}"),
                    )
                    .at(item.span.clone())
                    .with_label("the second time")
                    .with_help("remove one of the two"),
                );
                continue;
            }
            seen.push(value);
        }
        // With no item left the list would mean something else.
        (seen.len() as u64 >= least).then_some(Value::Array(seen))
    }

    fn text(&mut self, text: &str, node: &Node, schema: View<'_>) -> Option<Value> {
        let rule = schema.keyword("pattern").as_str().and_then(rule_of);
        let Some(rule) = rule.filter(|rule| !(rule.matches)(text)) else {
            return Some(json!(text));
        };
        self.broken_rule(text, node, rule);
        None
    }

    fn broken_rule(&mut self, text: &str, node: &Node, rule: &Rule) {
        let place = self.place();
        let message = if rule.secret_prone {
            self.checked.secrets.push(node.span.clone());
            format!("{place} has an invalid value")
        } else {
            format!("{place} cannot be {}", quoted(text))
        };
        self.report(
            Problem::new(Code::CONFIG_INVALID_VALUE, message)
                .at(node.span.clone())
                .with_label("not valid here")
                .with_help(format!("it must be {}", rule.words)),
        );
    }

    fn integer(&mut self, number: Option<i64>, node: &Node, schema: View<'_>) -> Option<Value> {
        let least = schema.keyword("minimum").as_i64().unwrap_or(i64::MIN);
        let most = schema.keyword("maximum").as_i64().unwrap_or(i64::MAX);
        if let Some(number) = number.filter(|number| (least..=most).contains(number)) {
            return Some(json!(number));
        }
        let place = self.place();
        let text = quoted(node.scalar().unwrap_or_default());
        self.report(
            Problem::new(Code::CONFIG_INVALID_VALUE, format!("{place} cannot be {text}"))
                .at(node.span.clone())
                .with_label(format!("must be from {least} to {most}")),
        );
        None
    }

    fn choice(
        &mut self,
        node: &Node,
        key: &Range<usize>,
        choices: &[(&str, &str)],
    ) -> Option<Value> {
        let names = || choices.iter().map(|&(name, _)| name);
        let Kind::Text(text) = node.kind() else {
            self.wrong_type(node, key, &format!("one of {}", listed(names(), "and")));
            return None;
        };
        if names().any(|name| name == text) {
            return Some(json!(text));
        }
        let problem = Problem::new(
            Code::CONFIG_INVALID_VALUE,
            format!("{} cannot be {}", self.place(), quoted(text)),
        )
        .at(node.span.clone())
        .with_help(format!("use {}", listed(names(), "or")));
        self.report(match nearest(text, names()) {
            Some(near) => problem.with_label(format!("did you mean `{near}`?")),
            None => problem.with_label("not known here"),
        });
        None
    }

    fn report(&mut self, problem: Problem) {
        self.checked.problems.push(problem);
    }

    fn place(&self) -> String {
        if self.path.is_empty() { "the file".to_owned() } else { quoted(&self.path.join(".")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_for_a_wrong_value_is_allowed_by_its_schema() {
        for (schema, value) in [
            (json!({ "type": "string" }), json!("")),
            (
                json!({ "type": "string", "pattern": crate::name::DNS_LABEL_PATTERN }),
                json!("app-1"),
            ),
            (json!({ "type": "array", "items": { "type": "string" } }), json!([])),
            (json!({ "type": "integer", "minimum": 7 }), json!(7)),
            (json!({ "type": "boolean" }), json!(false)),
            (
                json!({
                    "type": "object",
                    "required": ["on"],
                    "properties": { "on": { "type": "boolean" }, "off": { "type": "boolean" } },
                }),
                json!({ "on": false }),
            ),
        ] {
            assert_eq!(stand_in(View::of_root(&schema)), value, "{schema}");
        }
    }
}
