//! Tokens of Rust: their places, and the small shapes that attributes are made of.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

use crate::declared::Place;

/// `#[path::name(arguments)]`.
pub(crate) fn attribute(group: &Group) -> Option<(String, Option<Group>)> {
    let mut name = None;
    for token in group.stream() {
        match token {
            TokenTree::Ident(word) => name = Some(word.to_string()),
            TokenTree::Group(arguments) => return Some((name?, Some(arguments))),
            TokenTree::Punct(punct) if punct.as_char() == '=' => break,
            _ => {}
        }
    }
    Some((name?, None))
}

/// `key = value` or `key: value`, separated by commas: the key, and the last token of the value.
pub(crate) fn keyed(tokens: TokenStream, separator: char) -> Vec<(String, TokenTree)> {
    let mut pairs = Vec::new();
    let (mut key, mut value, mut is_value) = (String::new(), None, false);
    for token in tokens {
        if is_punct(&token, ',') {
            pairs.extend(value.take().map(|value| (std::mem::take(&mut key), value)));
            (key, is_value) = (String::new(), false);
        } else if is_value {
            value = Some(token);
        } else if is_punct(&token, separator) && !is_joint(&token) && !key.ends_with(separator) {
            is_value = true;
        } else {
            key += &token.to_string();
        }
    }
    pairs.extend(value.map(|value| (key, value)));
    pairs
}

/// The elements of a list as they are written, without blanks.
pub(crate) fn elements(tokens: TokenStream) -> Vec<String> {
    let mut elements = vec![String::new()];
    for token in tokens {
        if is_punct(&token, ',') {
            elements.push(String::new());
        } else if let Some(last) = elements.last_mut() {
            *last += &token.to_string();
        }
    }
    elements.retain(|element| !element.is_empty());
    elements
}

/// The end of what stands in a body.
pub(crate) fn end_of_content(body: &Group) -> usize {
    let last = body.stream().into_iter().last();
    last.map_or(inner(body).start, |last| place(&last).end)
}

pub(crate) fn group(token: &TokenTree, delimiter: Delimiter) -> Option<&Group> {
    match token {
        TokenTree::Group(group) if group.delimiter() == delimiter => Some(group),
        _ => None,
    }
}

pub(crate) fn braces(token: &TokenTree) -> Option<&Group> {
    group(token, Delimiter::Brace)
}

pub(crate) fn is_parenthesized(token: &TokenTree) -> bool {
    group(token, Delimiter::Parenthesis).is_some()
}

pub(crate) fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// Whether a sign follows at once, as in `::`.
pub(crate) fn is_joint(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint && punct.as_char() == ':')
}

pub(crate) fn place(token: &TokenTree) -> Place {
    token.span().byte_range()
}

pub(crate) fn outer(group: &Group) -> Place {
    group.span().byte_range()
}

pub(crate) fn inner(group: &Group) -> Place {
    group.span_open().byte_range().end..group.span_close().byte_range().start
}
