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
    ("stagecraft-vault", &["stagecraft-core"]),
    ("stagecraft-engine", &["stagecraft-core"]),
    ("stagecraft-testkit", &["stagecraft-core", "stagecraft-engine"]),
    (
        "stagecraft",
        &[
            "stagecraft-core",
            "stagecraft-clouds",
            "stagecraft-remote",
            "stagecraft-vault",
            "stagecraft-engine",
        ],
    ),
    ("cloud-emulator", &["stagecraft-core", "stagecraft-clouds", "stagecraft-testkit"]),
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
    findings.extend(impure_below_core(root)?);
    Ok(findings)
}

/// Asks `cargo tree`, which resolves features for this crate alone; in the workspace's metadata the
/// features that others switch on are mixed in.
fn impure_below_core(root: &Path) -> Result<Findings, String> {
    let words = ["tree", "--locked", "--package", "stagecraft-core", "--edges", "normal"];
    let tree = cargo(root, &[&words[..], &["--prefix", "none", "--format", "{lib}"]].concat())?;
    let below: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    Ok(IMPURE
        .iter()
        .filter(|name| below.contains(name.replace('-', "_").as_str()))
        .map(|name| format!("`stagecraft-core` depends on `{name}`, which is not pure"))
        .collect())
}

fn cargo(root: &Path, words: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO"))
        .args(words)
        .current_dir(root)
        .output()
        .map_err(|error| format!("could not run cargo: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cargo {} failed: {why}", words.join(" ")));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("cargo's output: {error}"))
}

fn metadata(root: &Path) -> Result<Value, String> {
    let text = cargo(root, &["metadata", "--format-version", "1", "--locked", "--no-deps"])?;
    serde_json::from_str(&text).map_err(|error| format!("could not read cargo metadata: {error}"))
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
