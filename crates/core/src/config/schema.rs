//! The JSON Schema of the file, made from the raw types.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Map, Value};

use super::raw::RawConfig;

/// The JSON Schema (draft 2020-12) of `stagecraft.yml`.
///
/// [`parse`](super::parse) enforces exactly this schema, and then what a schema cannot say.
#[must_use]
pub fn json_schema() -> Value {
    SchemaSettings::draft2020_12()
        .with_transform(RecursiveTransform(without_null))
        .into_generator()
        .into_root_schema_for::<RawConfig>()
        .to_value()
}

/// An optional key is left out, never written without a value.
fn without_null(schema: &mut Schema) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(mut options)) = schema.remove("anyOf") {
        options.retain(|option| option.get("type").is_none_or(|name| name != "null"));
        match options.as_mut_slice() {
            [Value::Object(only)] => schema.append(only),
            _ => {
                schema.insert("anyOf".to_owned(), Value::Array(options));
            }
        }
    }
}

/// A schema with the shorthands the checker and the reference need.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    root: &'a Value,
    schema: &'a Value,
}

impl<'a> View<'a> {
    /// The schema of the whole file.
    pub(super) fn of_root(root: &'a Value) -> Self {
        Self { root, schema: root }
    }

    /// The schema at another place of the same document, behind its reference.
    fn at(self, schema: &'a Value) -> Self {
        let mut schema = schema;
        while let Some(pointer) = schema["$ref"].as_str().and_then(|text| text.strip_prefix('#')) {
            schema = self.root.pointer(pointer).unwrap_or(&Value::Null);
        }
        Self { root: self.root, schema }
    }

    /// A keyword's value; null when it is missing.
    pub(super) fn keyword(self, name: &str) -> &'a Value {
        &self.schema[name]
    }

    /// The only texts it allows, with what each means; empty when it allows others.
    pub(super) fn choices(self) -> Vec<(&'a str, &'a str)> {
        let text = |value: &'a Value| value.as_str().unwrap_or_default();
        if let Some(options) = self.schema["oneOf"].as_array() {
            return options
                .iter()
                .map(|option| (text(&option["const"]), text(&option["description"])))
                .collect();
        }
        let values = self.schema["enum"].as_array();
        values.into_iter().flatten().map(|value| (text(value), "")).collect()
    }

    /// The keys of a mapping that has fixed keys.
    pub(super) fn properties(self) -> Option<&'a Map<String, Value>> {
        self.schema["properties"].as_object()
    }

    /// The schema of one of the fixed keys.
    pub(super) fn property(self, key: &str) -> Option<Self> {
        Some(self.at(self.properties()?.get(key)?))
    }

    /// For a mapping whose keys are the user's: the keys' pattern and the values' schema.
    pub(super) fn values(self) -> Option<(&'a str, Self)> {
        let (pattern, schema) = self.schema["patternProperties"].as_object()?.iter().next()?;
        Some((pattern, self.at(schema)))
    }

    /// The schema of a list's items.
    pub(super) fn items(self) -> Self {
        self.at(&self.schema["items"])
    }

    /// The keys that may not be missing.
    pub(super) fn required(self) -> impl Iterator<Item = &'a str> {
        self.schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    /// The name of the schema's type, e.g. `object`.
    pub(super) fn type_name(self) -> &'a str {
        self.schema["type"].as_str().unwrap_or_default()
    }
}
