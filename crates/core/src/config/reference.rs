//! The reference of all keys, made from the JSON Schema.

use std::collections::BTreeMap;

use serde_json::Value;

use super::rules::rule_of;
use super::schema::{View, json_schema};

/// `docs/config.md`: every key of the file with its type and meaning.
#[must_use]
pub fn reference_markdown() -> String {
    let schema = json_schema();
    let mut reference = Reference::default();
    reference.line(HEAD.trim_end());
    reference.mapping("", View::of_root(&schema));
    reference.line("");
    reference.lines.join("\n")
}

const HEAD: &str = "\
# `stagecraft.yml`

Every key of the file. A key that is not listed here, a key that stands twice, a value of the wrong
type and an impossible value are errors; they are reported together, with their places. Some show
only when another is mended: what stands below an unknown key that resembles no other, or below one
that may be about a secret (`token`, `secret`, `password` or `key` is in it), what depends on a value
that is wrong, and all else in a file that is no YAML. `stagecraft schema`
prints the keys, types and allowed values as a JSON Schema for editors;
what depends on more than one value is checked by `stagecraft validate`, and what depends on the
cloud (regions, sizes, keys) by `stagecraft validate --online` and by every plan.

Names in capitals, such as `HOST`, stand for names of your own. YAML anchors and aliases may be used;
merge keys (`<<`), tags and several documents in one file may not. The file is UTF-8, at most 1 MiB.
";

#[derive(Debug, Default)]
struct Reference {
    lines: Vec<String>,
    /// What has been described, told apart by its contents, and where.
    described: BTreeMap<String, String>,
}

impl Reference {
    /// Describes a mapping with fixed keys, then what is below it.
    fn mapping(&mut self, path: &str, schema: View<'_>) {
        let Some(properties) = schema.properties() else { return };
        if path.is_empty() {
            self.line("\n## The whole file\n");
        } else {
            let description = one_line(schema.keyword("description"));
            self.line(format!("\n## `{path}`\n\n{description}\n"));
        }
        self.line("| key | value | meaning |\n|---|---|---|");
        let required: Vec<&str> = schema.required().collect();
        for (key, property) in properties {
            let Some(view) = schema.property(key) else { continue };
            let need = if required.contains(&key.as_str()) { ", required" } else { "" };
            let own = &property["description"];
            let meaning = one_line(if own.is_string() { own } else { view.keyword("description") });
            self.line(format!("| `{key}` | {}{need} | {meaning} |", value_words(view)));
        }
        for key in properties.keys() {
            let Some(view) = schema.property(key) else { continue };
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            self.choices(&below, view);
        }
        for key in properties.keys() {
            let Some(view) = schema.property(key) else { continue };
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            self.below(below, view);
        }
    }

    fn below(&mut self, path: String, schema: View<'_>) {
        if let Some((_, values)) = schema.values() {
            let name = match path.rsplit('.').next() {
                Some("hosts") => "ENVIRONMENT",
                Some("role_tags") => "ROLE",
                Some(_) | None => "HOST",
            };
            self.below(format!("{path}.{name}"), values);
            return;
        }
        let Some(properties) = schema.properties() else { return };
        let keys = properties.keys().cloned().collect::<Vec<_>>().join(" ");
        let keys = format!("{} {keys}", schema.keyword("description"));
        if let Some(first) = self.described.get(&keys).cloned() {
            self.line(format!("\n## `{path}`\n\nThe same keys as `{first}`."));
            return;
        }
        self.described.insert(keys, path.clone());
        self.mapping(&path, schema);
    }

    /// Describes the texts that are allowed, where that is not said yet.
    fn choices(&mut self, path: &str, schema: View<'_>) {
        let choices = schema.choices();
        let names = format!("{choices:?}");
        if choices.is_empty() || self.described.insert(names, path.to_owned()).is_some() {
            return;
        }
        self.line(format!("\n`{path}`:\n"));
        for (name, meaning) in choices {
            self.line(format!("- `{name}`: {meaning}"));
        }
    }

    fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }
}

/// What may stand for a value.
fn value_words(schema: View<'_>) -> String {
    let choices = schema.choices();
    if !choices.is_empty() {
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
        return names.join(", ");
    }
    match schema.type_name() {
        "object" => "mapping".to_owned(),
        "array" => format!("list: {}", value_words(schema.items())),
        "boolean" => "`true`, `false`".to_owned(),
        "integer" => format!(
            "whole number from {} to {}",
            schema.keyword("minimum"),
            schema.keyword("maximum")
        ),
        _ => schema
            .keyword("pattern")
            .as_str()
            .and_then(rule_of)
            .map_or("text", |rule| rule.words)
            .to_owned(),
    }
}

fn one_line(text: &Value) -> String {
    text.as_str().unwrap_or_default().replace('\n', " ")
}
