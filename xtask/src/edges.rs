//! Which crate may depend on which: the one-way street, checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::Findings;

/// Every crate of ours and the crates of ours it may depend on outside its tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("stagecraft-core", &[]),
    ("stagecraft-clouds", &["stagecraft-core"]),
    ("stagecraft-remote", &["stagecraft-core"]),
    ("stagecraft-engine", &["stagecraft-core"]),
    ("stagecraft-testkit", &["stagecraft-core", "stagecraft-engine"]),
    (
        "stagecraft",
        &["stagecraft-core", "stagecraft-clouds", "stagecraft-remote", "stagecraft-engine"],
    ),
    ("xtask", &["stagecraft-core"]),
];

/// Crates that do I/O, read a clock or the environment, or run tasks. None may be anywhere below
/// `stagecraft-core`.
const IMPURE: &[&str] = &[
    "async-std",
    "bollard",
    "chrono",
    "dirs",
    "etcetera",
    "fs-err",
    "futures-executor",
    "getrandom",
    "hyper",
    "indicatif",
    "jiff",
    "mio",
    "rand",
    "reqwest",
    "russh",
    "rustix",
    "smol",
    "socket2",
    "supports-color",
    "tempfile",
    "terminal_size",
    "time",
    "tokio",
    "tracing-subscriber",
    "uuid",
];

pub(crate) fn check(root: &Path) -> Result<Findings, String> {
    let metadata = metadata(root)?;
    let packages = array(&metadata["packages"]);
    let members: BTreeSet<&str> =
        array(&metadata["workspace_members"]).iter().filter_map(Value::as_str).collect();
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();

    let mut findings = Vec::new();
    for package in packages.iter().filter(|p| members.contains(text(&p["id"]))) {
        let name = text(&package["name"]);
        let Some(allowed) = allowed.get(name) else {
            findings.push(format!("`{name}` is not in the list of allowed edges; add it there"));
            continue;
        };
        for dependency in array(&package["dependencies"]) {
            let to = text(&dependency["name"]);
            let ours = ALLOWED.iter().any(|(ours, _)| *ours == to);
            let for_tests = dependency["kind"] == "dev";
            if ours && !for_tests && !allowed.contains(&to) {
                findings.push(format!("`{name}` depends on `{to}`, against the one-way street"));
            }
        }
    }
    findings.extend(impure_below_core(&metadata, packages));
    Ok(findings)
}

fn impure_below_core(metadata: &Value, packages: &[Value]) -> Findings {
    let names: BTreeMap<&str, &str> =
        packages.iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect();
    let mut below: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in array(&metadata["resolve"]["nodes"]) {
        let normal = array(&node["deps"])
            .iter()
            .filter(|dep| array(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()));
        below.insert(text(&node["id"]), normal.map(|dep| text(&dep["pkg"])).collect());
    }
    let mut todo: Vec<&str> =
        names.iter().filter(|(_, name)| **name == "stagecraft-core").map(|(id, _)| *id).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = todo.pop() {
        if seen.insert(id) {
            todo.extend(below.get(id).into_iter().flatten());
        }
    }
    seen.into_iter()
        .filter_map(|id| names.get(id))
        .filter(|name| IMPURE.contains(name))
        .map(|name| format!("`stagecraft-core` depends on `{name}`, which is not pure"))
        .collect()
}

fn metadata(root: &Path) -> Result<Value, String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("could not run cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("could not read cargo metadata: {error}"))
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
