//! `core` reads no file, clock, environment or network: the standard library offers all of it, so
//! its sources are searched.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Findings;

/// What the sources of `core` must not say.
const FORBIDDEN: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io",
    "std::os",
    "process::Command",
    "process::exit",
    "std::thread",
    "Instant::now",
    "SystemTime",
    "TcpStream",
    "UdpSocket",
    "println!",
    "eprintln!",
];

pub(crate) fn check(root: &Path) -> Result<Findings, String> {
    let mut findings = Vec::new();
    for file in sources(&root.join("crates/core/src"))? {
        let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            for word in FORBIDDEN.iter().filter(|word| line.contains(**word)) {
                let place = file.strip_prefix(root).unwrap_or(&file).display();
                findings.push(format!("{place}:{}: `core` must not use `{word}`", number + 1));
            }
        }
    }
    Ok(findings)
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
