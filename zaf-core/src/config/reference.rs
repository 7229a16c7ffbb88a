//! References: `${output.dir}` in a text stands for the value of that key.
//!
//! All references of a text are replaced, also those in the values that they lead to. `$${` stands for the characters `${`.
//! Nothing recurses: a chain of any length needs no stack, a circle is found by the keys on the way, and every key is
//! computed once.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ReferenceError;
use super::key::Key;

/// Longest text with its references replaced, in bytes.
pub const EXPANDED_LIMIT: usize = 1 << 20;

/// All texts that one replacement may make on the way, in bytes; keeps chains of long texts from filling the memory.
const WORK_LIMIT: usize = 16 * EXPANDED_LIMIT;

/// What a reference finds under a key.
pub(super) enum Found {
    /// The text, which may have references itself.
    Text(String),
    /// The key is known but has no value.
    Unset,
    /// Its value may not be shown.
    Secret,
    /// Nobody knows the key; the nearest that is known.
    Unknown(Option<String>),
}

/// Whether a text has something to replace.
pub(super) fn has_references(text: &str) -> bool {
    text.contains("${")
}

/// A text on its way: what is done and what is still to be read.
struct Frame {
    /// Key whose value this is; none for the text that was asked for.
    key: Option<Key>,
    text: String,
    read: usize,
    done: String,
}

/// Replaces references and remembers what the keys on the way stand for.
#[derive(Debug, Default)]
pub(super) struct Expander {
    known: BTreeMap<Key, String>,
    /// Bytes in `known`.
    held: usize,
}

impl Expander {
    /// Replaces all references of `text`. `key` is the key that has the text, if any, so that it is part of a circle. `work`
    /// adds up the bytes that were written, for the bound on all parts of one value.
    ///
    /// # Errors
    ///
    /// Any [`ReferenceError`].
    pub(super) fn expand(
        &mut self,
        key: Option<&Key>,
        text: &str,
        work: &mut usize,
        mut find: impl FnMut(&Key) -> Found,
    ) -> Result<String, ReferenceError> {
        if self.held > WORK_LIMIT {
            *self = Self::default();
        }
        let mut open: BTreeSet<Key> = key.into_iter().cloned().collect();
        let mut frames = vec![Frame {
            key: key.cloned(),
            text: text.to_owned(),
            read: 0,
            done: String::new(),
        }];
        let mut put = |frame: &mut Frame, part: &str| {
            *work += part.len();
            if frame.done.len() + part.len() > EXPANDED_LIMIT || *work > WORK_LIMIT {
                return Err(ReferenceError::TooLong {
                    limit: EXPANDED_LIMIT,
                });
            }
            frame.done.push_str(part);
            Ok(())
        };
        loop {
            let frame = frames
                .last_mut()
                .expect("invariant: the first frame ends the loop");
            let rest = &frame.text[frame.read..];
            match next_reference(rest)? {
                Next::End => {
                    let rest = rest.to_owned();
                    put(frame, &rest)?;
                    let done = frames.pop().expect("invariant: just looked at it");
                    let Some(below) = frames.last_mut() else {
                        return Ok(done.done);
                    };
                    put(below, &done.done)?;
                    let key = done
                        .key
                        .expect("invariant: only the first frame may lack a key");
                    open.remove(&key);
                    self.held += done.done.len();
                    self.known.insert(key, done.done);
                }
                Next::Escape { before } => {
                    let part = format!("{}${{", &rest[..before]);
                    frame.read += before + "$${".len();
                    put(frame, &part)?;
                }
                Next::Reference {
                    before,
                    name,
                    after,
                } => {
                    let part = rest[..before].to_owned();
                    let name = name.to_owned();
                    frame.read += after;
                    put(frame, &part)?;
                    let key = Key::fold(&name);
                    if let Some(value) = self.known.get(&key) {
                        put(frame, value)?;
                        continue;
                    }
                    if open.contains(&key) {
                        let way = frames.iter().filter_map(|frame| frame.key.as_ref());
                        let circle = way.skip_while(|on_way| **on_way != key).chain([&key]);
                        return Err(ReferenceError::Cycle {
                            path: circle.map(Key::to_string).collect(),
                        });
                    }
                    let text = match find(&key) {
                        Found::Text(text) => text,
                        Found::Unset => return Err(ReferenceError::Unset { name }),
                        Found::Secret => return Err(ReferenceError::Secret { name }),
                        Found::Unknown(near) => return Err(ReferenceError::Unknown { name, near }),
                    };
                    open.insert(key.clone());
                    frames.push(Frame {
                        key: Some(key),
                        text,
                        read: 0,
                        done: String::new(),
                    });
                }
            }
        }
    }
}

enum Next<'a> {
    /// No reference any more.
    End,
    /// `$${` after so many bytes.
    Escape { before: usize },
    /// A reference after so many bytes; the text goes on after so many.
    Reference {
        before: usize,
        name: &'a str,
        after: usize,
    },
}

fn next_reference(text: &str) -> Result<Next<'_>, ReferenceError> {
    let Some(at) = text.find("${") else {
        return Ok(Next::End);
    };
    if text[..at].ends_with('$') {
        return Ok(Next::Escape { before: at - 1 });
    }
    let inside = &text[at + "${".len()..];
    let malformed = || ReferenceError::Malformed {
        text: text[at..].chars().take(40).collect(),
    };
    let length = inside.find('}').ok_or_else(malformed)?;
    let name = &inside[..length];
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || !name.chars().all(is_key) {
        return Err(malformed());
    }
    Ok(Next::Reference {
        before: at,
        name,
        after: at + "${".len() + length + "}".len(),
    })
}
