//! What hosts answer, written after what is known of the client, and how tests read assessments.

use serde_json::{Value, json};

use crate::converge::Assessment;
use crate::error::Failure;
use crate::remote::Output;

/// What a host says of itself that is right in every way, in `BackendState` `state`.
pub(super) fn member(state: &str) -> Value {
    json!({
        "Version": "1.82.0-t0123456-g789abcdef",
        "TUN": true,
        "BackendState": state,
        "TailscaleIPs": ["100.64.0.1", "fd7a:115c:a1e0::1"],
        "Self": {
            "HostName": "web-1",
            "DNSName": "web-1.example.ts.net.",
            "TailscaleIPs": ["fd7a:115c:a1e0::1", "100.64.0.1"],
            "Tags": ["tag:stagecraft", "tag:web"],
            "Online": true,
        },
        "Health": [],
        "MagicDNSSuffix": "example.ts.net",
        "CurrentTailnet": {
            "Name": "shop.example",
            "MagicDNSSuffix": "example.ts.net",
            "MagicDNSEnabled": true,
        },
        "Peer": null,
    })
}

/// What a host says that never logged in.
pub(super) fn newcomer(state: &str) -> Value {
    json!({
        "Version": "1.82.0-t0123456-g789abcdef",
        "TUN": true,
        "BackendState": state,
        "TailscaleIPs": null,
        "Self": { "HostName": "web-1", "DNSName": "", "TailscaleIPs": null, "Online": false },
        "Health": [],
        "MagicDNSSuffix": "",
        "CurrentTailnet": null,
        "Peer": null,
    })
}

/// A document with other values at some places, each given by its JSON pointer.
pub(super) fn with<const N: usize>(mut document: Value, values: [(&str, Value); N]) -> Value {
    for (pointer, value) in values {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        document.pointer_mut(parent).expect("a place")[key] = value;
    }
    document
}

/// The output of the join step's probe with such a document, after an `up` with `said` if any.
pub(super) fn shows(document: &Value, said: &str) -> Output {
    let document = serde_json::to_string_pretty(document).expect("JSON");
    saw(0, &format!("now=2026-03-01T12:00:00Z\n{said}status=0\n{document}\n"))
}

/// What a probe that ended with `status` printed.
pub(super) fn saw(status: i32, stdout: &str) -> Output {
    Output { status, stdout: stdout.to_owned(), stderr: String::new() }
}

/// The failure of an assessment that must be blocked.
pub(super) fn blocked(assessment: Assessment) -> Failure {
    match assessment {
        Assessment::Blocked(failure) => failure,
        Assessment::Satisfied | Assessment::Needs(_) => panic!("not blocked: {assessment:?}"),
    }
}

/// What is told when the changes of an assessment are needed although they were just made.
pub(super) fn in_vain(assessment: Assessment) -> Failure {
    match assessment {
        Assessment::Needs(changes) => *changes[0].in_vain.clone().expect("words for that"),
        Assessment::Satisfied | Assessment::Blocked(_) => panic!("no changes: {assessment:?}"),
    }
}

/// What the changes of an assessment do.
pub(super) fn doing(assessment: &Assessment) -> Vec<&str> {
    match assessment {
        Assessment::Needs(changes) => changes.iter().map(|change| change.doing.as_str()).collect(),
        Assessment::Satisfied | Assessment::Blocked(_) => panic!("no changes: {assessment:?}"),
    }
}

/// What follows the script in each command of an assessment.
pub(super) fn tails(assessment: &Assessment) -> Vec<String> {
    let Assessment::Needs(changes) = assessment else { panic!("no changes: {assessment:?}") };
    let tail = |line: String| line.rsplit_once("' ").map(|(_, tail)| tail.to_owned());
    changes.iter().filter_map(|change| tail(change.command.to_shell())).collect()
}
