//! What the YAML parser refuses, in words that help.

use std::ops::Range;

use saphyr_parser::ScanError;

use super::MAX_DEPTH;
use crate::config::problem::Problem;
use crate::config::source::{Source, harmless};
use crate::error::Code;

pub(super) fn too_deep(span: Range<usize>) -> Problem {
    Problem::new(
        Code::CONFIG_SYNTAX,
        format!("the file is nested more than {MAX_DEPTH} levels deep"),
    )
    .at(span)
    .with_label("too deep")
}

/// What the parser could not read, in words that help.
pub(super) fn syntax(source: &Source, error: &ScanError) -> Problem {
    let offset = source.byte_of_char(error.marker().index());
    let end = source.text()[offset..].chars().next().map_or(offset, |c| offset + c.len_utf8());
    if let Some(tab) = indenting_tab(source, offset) {
        return Problem::new(Code::CONFIG_SYNTAX, "a tab is used for indentation")
            .at(tab..tab + 1)
            .with_label("a tab")
            .with_help("YAML is indented with spaces only");
    }
    let info = error.info();
    if info.contains("recursion limit") {
        return too_deep(offset..end);
    }
    const KNOWN: &[(&str, &str, &str)] = &[
        (
            "mapping values are not allowed",
            "a `:` stands where no key can be",
            "put each key on a line of its own, and quote texts that contain `: `",
        ),
        (
            "unknown anchor",
            "an alias has no anchor before it",
            "quote the text if it only starts with `*`",
        ),
        (
            "did not find expected key",
            "a key is not indented like its neighbours",
            "keys of one mapping start in the same column",
        ),
        ("unexpected end of stream", "a quote is not closed", "add the closing quote"),
        ("simple key expect", "a line has no `:` after its key", "write `key: value`"),
    ];
    let problem = match KNOWN.iter().find(|(part, ..)| info.contains(part)) {
        Some((_, message, help)) => Problem::new(Code::CONFIG_SYNTAX, *message).with_help(*help),
        None => Problem::new(
            Code::CONFIG_SYNTAX,
            format!("the file is not valid YAML: {}", harmless(info, 200)),
        )
        .with_help("check the quotes, brackets and indentation around this place"),
    };
    problem.at(offset..end)
}

/// A tab in the indentation of the line of an error, or of the next.
fn indenting_tab(source: &Source, offset: usize) -> Option<usize> {
    let line = source.position(offset).line;
    [line, line + 1].into_iter().find_map(|line| {
        let bytes = source.line(line)?;
        let text = &source.text()[bytes.clone()];
        let indentation = &text[..text.len() - text.trim_start_matches([' ', '\t']).len()];
        indentation.find('\t').map(|tab| bytes.start + tab)
    })
}
