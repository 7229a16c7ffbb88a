//! YAML 1.2 to flat values with their positions.
//!
//! Reads the events of saphyr's parser into a tree of its own instead of saphyr's: so limits hold while parsing, an alias is a
//! pointer and not a copy, and tags, several documents and duplicate keys can be refused with their lines.
//!
//! `<<` merges the mappings that it names: keys that are not there yet are filled in, at any depth; the first mapping of a list
//! counts most. Unquoted words mean what the core schema says, but for numbers with leading zeros, which stay text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

use config::{FileStoredFormat, Format, Map};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::collect::{Flat, duplicate, to_map};
use super::{ALIAS_LIMIT, DEPTH_LIMIT, NODE_LIMIT};
use crate::config::problem::{Problem, Problems};
use crate::config::source::Document;
use crate::config::value::{Value, scalar};

/// YAML as a format of the `config` crate whose values know their bytes.
#[derive(Debug, Clone)]
pub(super) struct SpannedYaml(Arc<Document>);

impl SpannedYaml {
    pub(super) fn new(document: &Arc<Document>) -> Self {
        Self(Arc::clone(document))
    }
}

impl Format for SpannedYaml {
    fn parse(
        &self,
        _uri: Option<&String>,
        _text: &str,
    ) -> Result<Map<String, config::Value>, Box<dyn Error + Send + Sync>> {
        // The text is the document's, whose positions the problems need.
        Ok(to_map(&self.0, flatten(&self.0)?)?)
    }
}

impl FileStoredFormat for SpannedYaml {
    fn file_extensions(&self) -> &'static [&'static str] {
        &["yaml", "yml"]
    }
}

#[derive(Debug)]
enum Node<'a> {
    Scalar {
        text: Cow<'a, str>,
        plain: bool,
    },
    List(Vec<usize>),
    Mapping(Vec<(usize, usize)>),
    /// Points to the node with the anchor.
    Alias(usize),
}

#[derive(Debug)]
struct Placed<'a> {
    node: Node<'a>,
    span: Range<usize>,
    /// Whether its end was seen; an alias to a node that contains the alias is refused.
    closed: bool,
}

fn flatten(document: &Arc<Document>) -> Result<Vec<Flat>, Problems> {
    let tree = Tree::parse(document)?;
    let Some(root) = tree.root else {
        return Ok(Vec::new());
    };
    let mut flattener = Flattener {
        tree: &tree,
        flats: Vec::new(),
        problems: Vec::new(),
        visited: 0,
    };
    match &tree.nodes[root].node {
        Node::Mapping(_) => flattener.mapping(root, &Prefix::default(), 0, 0)?,
        Node::Scalar { text, plain: true } if matches!(scalar(text), Ok(Value::Unset)) => {}
        _ => {
            let span = tree.first_of(root);
            return Err(Problem::error("the file is not a mapping")
                .at(document, span, "expected `key: value`")
                .into());
        }
    }
    match Problems::from_list(flattener.problems) {
        Some(problems) => Err(problems),
        None => Ok(flattener.flats),
    }
}

struct Tree<'a> {
    document: &'a Arc<Document>,
    nodes: Vec<Placed<'a>>,
    root: Option<usize>,
}

/// A collection whose end was not seen yet.
struct Open {
    node: usize,
    key: Option<usize>,
}

