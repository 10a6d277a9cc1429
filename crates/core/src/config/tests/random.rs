//! Files made at random, and the two judges of files: the parser, and the schema for editors.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::config::decode::decode;
use crate::config::parse;
use crate::config::scalar::Kind;
use crate::config::tree::{self, Content, Node};

const FULL: &str = include_str!("../../../../../examples/full/stagecraft.yml");

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&crate::config::json_schema()).unwrap());

/// Words of the file, so that random files come close to valid ones.
const WORDS: &[&str] = &[
    "project",
    "name",
    "cloud",
    "provider",
    "providers",
    "local",
    "hetzner",
    "hosts",
    "dev",
    "role",
    "app",
    "count",
    "tags",
    "sizes",
    "regions",
    "network",
    "infra",
    "bootstrap",
    "ssh",
    "docker",
    "1",
    "0",
    "-3",
    "1.5",
    "true",
    "null",
    "''",
    "\"\\e\"",
    "&a",
    "*a",
    "<<",
    "!!str",
    "é",
    "\u{1b}",
    "[",
    "]",
    "{",
    "}",
    ",",
    "- ",
    ": ",
    "\n",
    "\n  ",
    "\n    ",
    "\t",
    "|",
    ">",
    "#",
    "---",
    "...",
    "%",
    "\u{feff}",
    "\r",
    "? ",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        parsed_or_refused(&bytes);
    }

    #[test]
    fn any_words_are_parsed_or_refused(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        parsed_or_refused(words.concat().as_bytes());
    }

    #[test]
    fn a_valid_file_with_a_change_is_parsed_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, prop::sample::select(WORDS)), 1..4),
    ) {
        let mut text: Vec<char> = FULL.chars().collect();
        for (place, removed, word) in changes {
            let start = place.index(text.len());
            let end = (start + removed).min(text.len());
            text.splice(start..end, word.chars());
        }
        let text: String = text.into_iter().collect();
        parsed_or_refused(text.as_bytes());
    }
}

/// Parses, and checks what holds for every file.
fn parsed_or_refused(bytes: &[u8]) {
    if let Err(problems) = parse("f", bytes) {
        assert!(!problems.problems.is_empty());
        // Only a misfit of checker and types would have a place but no label and no help.
        assert!(
            problems
                .problems
                .iter()
                .all(|problem| problem.label.is_some() || problem.help.is_some())
        );
        assert!(problems.problems.is_sorted_by_key(|problem| problem.position));
        for problem in &problems.problems {
            let spans = problem.span.iter().chain(problem.also.iter().map(|(span, _)| span));
            for span in spans {
                assert!(problems.text.get(span.clone()).is_some(), "{problem:?}");
            }
        }
        let shown = format!("{problems}{}", problems.text);
        assert!(!shown.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')));
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(SCHEMA.is_valid(&as_json(text)), "{text}");
    }
}

/// A file as JSON, by YAML's own rules.
pub(super) fn as_json(text: &str) -> Value {
    fn node_as_json(node: &Node) -> Value {
        match (&node.content, node.kind()) {
            (Content::Mapping(mapping), _) => mapping
                .entries()
                .iter()
                .map(|entry| (entry.key.clone(), node_as_json(&entry.value)))
                .collect::<Map<_, _>>()
                .into(),
            (Content::Sequence(items), _) => items.iter().map(|item| node_as_json(item)).collect(),
            (Content::Scalar { .. }, Kind::Bool(value)) => json!(value),
            (Content::Scalar { .. }, Kind::Integer(number)) => json!(number),
            (Content::Scalar { .. }, Kind::Null) => Value::Null,
            (Content::Scalar { text, .. }, _) => json!(text),
        }
    }
    let (source, decoded) = decode(text.as_bytes());
    decoded.unwrap();
    let (root, problems) = tree::parse(&source).unwrap();
    assert_eq!(problems, []);
    node_as_json(&root)
}

#[test]
fn the_schema_for_editors_refuses_what_the_parser_refuses() {
    for (old, new) in [
        ("role: gateway", "rol: gateway"),
        ("count: 3", "count: 0"),
        ("name: shop", "name: Shop"),
        ("debian-12", "debian-12"),
        ("arch: arm64", "arch: arm"),
        ("[nyc1, nyc3]", "[]"),
        ("port: 22", "port: 0"),
        ("\"tag:app\"", "app"),
        ("min_version: \"1.78.0\"", "min_version: 1"),
        ("token_env: DO_TOKEN", "token_env: ~"),
    ] {
        let text = FULL.replacen(old, new, 1);
        let refused = parse("f", text.as_bytes()).is_err();
        assert_eq!(refused, !SCHEMA.is_valid(&as_json(&text)), "{new}");
        assert_eq!(refused, old != new, "{new}");
    }
}
