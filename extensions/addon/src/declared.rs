//! Extensions as their source declares them: where in the text things stand, so that something can be added without touching the rest.
//!
//! Reads tokens, not items: what surrounds an extension may be anything that Rust's lexer knows.

use std::ops::Range;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::tokens::{
    attribute, braces, elements, end_of_content, group, inner, is_parenthesized, is_punct, keyed,
    outer, place,
};

/// Where something stands, in bytes from the beginning of the file.
pub(crate) type Place = Range<usize>;

/// An extension, and the places around it. Every place is one of the text that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    /// Its type.
    pub(crate) type_name: String,
    /// Whether everybody can name it.
    pub(crate) is_public: bool,
    /// Where its documentation or its first attribute begins.
    pub(crate) begin: usize,
    /// What its attribute says, between the parentheses.
    pub(crate) arguments: List,
    /// `config_options = […]`.
    pub(crate) options: Option<List>,
    /// The elements of `config_options`, as they are written.
    pub(crate) asked_for: Vec<String>,
    /// `endpoints_and_messages = {…}`: each endpoint with its messages.
    pub(crate) endpoints: Option<(List, Vec<(String, List)>)>,
    /// Its fields.
    pub(crate) fields: Fields,
    /// The end of its declaration.
    pub(crate) end: usize,
    /// How it is made.
    pub(crate) new: Option<New>,
    /// The end of `impl Extension for …`.
    pub(crate) extension_end: Option<usize>,
    /// The end of the last method of its first `impl` without handlers, within the braces.
    pub(crate) methods_end: Option<usize>,
    /// What `activate_on` names, as it is written.
    pub(crate) activated_by: Vec<String>,
    /// The end of the last handler of `#[dispatchers] impl …`, within its braces.
    pub(crate) handlers_end: Option<usize>,
    /// What its handlers listen to.
    pub(crate) handled: Vec<Handled>,
    /// The end of the last test, within the braces of `mod tests`.
    pub(crate) tests_end: Option<usize>,
}

/// What stands between brackets, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List {
    /// Between the brackets.
    pub(crate) inner: Place,
    /// The end of the last element; none without elements.
    pub(crate) last: Option<usize>,
    /// Whether a comma follows the last element.
    pub(crate) has_comma: bool,
}

/// The fields of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fields {
    /// None; the place of the `;`.
    None(Place),
    /// Fields with names, and the names.
    Named(List, Vec<String>),
    /// Fields without names.
    Tuple,
}

/// `fn new` of an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct New {
    /// The name of its parameter.
    pub(crate) parameter: Place,
    /// What it returns.
    pub(crate) value: Value,
}

/// What `fn new` returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// `Ok(Self)`; the place of `Self`.
    Unit(Place),
    /// `Ok(Self {…})`.
    Named(List),
    /// Something else.
    Other,
}

/// A message that a handler listens to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handled {
    /// As it is written.
    pub(crate) message: String,
    /// The first endpoint that it listens at, as it is written; none for all.
    pub(crate) endpoint: Option<String>,
}

impl Declared {
    /// The extensions of a source, in its order.
    ///
    /// # Errors
    /// What the lexer says.
    pub(crate) fn of(text: &str) -> Result<Vec<Self>, String> {
        let tokens: TokenStream = text.parse().map_err(|error| format!("{error}"))?;
        let items = items(tokens);
        let mut found: Vec<Self> = items.iter().filter_map(Item::extension).collect();
        for one in &mut found {
            for item in &items {
                one.add(item);
            }
        }
        Ok(found)
    }

    /// Adds what an item says about it.
    fn add(&mut self, item: &Item) {
        let Some(body) = item.body() else { return };
        let words: Vec<String> = item.words().collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["mod", "tests"] => self.tests_end = Some(end_of_content(body)),
            ["impl", of @ .., "Extension", "for", name]
                if *name == self.type_name && of.iter().all(|part| *part != "for") =>
            {
                self.new = new(body);
                self.extension_end = Some(outer(body).end);
            }
            ["impl", name] if *name == self.type_name => {
                if item.attribute("dispatchers").is_some() {
                    self.handlers_end = Some(end_of_content(body));
                    self.handled.extend(handled(body));
                } else if self.methods_end.is_none() {
                    self.methods_end = Some(end_of_content(body));
                }
            }
            _ => {}
        }
    }
}

impl List {
    fn of(group: &Group) -> Self {
        let mut list = Self {
            inner: inner(group),
            last: None,
            has_comma: false,
        };
        for token in group.stream() {
            list.has_comma = is_punct(&token, ',');
            if !list.has_comma {
                list.last = Some(place(&token).end);
            }
        }
        list
    }
}

/// An item at the top of a file: attributes, and the tokens up to its end.
struct Item {
    attributes: Vec<(String, Option<Group>)>,
    begin: usize,
    tokens: Vec<TokenTree>,
}

impl Item {
    fn attribute(&self, name: &str) -> Option<&Option<Group>> {
        let found = self.attributes.iter().find(|(found, _)| found == name);
        found.map(|(_, arguments)| arguments)
    }

