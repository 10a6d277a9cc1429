use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Value, json};

use crate::harmless::harmless_json;
use crate::next::Next;

/// Version of all documents.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// The kinds of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// `infra plan`, and `infra up --dry-run`.
    Plan,
    /// `infra up`, `infra bootstrap` and `infra down`.
    Report,
    /// `infra status`.
    Status,
    /// `infra inventory`.
    Inventory,
    /// `infra trust`.
    Trust,
    /// `exec`.
    Exec,
    /// `validate`.
    Validation,
    /// `credentials list`.
    Credentials,
    /// `credentials add` and `credentials remove`.
    Credential,
    /// `credentials test`.
    CredentialTest,
    /// `credentials rotate-key`.
    KeyRotation,
    /// `providers`.
    Providers,
    /// `init`.
    Init,
    /// Any command that could not do its work.
    Error,
}

impl Kind {
    /// All kinds.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 14] = [
        Self::Plan,
        Self::Report,
        Self::Status,
        Self::Inventory,
        Self::Trust,
        Self::Exec,
        Self::Validation,
        Self::Credentials,
        Self::Credential,
        Self::CredentialTest,
        Self::KeyRotation,
        Self::Providers,
        Self::Init,
        Self::Error,
    ];

    /// The word in the document.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Report => "report",
            Self::Status => "status",
            Self::Inventory => "inventory",
            Self::Trust => "trust",
            Self::Exec => "exec",
            Self::Validation => "validation",
            Self::Credentials => "credentials",
            Self::Credential => "credential",
            Self::CredentialTest => "credential-test",
            Self::KeyRotation => "key-rotation",
            Self::Providers => "providers",
            Self::Init => "init",
            Self::Error => "error",
        }
    }
}

/// What a document says.
pub(crate) trait Document: Serialize + JsonSchema {
    /// Which one it is.
    const KIND: Kind;

    /// The document as one JSON text that is safe to show on a terminal, in which failures name commands
    /// as this user has to type them.
    fn to_json(&self, next: &Next) -> String {
        let enveloped =
            Enveloped { schema_version: SCHEMA_VERSION, kind: Self::KIND.as_str(), body: self };
        let mut value = serde_json::to_value(&enveloped).expect("documents have text keys only");
        spell(&mut value, next);
        let text = serde_json::to_string_pretty(&value).expect("writing to memory cannot fail");
        let mut safe = harmless_json(&text);
        safe.push('\n');
        safe
    }
}

/// Spells the commands in the hints, notes and messages of a document, wherever they are.
fn spell(value: &mut Value, next: &Next) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                if ["hints", "notes", "message"].contains(&key.as_str()) {
                    spell_texts(value, next);
                } else {
                    spell(value, next);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| spell(item, next)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn spell_texts(value: &mut Value, next: &Next) {
    match value {
        Value::String(text) => *text = next.spelled(text),
        Value::Array(items) => items.iter_mut().for_each(|item| spell_texts(item, next)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
    }
}

#[derive(Serialize)]
struct Enveloped<'a, T: ?Sized> {
    schema_version: u32,
    kind: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

/// The JSON Schema of a kind of document.
pub(crate) fn schema_of(kind: Kind) -> Value {
    match kind {
        Kind::Plan => schema::<super::PlanDocument>(),
        Kind::Report => schema::<super::ReportDocument>(),
        Kind::Status => schema::<super::StatusDocument>(),
        Kind::Inventory => schema::<super::InventoryDocument>(),
        Kind::Trust => schema::<super::TrustDocument>(),
        Kind::Exec => schema::<super::ExecDocument>(),
        Kind::Validation => schema::<super::ValidationDocument>(),
        Kind::Credentials => schema::<super::CredentialsDocument>(),
        Kind::Credential => schema::<super::CredentialDocument>(),
        Kind::CredentialTest => schema::<super::CredentialTestDocument>(),
        Kind::KeyRotation => schema::<super::KeyRotationDocument>(),
        Kind::Providers => schema::<super::ProvidersDocument>(),
        Kind::Init => schema::<super::InitDocument>(),
        Kind::Error => schema::<super::ErrorDocument>(),
    }
}

fn schema<T: Document>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema: Schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), json!(format!("stagecraft {}", T::KIND.as_str())));
    let mut schema = schema.to_value();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        let own = std::mem::take(properties);
        properties.insert(
            "schema_version".to_owned(),
            json!({ "description": "Version of the format.", "const": SCHEMA_VERSION }),
        );
        properties.insert(
            "kind".to_owned(),
            json!({ "description": "What the document is.", "const": T::KIND.as_str() }),
        );
        properties.extend(own);
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.splice(0..0, [json!("schema_version"), json!("kind")]);
    }
    schema
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use stagecraft_core::error::{Code, ExitCode, Failure};

    use super::*;
    use crate::args::Args;
    use crate::documents::InitDocument;
    use crate::stop::Stop;

    #[test]
    fn failures_in_a_document_name_commands_as_they_have_to_be_typed() {
        let options = Args::try_parse_from(["stagecraft", "providers", "--env", "dev"]).unwrap();
        let failure = Failure::new(Code::HOST_MISSING, "`a` is not there")
            .with_hint("run `stagecraft infra up`, see `stagecraft infra plan`");
        let document = Stop::new(ExitCode::SomeHostsFailed, failure)
            .with_note("`stagecraft infra status` shows them")
            .document();
        let json = document.to_json(&Next::new(&options.global));
        for text in ["infra up", "infra plan", "infra status"] {
            assert!(json.contains(&format!("`stagecraft {text} --env dev`")), "{json}");
        }
    }

    #[test]
    fn a_document_says_its_version_and_kind_first() {
        let json = InitDocument { provider: stagecraft_core::desired::ProviderId::Local }
            .to_json(&Next::default());
        assert!(json.starts_with("{\n  \"schema_version\": 1,\n  \"kind\": \"init\",\n"), "{json}");
    }

    #[test]
    fn every_schema_is_valid_and_pins_version_and_kind() {
        for kind in Kind::ALL {
            let schema = schema_of(kind);
            jsonschema::meta::validate(&schema).expect("a valid schema");
            let validator = jsonschema::validator_for(&schema).expect("a usable schema");
            assert!(!validator.is_valid(&json!({})), "{kind:?} allows anything");
            assert_eq!(schema["properties"]["kind"]["const"], kind.as_str());
        }
    }
}