impl<'a> Tree<'a> {
    fn parse(document: &'a Arc<Document>) -> Result<Self, Problems> {
        let bytes = Bytes::of(document.text());
        let mut tree = Self {
            document,
            nodes: Vec::new(),
            root: None,
        };
        let mut open: Vec<Open> = Vec::new();
        let mut anchors: BTreeMap<usize, usize> = BTreeMap::new();
        let mut aliases = 0;
        let mut documents = 0;
        let mut parser = Parser::new_from_str(document.text());
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| tree.syntax(&error, &bytes))?;
            let span = bytes.range(span);
            let refuse = |title: &str, label: &str| -> Problems {
                Problem::error(title)
                    .at(document, span.clone(), label)
                    .into()
            };
            let (node, anchor, is_tagged, closed) = match event {
                Event::StreamEnd => break,
                Event::Nothing | Event::StreamStart | Event::DocumentEnd => continue,
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let label = "a second document begins here; only one is read";
                        return Err(refuse("the file has several documents", label));
                    }
                    continue;
                }
                Event::MappingEnd | Event::SequenceEnd => {
                    let done = open
                        .pop()
                        .expect("invariant: the parser balances its events");
                    tree.nodes[done.node].closed = true;
                    tree.nodes[done.node].span.end = span.end.max(tree.nodes[done.node].span.start);
                    tree.check_keys(done.node)?;
                    tree.attach(&mut open, done.node);
                    continue;
                }
                Event::Alias(anchor) => {
                    aliases += 1;
                    if aliases > ALIAS_LIMIT {
                        let label = format!("at most {ALIAS_LIMIT} are allowed");
                        return Err(refuse("the file has too many aliases", &label));
                    }
                    match anchors.get(&anchor) {
                        Some(target) if tree.nodes[*target].closed => {
                            (Node::Alias(*target), 0, false, true)
                        }
                        Some(_) => {
                            let label = "this alias stands inside the value that it refers to";
                            return Err(refuse("a value contains itself", label));
                        }
                        None => {
                            return Err(refuse("unknown alias", "no anchor of this name before it"));
                        }
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let plain = style == ScalarStyle::Plain;
                    (Node::Scalar { text, plain }, anchor, tag.is_some(), true)
                }
                Event::SequenceStart(anchor, tag) => {
                    (Node::List(Vec::new()), anchor, tag.is_some(), false)
                }
                Event::MappingStart(anchor, tag) => {
                    (Node::Mapping(Vec::new()), anchor, tag.is_some(), false)
                }
            };
            if is_tagged {
                let label = "remove the tag; the option decides what the value is";
                return Err(refuse("tags are not supported", label));
            }
            if tree.nodes.len() >= NODE_LIMIT {
                let label = format!("at most {NODE_LIMIT} are allowed");
                return Err(refuse("the file has too many values", &label));
            }
            let index = tree.nodes.len();
            tree.nodes.push(Placed {
                node,
                span: span.clone(),
                closed,
            });
            if anchor > 0 {
                anchors.insert(anchor, index);
            }
            if closed {
                tree.attach(&mut open, index);
            } else {
                open.push(Open {
                    node: index,
                    key: None,
                });
                if open.len() > DEPTH_LIMIT {
                    let label = format!("at most {DEPTH_LIMIT} levels are allowed");
                    return Err(refuse("the file is nested too deeply", &label));
                }
            }
        }
        Ok(tree)
    }

    /// Puts a finished node into the collection that is open.
    fn attach(&mut self, open: &mut [Open], index: usize) {
        let Some(parent) = open.last_mut() else {
            self.root = Some(index);
            return;
        };
        match &mut self.nodes[parent.node].node {
            Node::List(items) => items.push(index),
            Node::Mapping(pairs) => match parent.key.take() {
                None => parent.key = Some(index),
                Some(key) => pairs.push((key, index)),
            },
            Node::Scalar { .. } | Node::Alias(_) => {
                unreachable!("invariant: only collections are open");
            }
        }
    }

    fn syntax(&self, error: &ScanError, bytes: &Bytes<'_>) -> Problems {
        let at = bytes.byte(error.marker().index());
        let text = self.document.text();
        let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
        Problem::error("the file is not YAML")
            .at(self.document, at..end, error.info())
            .into()
    }

    /// One mapping cannot have a key twice, even if one value is a mapping and the other is not.
    fn check_keys(&self, mapping: usize) -> Result<(), Problems> {
        let Node::Mapping(pairs) = &self.nodes[mapping].node else {
            return Ok(());
        };
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        let mut problems = Vec::new();
        for (key, _) in pairs {
            let Node::Scalar { text, .. } = &self.nodes[self.target(*key)].node else {
                continue;
            };
            if let Some(other) = first.insert(text, *key) {
                let (at, first) = (&self.nodes[*key].span, &self.nodes[other].span);
                problems.push(duplicate(self.document, text, at, text, first));
            }
        }
        Problems::from_list(problems).map_or(Ok(()), Err)
    }

    fn target(&self, index: usize) -> usize {
        match self.nodes[index].node {
            // Aliases are made of closed anchors, and an alias has no anchor, so one step is all.
            Node::Alias(target) => target,
            _ => index,
        }
    }

    /// The first few bytes of a node, for pointing at something large.
    fn first_of(&self, index: usize) -> Range<usize> {
        let span = &self.nodes[index].span;
        let text = &self.document.text()[span.clone()];
        let length = text
            .find(['\n', '\r'])
            .unwrap_or(text.len())
            .max(usize::from(!text.is_empty()));
        span.start..span.start + length
    }
}