    /// The words in front of the body, without visibility and generic arguments.
    fn words(&self) -> impl Iterator<Item = String> {
        let words = self.tokens.iter().filter_map(|token| match token {
            TokenTree::Ident(word) => Some(word.to_string()),
            _ => None,
        });
        words.filter(|word| word != "pub" && word != "unsafe")
    }

    fn body(&self) -> Option<&Group> {
        self.tokens.iter().rev().find_map(braces)
    }

    fn extension(&self) -> Option<Declared> {
        let mut names = ["command_extension", "framework_extension"].into_iter();
        let arguments = names.find_map(|name| self.attribute(name)?.as_ref())?;
        let words: Vec<String> = self.words().collect();
        let [keyword, type_name, ..] = words.as_slice() else {
            return None;
        };
        if keyword != "struct" {
            return None;
        }
        let end = self.tokens.last()?;
        let fields = match (self.body(), is_punct(end, ';')) {
            (Some(body), _) => Fields::Named(List::of(body), field_names(body)),
            (None, true) if self.tokens.iter().any(is_parenthesized) => Fields::Tuple,
            (None, true) => Fields::None(place(end)),
            (None, false) => return None,
        };
        let mut declared = Declared {
            type_name: type_name.clone(),
            is_public: matches!(self.tokens.as_slice(), [TokenTree::Ident(word), TokenTree::Ident(_), ..] if word == "pub"),
            begin: self.begin,
            arguments: List::of(arguments),
            options: None,
            asked_for: Vec::new(),
            endpoints: None,
            fields,
            end: place(end).end,
            new: None,
            extension_end: None,
            methods_end: None,
            activated_by: Vec::new(),
            handlers_end: None,
            handled: Vec::new(),
            tests_end: None,
        };
        for (key, value) in keyed(arguments.stream(), '=') {
            match (key.as_str(), value) {
                ("config_options", TokenTree::Group(list)) => {
                    declared.options = Some(List::of(&list));
                    declared.asked_for = elements(list.stream());
                }
                ("activate_on", TokenTree::Group(list)) => {
                    declared.activated_by = elements(list.stream());
                }
                ("endpoints_and_messages", TokenTree::Group(map)) => {
                    let messages = keyed(map.stream(), ':').into_iter();
                    let messages = messages.filter_map(|(endpoint, value)| match value {
                        TokenTree::Group(list) => Some((endpoint, List::of(&list))),
                        _ => None,
                    });
                    declared.endpoints = Some((List::of(&map), messages.collect()));
                }
                _ => {}
            }
        }
        Some(declared)
    }
}

fn items(tokens: TokenStream) -> Vec<Item> {
    let mut items = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while tokens.peek().is_some() {
        let mut item = Item {
            attributes: Vec::new(),
            begin: 0,
            tokens: Vec::new(),
        };
        while let Some(token) = tokens.next() {
            if item.tokens.is_empty() && is_punct(&token, '#') {
                // `#!` is an attribute of the file.
                let is_of_the_file = tokens.next_if(|next| is_punct(next, '!')).is_some();
                let group = tokens.next();
                if let (false, Some(TokenTree::Group(group))) = (is_of_the_file, group) {
                    if item.attributes.is_empty() {
                        item.begin = place(&token).start;
                    }
                    item.attributes.extend(attribute(&group));
                }
                continue;
            }
            let is_end = is_punct(&token, ';') || braces(&token).is_some();
            if item.tokens.is_empty() && item.attributes.is_empty() {
                item.begin = place(&token).start;
            }
            item.tokens.push(token);
            if is_end {
                break;
            }
        }
        items.push(item);
    }
    items
}

