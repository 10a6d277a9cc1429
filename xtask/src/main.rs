//! Checks and generators that need Rust: `cargo xtask check`, `cargo xtask docs`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for a terminal")]

mod docs;
mod edges;
mod purity;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What a check found wrong, each with what to do; empty is good.
type Findings = Vec<String>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let findings = match words.as_slice() {
        ["check"] => check(),
        ["docs"] => docs::write(&root()),
        _ => {
            eprintln!("usage: cargo xtask check|docs");
            return ExitCode::from(1);
        }
    };
    match findings {
        Ok(findings) if findings.is_empty() => {
            println!("xtask: all good");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            for finding in findings {
                eprintln!("xtask: {finding}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<Findings, String> {
    let root = root();
    let mut findings = edges::check(&root)?;
    findings.extend(purity::check(&root)?);
    findings.extend(docs::check(&root)?);
    Ok(findings)
}

/// The workspace this was built from.
fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}
