use serde_json::{Value, json};

use crate::stage::{SMALL, Stage};

#[test]
fn json_documents_are_as_the_printed_schemas_say() {
    let stage = Stage::with(SMALL);
    let broken = Stage::with("project: {}\n");
    for (stage, line, kind, code) in [
        (&stage, "validate", "validation", 0),
        (&stage, "providers", "providers", 0),
        (&Stage::new(), "init", "init", 0),
        (&broken, "validate", "error", 1),
        (&stage, "infra plan", "error", 2),
        (&stage, "infra up", "error", 2),
        (&stage, "infra down --host none", "error", 2),
        (&stage, "exec", "error", 1),
        (&stage, "no-such-command", "error", 1),
    ] {
        let (value, exit) = stage.json(&format!("--output json {line}"));
        assert_eq!((&value["kind"], exit), (&json!(kind), Some(code)), "{line}: {value:#}");
        assert_eq!(value["schema_version"], 1, "{line}");
        let (schema, _) = stage.json(&format!("schema --of {kind}"));
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?} in {value:#}");
    }
}

#[test]
fn problems_of_a_file_name_their_places() {
    let stage = Stage::with(&SMALL.replace("role: app", "rol: app"));
    let (value, code) = stage.json("validate --output json");
    assert_eq!(code, Some(1));
    let places: Vec<(&Value, &Value, &Value)> = value["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (&error["code"], &error["file"], &error["line"]))
        .collect();
    let unknown = (&json!("config.unknown-key"), &json!("stagecraft.yml"), &json!(8));
    assert!(places.contains(&unknown), "{places:?}");
}

#[test]
fn the_schema_of_the_file_accepts_what_init_writes() {
    let (schema, _) = Stage::new().json("schema");
    jsonschema::meta::validate(&schema).unwrap();
    assert!(schema["properties"]["cloud"].is_object(), "{schema:#}");
}
