//! YAML 1.2 to flat values with their positions.
//!
//! Reads the events of saphyr's parser into a tree of its own instead of saphyr's: so limits hold while parsing, an alias is a
//! pointer and not a copy, and tags, several documents and duplicate keys can be refused with their lines.
//!
//! `<<` merges the mappings that it names: keys that are not there yet are filled in, at any depth; the first mapping of a list
//! counts most. Unquoted words mean what the core schema says, but for numbers with leading zeros, which stay text.

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

use config::{FileStoredFormat, Format, Map};

use super::collect::{Flat, to_map};
use super::yaml_tree::{Node, Tree};
use super::{DEPTH_LIMIT, NODE_LIMIT, PROBLEM_LIMIT};
use crate::config::problem::{Problem, Problems};
use crate::config::scalar::scalar;
use crate::config::source::Document;
use crate::config::value::Value;

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
                    if let Node::Scalar { text, plain } = &tree.nodes[tree.target(item)].node {
                        let value = self.scalar(text, *plain, &span);
                        if value == Value::Unset {
                            self.problem(
                                "an element of a list is empty",
                                span.clone(),
                                "expected a value",
                            );
                        }
                        values.push(value);
                    } else {
                        let title = "an element of a list is not a single value";
                        self.problem(
                            title,
                            span.clone(),
                            "expected text, a number, `true` or `false`",
                        );
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
        if self.problems.len() >= PROBLEM_LIMIT {
            return;
        }
        self.problems
            .push(Problem::error(title).at(self.tree.document, span, label));
    }
}