fn field_names(body: &Group) -> Vec<String> {
    let mut names = Vec::new();
    let mut before = None;
    let mut is_name_open = true;
    for token in body.stream() {
        match &token {
            TokenTree::Ident(word) => before = Some(word.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == ':' && is_name_open => {
                names.extend(before.take());
                is_name_open = false;
            }
            TokenTree::Punct(punct) if punct.as_char() == ',' => is_name_open = true,
            _ => {}
        }
    }
    names
}

fn new(body: &Group) -> Option<New> {
    let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    let at = tokens.windows(2).position(|pair| {
        let words = pair.iter().map(ToString::to_string);
        words.eq(["fn", "new"])
    })?;
    let mut rest = tokens[at..].iter();
    let parameters = rest
        .by_ref()
        .find_map(|token| group(token, Delimiter::Parenthesis))?;
    let body = rest.find_map(braces)?;
    let mut parameters = parameters.stream().into_iter();
    let parameter =
        parameters.find(|token| matches!(token, TokenTree::Ident(word) if word != "mut"))?;
    Some(New {
        parameter: place(&parameter),
        value: returned(body),
    })
}

/// What the last expression of a body is.
fn returned(body: &Group) -> Value {
    let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    let [.., ok, value] = tokens.as_slice() else {
        return Value::Other;
    };
    let Some(value) = group(value, Delimiter::Parenthesis).filter(|_| ok.to_string() == "Ok")
    else {
        return Value::Other;
    };
    let tokens: Vec<TokenTree> = value.stream().into_iter().collect();
    match tokens.as_slice() {
        [own] if own.to_string() == "Self" => Value::Unit(place(own)),
        [own, fields] if own.to_string() == "Self" => {
            braces(fields).map_or(Value::Other, |fields| Value::Named(List::of(fields)))
        }
        _ => Value::Other,
    }
}

/// What the handlers of an `impl` listen to, those aside that do not need it.
fn handled(body: &Group) -> Vec<Handled> {
    let mut handled = Vec::new();
    for token in body.stream() {
        let Some(group) = group(&token, Delimiter::Bracket) else {
            continue;
        };
        let Some((name, Some(arguments))) = attribute(group) else {
            continue;
        };
        if !name.ends_with("_dispatcher") {
            continue;
        }
        let keys = keyed(arguments.stream(), '=');
        let value = |key: &str| keys.iter().find(|(found, _)| found == key);
        if value("optional").is_some_and(|(_, value)| value.to_string() == "true") {
            continue;
        }
        let endpoint = value("endpoints").and_then(|(_, value)| match value {
            TokenTree::Group(list) => elements(list.stream()).into_iter().next(),
            _ => None,
        });
        let first = elements(arguments.stream()).into_iter().next();
        let messages = match arguments.stream().into_iter().next() {
            Some(TokenTree::Group(list)) => elements(list.stream()),
            _ => first.into_iter().collect(),
        };
        handled.extend(messages.into_iter().map(|message| Handled {
            message,
            endpoint: endpoint.clone(),
        }));
    }
    handled
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"#![deny(missing_docs)]
//! Doc.
use a::{b, c};
const X: [u8; 2] = [1, 2];

/// Watches; not a `#[command_extension]`.
#[command_extension(
    name = "watch",
    config_options = [LIMIT.required(), a::OTHER.optional()],
    endpoints_and_messages = { WATCH: [ALARM], a::PLACE: [a::SAID, b] },
    activate_on = [ON],
)]
#[derive(Debug)]
pub struct Watch {
    /// Most: `x`.
    pub(crate) most: std::collections::BTreeMap<u8, u8>,
    failed: AtomicU64,
}

impl zaf_core::prelude::Extension for Watch {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        let x = Ok(());
        Ok(Self { most: 1, failed: 2 })
    }
}

#[dispatchers]
impl Watch {
    /// Doc.
    #[sequential_dispatcher(FINISHED)]
    fn a(&self, _message: &Message<()>) {}
    #[callback_dispatcher([k2::A, B], endpoints = [k2::RUNNER, C], priority = 3)]
    fn b(&self) {}
    #[callback_dispatcher(C, optional = true)]
    fn c(&self) {}
}

impl Watch {
    fn helps(&self) {}
}

#[framework_extension(name = "other")]
struct Other;

#[cfg(test)]
mod tests {
    use super::*;
}
"#;

    #[test]
    fn an_extension_is_found_with_all_its_places() {
        let found = Declared::of(SOURCE).unwrap();
        let [watch, other] = found.as_slice() else {
            panic!("{found:?}");
        };
        let before = |end: usize, text: &str| {
            assert!(SOURCE[..end].ends_with(text), "{}", &SOURCE[..end]);
        };
        assert!(SOURCE[watch.begin..].starts_with("/// Watches;"));
        assert!(watch.is_public && !other.is_public);
        assert_eq!(watch.asked_for, ["LIMIT.required()", "a::OTHER.optional()"]);
        assert_eq!(watch.activated_by, ["ON"]);
        let (_, endpoints) = watch.endpoints.as_ref().unwrap();
        let names: Vec<_> = endpoints.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["WATCH", "a::PLACE"]);
        before(endpoints[1].1.last.unwrap(), "a::SAID, b");
        let Fields::Named(_, names) = &watch.fields else {
            panic!("{watch:?}");
        };
        assert_eq!(names, &["most", "failed"]);
        let new = watch.new.as_ref().unwrap();
        assert_eq!(&SOURCE[new.parameter.clone()], "_cx");
        assert!(matches!(new.value, Value::Named(_)), "{new:?}");
        before(watch.handlers_end.unwrap(), "fn c(&self) {}");
        before(watch.methods_end.unwrap(), "fn helps(&self) {}");
        before(watch.tests_end.unwrap(), "use super::*;");
        let handled: Vec<_> = watch
            .handled
            .iter()
            .map(|one| {
                format!(
                    "{} {}",
                    one.message,
                    one.endpoint.as_deref().unwrap_or("everywhere")
                )
            })
            .collect();
        assert_eq!(
            handled,
            ["FINISHED everywhere", "k2::A k2::RUNNER", "B k2::RUNNER"]
        );
        assert!(matches!(other.fields, Fields::None(_)));
        assert_eq!(other.new, None);
        assert!(Declared::of("fn (").is_err());
    }
}
