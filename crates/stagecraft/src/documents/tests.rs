//! The documents against their own schemas, and the schemas against the files that are published.

use std::path::Path;

use serde_json::Value;
use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_core::inventory::Lifecycle;
use stagecraft_core::plan::Policy;

use stagecraft_core::credential::Issuer;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::plan::Plan;

use super::*;
use crate::next::Next;
use crate::stop::Stop;
use crate::ui::samples::{full_plan, host, plan, running, scope, wanted};
use crate::ui::tests::{mixed_report, mixed_status};

#[test]
fn every_document_is_as_its_schema_says() {
    for (kind, json) in documents() {
        let value: Value = serde_json::from_str(&json).expect("JSON");
        let validator = jsonschema::validator_for(&schema_of(kind)).expect("a schema");
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{kind:?}: {errors:#?}\n{json}");
        assert_eq!(value["kind"], kind.as_str());
    }
}

#[test]
fn a_schema_refuses_a_document_with_a_wrong_field() {
    for (kind, json) in documents() {
        let validator = jsonschema::validator_for(&schema_of(kind)).expect("a schema");
        let mut value: Value = serde_json::from_str(&json).expect("JSON");
        value["schema_version"] = 2.into();
        assert!(!validator.is_valid(&value), "{kind:?} of another version");
        let mut value: Value = serde_json::from_str(&json).expect("JSON");
        let fields = value.as_object_mut().expect("an object");
        let last = fields.keys().next_back().expect("a field").clone();
        fields.insert(last.clone(), Value::Bool(true));
        assert!(!validator.is_valid(&value), "{kind:?} with {last}: true");
    }
}

#[test]
fn the_examples_of_the_documentation_are_as_the_schemas_say() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/output.md");
    let page = std::fs::read_to_string(page).expect("docs/output.md");
    let examples: Vec<Value> = page
        .split("```json\n")
        .skip(1)
        .map(|rest| {
            serde_json::from_str(rest.split("```").next().unwrap_or_default()).expect("JSON")
        })
        .collect();
    let whole: Vec<&Value> = examples
        .iter()
        .filter(|example| !example["hosts"].is_null() || !example["errors"].is_null())
        .collect();
    assert!(whole.len() >= 5, "the examples moved");
    for example in whole {
        let kind = Kind::ALL.into_iter().find(|kind| example["kind"] == kind.as_str());
        let validator =
            jsonschema::validator_for(&schema_of(kind.expect("a kind"))).expect("a schema");
        let errors: Vec<String> =
            validator.iter_errors(example).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?} in {example:#}");
    }
}

#[test]
fn the_published_schemas_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas");
    let published = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    for kind in Kind::ALL {
        let name = format!("{}.schema.json", kind.as_str());
        let current = format!("{:#}\n", schema_of(kind));
        assert!(
            published(&name) == current,
            "run `stagecraft schema --of {} > docs/schemas/{name}`",
            kind.as_str()
        );
    }
}

#[test]
fn a_result_holds_nothing_that_differs_between_two_runs() {
    for (kind, json) in documents() {
        let tells_ids = kind == Kind::Inventory;
        assert_eq!(json.contains("id-of-"), tells_ids, "{kind:?}: {json}");
        for word in ["elapsed", "duration", "timestamp", "created_at", "/root", "/home"] {
            assert!(!json.contains(word), "{kind:?} has {word}: {json}");
        }
    }
}

#[test]
fn what_terminals_obey_is_escaped() {
    let evil = "\x1b[31m \u{9b}2J \u{202e} \u{7f}";
    let json = Stop::new(ExitCode::Cloud, Failure::new(Code::CLOUD_PROVIDER_FAULT, evil))
        .document()
        .to_json(&Next::default());
    assert!(json.is_ascii() && !json.contains('\x1b'), "{json:?}");
    let value: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(value["errors"][0]["message"], evil, "nothing is lost");
}