/// Key and place of the mapping that is being read.
#[derive(Debug, Clone, Default)]
struct Prefix {
    spelling: String,
    key: Option<Range<usize>>,
}

impl Prefix {
    fn join(&self, document: &Document, word: &str, span: &Range<usize>) -> Self {
        match &self.key {
            None => Self {
                spelling: word.to_owned(),
                key: Some(span.clone()),
            },
            Some(_) => Self {
                spelling: format!("{}.{word}", self.spelling),
                key: Some(joined(document, self.key.as_ref(), span)),
            },
        }
    }
}

/// Bytes of a nested key: from the first word if all stand in one line, else the last word.
pub(super) fn joined(
    document: &Document,
    before: Option<&Range<usize>>,
    word: &Range<usize>,
) -> Range<usize> {
    match before {
        Some(before) if before.end <= word.start => {
            let between = document.text().get(before.end..word.start).unwrap_or("\n");
            let is_chain = between
                .chars()
                .all(|c| matches!(c, '.' | ' ' | '\t' | '"' | '\''));
            if is_chain {
                before.start..word.end
            } else {
                word.clone()
            }
        }
        _ => word.clone(),
    }
}

struct Flattener<'a> {
    tree: &'a Tree<'a>,
    flats: Vec<Flat>,
    problems: Vec<Problem>,
    visited: usize,
}

