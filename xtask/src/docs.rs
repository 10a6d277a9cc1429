//! Documents generated from the code, so that they cannot drift from it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use stagecraft_core::error::ALL_CODES;

use crate::Findings;

const ERRORS: &str = "docs/errors.md";

/// Writes the generated documents.
pub(crate) fn write(root: &Path) -> Result<Findings, String> {
    fs::write(root.join(ERRORS), errors()).map_err(|error| format!("{ERRORS}: {error}"))?;
    Ok(Vec::new())
}

/// Whether the generated documents are current.
pub(crate) fn check(root: &Path) -> Result<Findings, String> {
    let written = fs::read_to_string(root.join(ERRORS)).unwrap_or_default();
    if written == errors() {
        Ok(Vec::new())
    } else {
        Ok(vec![format!("{ERRORS} is not current; run `cargo xtask docs`")])
    }
}

fn errors() -> String {
    let mut page = String::from(
        "# Error codes\n\n\
         Every error carries one of these codes, on screen between brackets and in JSON as `code`.\n\
         Codes are part of the public interface: new ones may appear, none is renamed.\n\n\
         | code | when | what to do |\n|---|---|---|\n",
    );
    for doc in ALL_CODES {
        let _infallible = writeln!(page, "| `{}` | {} | {} |", doc.code, doc.meaning, doc.remedy);
    }
    page
}
