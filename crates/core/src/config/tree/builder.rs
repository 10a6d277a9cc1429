//! From parser events to the tree, within limits.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use saphyr_parser::{Event, ScalarStyle, Span};

use super::syntax::too_deep;
use super::{Content, Entry, MAX_DEPTH, Mapping, Node};
use crate::config::problem::Problem;
use crate::config::source::{Source, quoted};
use crate::error::Code;

/// More nodes than this, aliases counted as often as they are used, are refused.
const MAX_NODES: usize = 100_000;

/// A list or mapping whose end has not been seen.
#[derive(Debug)]
struct Open {
    start: usize,
    anchor: usize,
    /// The builder's count before it.
    count: usize,
    /// Of its deepest value so far.
    height: usize,
    items: Items,
}

#[derive(Debug)]
enum Items {
    Sequence(Vec<Rc<Node>>),
    Mapping(Mapping, Awaited),
}

/// What comes next in a mapping.
#[derive(Debug)]
enum Awaited {
    Key,
    Value(String, Range<usize>),
    /// The value of a key that is wrong.
    LostValue,
}

/// What an alias stands for.
#[derive(Clone, Debug)]
struct Anchored {
    node: Rc<Node>,
    count: usize,
    height: usize,
}

#[derive(Debug)]
pub(super) struct Builder<'a> {
    source: &'a Source,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    /// Nodes so far, those behind aliases included.
    count: usize,
    documents: usize,
    pub(super) root: Option<Rc<Node>>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Self {
            source,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            count: 0,
            documents: 0,
            root: None,
            problems: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let span = self.source.byte_of_char(span.start.index())
            ..self.source.byte_of_char(span.end.index());
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents == 1 {
                    return Ok(());
                }
                Err(Problem::new(Code::CONFIG_SYNTAX, "the file holds several YAML documents")
                    .at(span)
                    .with_label("the second one starts here")
                    .with_help("keep one document in the file"))
            }
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor).cloned() else {
                    return Err(Problem::new(
                        Code::CONFIG_SYNTAX,
                        "an alias is inside its own anchor",
                    )
                    .at(span)
                    .with_label("this would have no end"));
                };
                self.add(target, span)
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), &span);
                let plain = match style {
                    ScalarStyle::Plain => true,
                    ScalarStyle::SingleQuoted
                    | ScalarStyle::DoubleQuoted
                    | ScalarStyle::Literal
                    | ScalarStyle::Folded => false,
                };
                let content = Content::Scalar { text: text.into_owned(), plain };
                self.finish(anchor, 1, 0, Node { span, content })
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), &span);
                self.start(anchor, span, Items::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), &span);
                self.start(anchor, span, Items::Mapping(Mapping::default(), Awaited::Key))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else {
                    return Ok(());
                };
                let content = match open.items {
                    Items::Sequence(items) => Content::Sequence(items),
                    Items::Mapping(mapping, _) => Content::Mapping(mapping),
                };
                let count = self.count - open.count;
                // The count of this node is added again when it takes its place.
                self.count = open.count;
                let node = Node { span: open.start..span.end.max(open.start), content };
                self.finish(open.anchor, count, open.height, node)
            }
        }
    }

    fn start(&mut self, anchor: usize, span: Range<usize>, items: Items) -> Result<(), Problem> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(span));
        }
        let count = self.count;
        self.count += 1;
        self.open.push(Open { start: span.start, anchor, count, height: 0, items });
        Ok(())
    }

    fn finish(
        &mut self,
        anchor: usize,
        count: usize,
        height: usize,
        node: Node,
    ) -> Result<(), Problem> {
        let span = node.span.clone();
        let done = Anchored { node: Rc::new(node), count, height };
        if anchor > 0 {
            self.anchors.insert(anchor, done.clone());
        }
        self.add(done, span)
    }

    /// Puts a finished value, or what an alias stands for, where it belongs.
    fn add(&mut self, done: Anchored, span: Range<usize>) -> Result<(), Problem> {
        self.count = self.count.saturating_add(done.count);
        if self.count > MAX_NODES {
            return Err(Problem::new(
                Code::CONFIG_SYNTAX,
                format!("the file has more than {MAX_NODES} values, aliases included"),
            )
            .at(span)
            .with_label("the limit is passed here"));
        }
        if self.open.len() + done.height > MAX_DEPTH {
            return Err(too_deep(span));
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(done.node);
            return Ok(());
        };
        parent.height = parent.height.max(done.height + 1);
        match &mut parent.items {
            Items::Sequence(items) => items.push(done.node),
            Items::Mapping(mapping, awaited) => {
                *awaited = match std::mem::replace(awaited, Awaited::Key) {
                    Awaited::Key => match key(&done.node, &span, mapping) {
                        Ok(key) => Awaited::Value(key, span),
                        Err(problem) => {
                            self.problems.push(problem);
                            Awaited::LostValue
                        }
                    },
                    Awaited::Value(key, key_span) => {
                        mapping.insert(Entry { key, key_span, value: done.node });
                        Awaited::Key
                    }
                    Awaited::LostValue => Awaited::Key,
                };
            }
        }
        Ok(())
    }

    fn refuse_tag(&mut self, tagged: bool, span: &Range<usize>) {
        if tagged {
            self.problems.push(
                Problem::new(Code::CONFIG_SYNTAX, "YAML tags such as `!!str` are not supported")
                    .at(span.clone())
                    .with_help("remove the tag; quote a value to make it a text"),
            );
        }
    }
}

/// The text of a key that may be added to `mapping`.
fn key(node: &Node, span: &Range<usize>, mapping: &Mapping) -> Result<String, Problem> {
    let (text, plain) = match &node.content {
        Content::Scalar { text, plain } => (text, *plain),
        Content::Sequence(_) | Content::Mapping(_) => {
            return Err(Problem::new(Code::CONFIG_WRONG_TYPE, "a key must be a text")
                .at(span.clone())
                .with_label("a list or mapping stands where a key is needed"));
        }
    };
    if plain && text == "<<" {
        return Err(Problem::new(Code::CONFIG_UNKNOWN_KEY, "merge keys (`<<`) are not supported")
            .at(span.clone())
            .with_help("write the keys out, or use an alias for the whole mapping"));
    }
    match mapping.get(text) {
        Some(first) => Err(Problem::new(
            Code::CONFIG_DUPLICATE_KEY,
            format!("the key {} stands twice in one mapping", quoted(text)),
        )
        .at(span.clone())
        .with_label("the second time")
        .with_also(first.key_span.clone(), "the first time")
        .with_help("remove one of the two")),
        None => Ok(text.clone()),
    }
}
