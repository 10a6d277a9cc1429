//! Schemas of OpenAPI 3.0 as JSON Schema.

use serde_json::{Map, Value, json};

/// What only OpenAPI knows, or says nothing about a value.
const DROPPED: [&str; 12] = [
    "nullable",
    "discriminator",
    "xml",
    "externalDocs",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "description",
    "title",
    "default",
    "x-enumDescriptions",
];

/// The same schema in the words of JSON Schema. References stay as they are.
pub(super) fn translated(schema: &Value) -> Value {
    let Some(fields) = schema.as_object() else { return schema.clone() };
    if let Some(target) = fields.get("$ref") {
        // Nothing beside a reference counts.
        return json!({ "$ref": target });
    }
    let mut out = Map::new();
    for (name, value) in fields.iter().filter(|(name, _)| !DROPPED.contains(&name.as_str())) {
        let value = match name.as_str() {
            "properties" | "patternProperties" => each_named(value),
            "allOf" | "anyOf" | "oneOf" => each(value),
            "items" | "additionalProperties" | "not" => translated(value),
            _ => value.clone(),
        };
        out.insert(name.clone(), value);
    }
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        match out.get(flag) {
            Some(Value::Bool(true)) => {
                let limit = out.shift_remove(bound).unwrap_or(Value::Null);
                out.insert(flag.to_owned(), limit);
            }
            Some(Value::Bool(false)) => drop(out.shift_remove(flag)),
            Some(_) | None => {}
        }
    }
    if fields.get("nullable") == Some(&Value::Bool(true)) {
        return json!({ "anyOf": [out, { "type": "null" }] });
    }
    Value::Object(out)
}

fn each(list: &Value) -> Value {
    list.as_array().into_iter().flatten().map(translated).collect()
}

fn each_named(schemas: &Value) -> Value {
    let schemas = schemas.as_object().into_iter().flatten();
    let schemas: Map<String, Value> =
        schemas.map(|(name, schema)| (name.clone(), translated(schema))).collect();
    Value::Object(schemas)
}