impl Flattener<'_> {
    /// Reads a mapping. Recursion is bounded by the depth, work by the nodes that are visited, aliases included.
    fn mapping(
        &mut self,
        index: usize,
        prefix: &Prefix,
        depth: usize,
        merged: usize,
    ) -> Result<(), Problems> {
        let tree = self.tree;
        self.visit(index, depth)?;
        let Node::Mapping(pairs) = &tree.nodes[index].node else {
            unreachable!("invariant: only called for mappings");
        };
        for &(key, value) in pairs {
            self.visit(key, depth)?;
            let key_span = &tree.nodes[key].span;
            let Node::Scalar { text, plain } = &tree.nodes[tree.target(key)].node else {
                let span = tree.first_of(key);
                self.problem(
                    "a key is not a word",
                    span,
                    "expected a key like `output.dir`",
                );
                continue;
            };
            if *plain && text == "<<" {
                self.merge(value, prefix, depth, merged + 1)?;
                continue;
            }
            if text.is_empty() {
                self.problem(
                    "a key is empty",
                    key_span.clone(),
                    "expected a key like `output.dir`",
                );
                continue;
            }
            let prefix = prefix.join(tree.document, text, key_span);
            self.value(value, prefix, depth, merged)?;
        }
        Ok(())
    }

    fn value(
        &mut self,
        index: usize,
        prefix: Prefix,
        depth: usize,
        merged: usize,
    ) -> Result<(), Problems> {
        let tree = self.tree;
        self.visit(index, depth)?;
        let target = tree.target(index);
        let span = tree.first_of(index);
        let mut spans = Vec::new();
        let value = match &tree.nodes[target].node {
            Node::Mapping(_) => return self.mapping(target, &prefix, depth + 1, merged),
            Node::List(items) => {
                let mut values = Vec::new();
                for &item in items {
                    self.visit(item, depth + 1)?;
                    let span = tree.first_of(item);
                    match &tree.nodes[tree.target(item)].node {
                        Node::Scalar { text, plain } => {
                            let value = self.scalar(text, *plain, &span);
                            if value == Value::Unset {
                                let title = "an element of a list is empty";
                                self.problem(title, span.clone(), "expected a value");
                            }
                            values.push(value);
                        }
                        _ => {
                            let title = "an element of a list is not a single value";
                            self.problem(
                                title,
                                span.clone(),
                                "expected text, a number, `true` or `false`",
                            );
                        }
                    }
                    spans.push(span);
                }
                Value::List(values)
            }
            Node::Scalar { text, plain } => self.scalar(text, *plain, &span),
            Node::Alias(_) => unreachable!("invariant: targets are no aliases"),
        };
        self.flats.push(Flat {
            key: prefix.key.unwrap_or_default(),
            spelling: prefix.spelling,
            value,
            span,
            items: spans,
            merged,
        });
        Ok(())
    }

    fn merge(
        &mut self,
        index: usize,
        prefix: &Prefix,
        depth: usize,
        merged: usize,
    ) -> Result<(), Problems> {
        let tree = self.tree;
        let target = tree.target(index);
        match &tree.nodes[target].node {
            Node::Mapping(_) => self.mapping(target, prefix, depth + 1, merged),
            Node::List(items) => {
                self.visit(target, depth)?;
                for (order, &item) in items.iter().enumerate() {
                    let mapping = tree.target(item);
                    if matches!(tree.nodes[mapping].node, Node::Mapping(_)) {
                        self.mapping(mapping, prefix, depth + 1, merged + order)?;
                    } else {
                        let span = tree.first_of(item);
                        self.problem(
                            "`<<` merges something else than mappings",
                            span,
                            "expected a mapping",
                        );
                    }
                }
                Ok(())
            }
            _ => {
                let span = tree.first_of(index);
                self.problem(
                    "`<<` merges something else than mappings",
                    span,
                    "expected `<<: *anchor`",
                );
                Ok(())
            }
        }
    }

    fn scalar(&mut self, text: &str, plain: bool, span: &Range<usize>) -> Value {
        if !plain {
            return Value::Text(text.to_owned());
        }
        scalar(text).unwrap_or_else(|message| {
            self.problem("a number is too large", span.clone(), &message);
            Value::Integer(0)
        })
    }

    fn visit(&mut self, index: usize, depth: usize) -> Result<(), Problems> {
        self.visited += 1;
        let (title, label) = if depth > DEPTH_LIMIT {
            (
                "the file is nested too deeply",
                format!("at most {DEPTH_LIMIT} levels are allowed"),
            )
        } else if self.visited > 2 * NODE_LIMIT {
            (
                "the file has too many values",
                "too many aliases to large values".to_owned(),
            )
        } else {
            return Ok(());
        };
        let span = self.tree.first_of(index);
        Err(Problem::error(title)
            .at(self.tree.document, span, label)
            .into())
    }

    fn problem(&mut self, title: &str, span: Range<usize>, label: &str) {
        self.problems
            .push(Problem::error(title).at(self.tree.document, span, label));
    }
}

/// Finds bytes for the parser's positions, which count characters.
struct Bytes<'a> {
    text: &'a str,
    /// Byte of every so many characters; empty for ASCII.
    marks: Vec<usize>,
}

/// Characters between two marks: a compromise between memory and steps.
const MARK_EVERY: usize = 256;

impl<'a> Bytes<'a> {
    fn of(text: &'a str) -> Self {
        let marks = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices()
                .step_by(MARK_EVERY)
                .map(|(byte, _)| byte)
                .collect()
        };
        Self { text, marks }
    }

    fn byte(&self, character: usize) -> usize {
        if self.marks.is_empty() {
            return character.min(self.text.len());
        }
        let Some(&mark) = self.marks.get(character / MARK_EVERY) else {
            return self.text.len();
        };
        let after = self.text[mark..].char_indices().nth(character % MARK_EVERY);
        after.map_or(self.text.len(), |(byte, _)| mark + byte)
    }

    /// Bytes of a span without the white space at its end.
    fn range(&self, span: Span) -> Range<usize> {
        let start = self.byte(span.start.index());
        let end = self.byte(span.end.index()).max(start);
        start..start + self.text[start..end].trim_end().len()
    }
}
