//! YAML as a tree in which every key and value knows its place.

mod builder;
mod syntax;

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use saphyr_parser::Parser;

use super::problem::Problem;
use super::source::Source;
use crate::error::Code;
use builder::Builder;
use syntax::syntax;

/// Deeper nesting than this is refused.
const MAX_DEPTH: usize = 64;

/// A value of the file. Aliases share the node of their anchor.
#[derive(Debug)]
pub(super) struct Node {
    /// Its bytes; for a list or mapping in block style, up to the last of its items.
    pub(super) span: Range<usize>,
    /// What it is.
    pub(super) content: Content,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Content {
    /// A text, number, truth value, or nothing.
    Scalar {
        /// As it stands, without quotes.
        text: String,
        /// Whether it stands without quotes, and so may be something other than a text.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Rc<Node>>),
    /// A mapping.
    Mapping(Mapping),
}

/// The entries of a mapping in the order of the file; no key stands twice.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    entries: Vec<Entry>,
    index: BTreeMap<String, usize>,
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: String,
    /// Where the key stands.
    pub(super) key_span: Range<usize>,
    /// The value.
    pub(super) value: Rc<Node>,
}

impl Mapping {
    /// The entries in the order of the file.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.index.get(key).map(|&number| &self.entries[number])
    }

    fn insert(&mut self, entry: Entry) {
        self.index.insert(entry.key.clone(), self.entries.len());
        self.entries.push(entry);
    }
}

impl Node {
    /// The mapping it is, if it is one.
    pub(super) fn mapping(&self) -> Option<&Mapping> {
        match &self.content {
            Content::Mapping(mapping) => Some(mapping),
            Content::Scalar { .. } | Content::Sequence(_) => None,
        }
    }

    /// The entry at the end of a path of keys.
    pub(super) fn entry(&self, path: &[&str]) -> Option<&Entry> {
        let (last, before) = path.split_last()?;
        let mut node = self;
        for key in before {
            node = &node.mapping()?.get(key)?.value;
        }
        node.mapping()?.get(last)
    }
}

/// Parses the one document of a source.
///
/// What is returned besides the tree are problems that leave a tree to go on with, such as a key
/// that stands twice.
///
/// # Errors
/// The one problem that leaves no tree.
pub(super) fn parse(source: &Source) -> Result<(Rc<Node>, Vec<Problem>), Problem> {
    let mut builder = Builder::new(source);
    for event in Parser::new_from_str(source.text()) {
        let (event, span) = event.map_err(|error| syntax(source, &error))?;
        builder.take(event, span)?;
    }
    let empty = |node: &Node| matches!(&node.content, Content::Scalar { text, plain: true } if text.is_empty());
    match builder.root {
        Some(root) if !empty(&root) => Ok((root, builder.problems)),
        Some(_) | None => Err(Problem::new(Code::CONFIG_MISSING_KEY, "the file says nothing")
            .at(0..0)
            .with_help("`stagecraft init` writes a first one; it never overwrites, so move this file away first")),
    }
}
