//! Documents generated from the code, so that they cannot drift from it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use stagecraft_core::config;
use stagecraft_core::error::ALL_CODES;

use crate::Findings;

/// Where a generated document is, and what makes it.
type Page = (&'static str, fn() -> String);

const PAGES: &[Page] =
    &[("docs/config.md", config::reference_markdown), ("docs/errors.md", errors)];

/// Writes the generated documents.
pub(crate) fn write(root: &Path) -> Result<Findings, String> {
    for (place, page) in PAGES {
        fs::write(root.join(place), page()).map_err(|error| format!("{place}: {error}"))?;
    }
    Ok(Vec::new())
}

/// Whether the generated documents are current.
pub(crate) fn check(root: &Path) -> Result<Findings, String> {
    Ok(PAGES
        .iter()
        .filter(|(place, page)| fs::read_to_string(root.join(place)).unwrap_or_default() != page())
        .map(|(place, _)| format!("{place} is not current; run `cargo xtask docs`"))
        .collect())
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