/// At least one document of every kind.
fn documents() -> Vec<(Kind, String)> {
    let stop = Stop::usage("no").with_hint("yes").with_note("kept");
    let up_to_date = plan([wanted("a")], [running("a", "10.0.0.1")], &Policy::default());
    let mut documents = vec![
        (Kind::Plan, PlanDocument::from(&full_plan()).to_json(&Next::default())),
        (Kind::Plan, PlanDocument::from(&up_to_date).to_json(&Next::default())),
        (Kind::Report, report(Some(&full_plan()))),
        (Kind::Report, report(None)),
        (Kind::Status, mixed_status().to_json(&Next::default())),
        (Kind::Inventory, inventory().to_json(&Next::default())),
        (Kind::Trust, trust().to_json(&Next::default())),
        (Kind::Exec, exec().to_json(&Next::default())),
        (Kind::Validation, validation(None).to_json(&Next::default())),
        (Kind::Init, InitDocument { provider: ProviderId::Local }.to_json(&Next::default())),
        (Kind::Error, stop.document().to_json(&Next::default())),
    ];
    let providers = ProviderId::ALL.map(crate::wire::provider_facts).to_vec();
    documents.push((Kind::Providers, ProvidersDocument { providers }.to_json(&Next::default())));
    let online =
        OnlineItem { provider: ProviderId::Local, account: "Docker 27".to_owned(), hosts: 2 };
    documents.push((Kind::Validation, validation(Some(vec![online])).to_json(&Next::default())));
    documents.extend(credentials());
    let kinds: std::collections::BTreeSet<Kind> = documents.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, Kind::ALL.into(), "a kind has no document here");
    documents
}

/// What commands of the credential store print.
fn credentials() -> Vec<(Kind, String)> {
    let (name, provider) = (|| "prod".parse().unwrap(), Issuer::Aws);
    let item = CredentialItem { name: name(), provider };
    let change = CredentialChange::Replaced;
    let failure = Failure::new(Code::CLOUD_UNAUTHENTICATED, "no");
    let results = [
        TestResult::Accepted { account: "shop".to_owned() },
        TestResult::Opened,
        TestResult::Failed { failure },
    ];
    let tests = results.map(|result| CredentialTest { name: name(), provider, result });
    vec![
        (
            Kind::Credentials,
            CredentialsDocument { credentials: vec![item] }.to_json(&Next::default()),
        ),
        (
            Kind::Credential,
            CredentialDocument { name: name(), provider, change }.to_json(&Next::default()),
        ),
        (
            Kind::CredentialTest,
            CredentialTestDocument { credentials: tests.into(), exit_code: 2 }
                .to_json(&Next::default()),
        ),
        (
            Kind::KeyRotation,
            KeyRotationDocument { entries: 2, finished_earlier: true }.to_json(&Next::default()),
        ),
    ]
}

fn report(plan: Option<&Plan>) -> String {
    let report = mixed_report();
    ReportDocument::new(Verb::Up, &scope(), plan, &report, report.exit_code())
        .to_json(&Next::default())
}

fn inventory() -> InventoryDocument {
    let instance = running("app-1", "10.0.0.1");
    let up = InventoryHost {
        host: host("app-1"),
        provider: instance.provider,
        role: instance.marks.role.clone(),
        instance: instance.id.clone(),
        lifecycle: Lifecycle::Running,
        address: Some("10.0.0.1".to_owned()),
        network_name: Some("app-1.shop.internal".to_owned()),
        ssh: Some(Ssh { host: "10.0.0.1".to_owned(), port: 22, user: "root".to_owned() }),
        host_key: Some("ssh-ed25519 AAAA".to_owned()),
        spec: instance.spec.clone(),
        protected: true,
        tags: ["blue".to_owned()].into(),
    };
    let coming = InventoryHost {
        host: host("app-2"),
        lifecycle: Lifecycle::Pending,
        address: None,
        ssh: None,
        ..up.clone()
    };
    let scope = scope();
    InventoryDocument {
        project: scope.project,
        environment: scope.environment,
        hosts: vec![up, coming],
    }
}

fn trust() -> TrustDocument {
    TrustDocument {
        project: scope().project,
        environment: scope().environment,
        host: host("app-1"),
        provider: ProviderId::Local,
        fingerprint: "SHA256:new".to_owned(),
        previous: Some("SHA256:old".to_owned()),
        changed: true,
    }
}

fn exec() -> ExecDocument {
    let ran = ExecResult::Ran { status: 3, stdout: "a\n".to_owned(), stderr: String::new() };
    let failed = ExecResult::Failed { failure: Failure::new(Code::SSH_FAILED, "no answer") };
    ExecDocument {
        project: scope().project,
        environment: scope().environment,
        hosts: vec![
            ExecHost { host: host("app-1"), result: ran },
            ExecHost { host: host("app-2"), result: failed },
        ],
        interrupted: false,
        exit_code: 10,
    }
}

fn validation(online: Option<Vec<OnlineItem>>) -> ValidationDocument {
    let environments = vec![EnvironmentItem { name: scope().environment, hosts: 2 }];
    ValidationDocument { project: scope().project, environments, online }
}
