//! The tree of a YAML text: nodes with their bytes, made of the events of saphyr's parser.
//!
//! An alias is a pointer to a node and never a copy, so no text can make a tree that is larger than itself.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::collect::duplicate;
use super::{ALIAS_LIMIT, DEPTH_LIMIT, NODE_LIMIT, PROBLEM_LIMIT};
use crate::config::problem::{Problem, Problems};
use crate::config::source::Document;

#[derive(Debug)]
pub(super) enum Node<'a> {
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
pub(super) struct Placed<'a> {
    pub(super) node: Node<'a>,
    pub(super) span: Range<usize>,
    /// Whether its end was seen; an alias to a node that contains the alias is refused.
    closed: bool,
}

pub(super) struct Tree<'a> {
    pub(super) document: &'a Arc<Document>,
    pub(super) nodes: Vec<Placed<'a>>,
    pub(super) root: Option<usize>,
}

/// A collection whose end was not seen yet.
struct Open {
    node: usize,
    key: Option<usize>,
}

impl<'a> Tree<'a> {
    pub(super) fn parse(document: &'a Arc<Document>) -> Result<Self, Problems> {
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
                    let target = anchors.get(&anchor).copied();
                    let alias = tree.alias(target, aliases);
                    (
                        alias.map_err(|(title, label)| refuse(title, &label))?,
                        0,
                        false,
                        true,
                    )
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

    /// A node that points to its target; title and label of the problem if it may not.
    fn alias(
        &self,
        target: Option<usize>,
        count: usize,
    ) -> Result<Node<'a>, (&'static str, String)> {
        if count > ALIAS_LIMIT {
            return Err((
                "the file has too many aliases",
                format!("at most {ALIAS_LIMIT} are allowed"),
            ));
        }
        match target {
            Some(target) if self.nodes[target].closed => Ok(Node::Alias(target)),
            Some(_) => {
                let label = "this alias stands inside the value that it refers to";
                Err(("a value contains itself", label.to_owned()))
            }
            None => Err((
                "unknown alias",
                "no anchor of this name before it".to_owned(),
            )),
        }
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
        let text = self.document.text();
        // What is noticed at the end of the file is shown at its last line with something in it.
        let last = text.trim_end().char_indices().next_back();
        let at = bytes.byte(error.marker().index());
        let at = last.map_or(at, |(last, _)| at.min(last));
        let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
        let problem =
            Problem::error("the file is not YAML").at(self.document, at..end, error.info());
        match usual_mistake(error.info()) {
            Some(mistake) => problem.detail(mistake).into(),
            None => problem.into(),
        }
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
            if let Some(other) = first.insert(text, *key)
                && problems.len() < PROBLEM_LIMIT
            {
                let (at, first) = (&self.nodes[*key].span, &self.nodes[other].span);
                problems.push(duplicate(self.document, text, at, text, first));
            }
        }
        Problems::from_list(problems).map_or(Ok(()), Err)
    }

    pub(super) fn target(&self, index: usize) -> usize {
        match self.nodes[index].node {
            // Aliases are made of closed anchors, and an alias has no anchor, so one step is all.
            Node::Alias(target) => target,
            _ => index,
        }
    }

    /// The first few bytes of a node, for pointing at something large.
    pub(super) fn first_of(&self, index: usize) -> Range<usize> {
        let span = &self.nodes[index].span;
        let text = &self.document.text()[span.clone()];
        let length = text
            .find(['\n', '\r'])
            .unwrap_or(text.len())
            .max(usize::from(!text.is_empty()));
        span.start..span.start + length
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

/// What usually is the reason for what the parser says in its own words.
fn usual_mistake(info: &str) -> Option<&'static str> {
    if info.contains("tab") {
        Some("YAML is indented with blanks, not with tabs")
    } else if info.contains("did not find expected node content") {
        Some("a `[` or `{` may not be closed, or a value may be missing")
    } else if info.contains("mapping values are not allowed") {
        Some("a text with `: ` in it needs quotes; else the line may be indented too far")
    } else {
        None
    }
}
