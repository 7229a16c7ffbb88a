//! The arguments of an attribute: `key = value` and bare words, each with the place it was written at.
//!
//! Reading a value checks its form only. Whether a path names the right sort of constant is the compiler's business, which
//! sees the user's own tokens and therefore points at them.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, ExprUnary, Ident, Lit, Token, UnOp};

use crate::nearest::nearest;
use crate::problems::Problems;

/// What an attribute accepts.
pub(crate) struct Grammar {
    /// Name of the attribute.
    pub(crate) attribute: &'static str,
    /// Accepted keys, in the order in which a message lists them.
    pub(crate) keys: &'static [&'static str],
    /// Keys that somebody might expect here, and what to tell them.
    pub(crate) refused: &'static [(&'static str, &'static str)],
    /// What comes first and has no key, and how it is written; none if everything has a key.
    pub(crate) positional: Option<(&'static str, &'static str)>,
}

/// Endpoints with the messages that are defined there, as written.
pub(crate) type Definitions = Vec<(Expr, Vec<Expr>)>;

enum Value {
    Expression(Expr),
    Definitions(Span, Definitions),
}

struct Entry {
    key: Ident,
    value: Option<Value>,
}

/// The arguments of one attribute. Every getter adds what is wrong to the problems it is given.
pub(crate) struct Arguments {
    grammar: &'static Grammar,
    positional: Option<Expr>,
    entries: Vec<Entry>,
}

impl Arguments {
    /// Reads the tokens between the attribute's parentheses. After a syntax error there are no arguments.
    pub(crate) fn read(
        tokens: TokenStream,
        grammar: &'static Grammar,
        problems: &mut Problems,
    ) -> Option<Self> {
        let parser = |input: ParseStream<'_>| Self::parse(input, grammar);
        let arguments = problems.take(parser.parse2(tokens))?;
        arguments.check_keys(problems);
        Some(arguments)
    }

    fn parse(input: ParseStream<'_>, grammar: &'static Grammar) -> syn::Result<Self> {
        let mut arguments = Self {
            grammar,
            positional: None,
            entries: Vec::new(),
        };
        if grammar.positional.is_some() && !input.is_empty() && !grammar.starts_with_key(input) {
            arguments.positional = Some(input.parse()?);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        while !input.is_empty() {
            if !input.peek(Ident::peek_any) {
                return Err(input.error(format!("expected `key = value`; {}", grammar.accepted())));
            }
            let key = input.call(Ident::parse_any)?;
            let value = if input.peek(Token![=]) {
                input.parse::<Token![=]>()?;
                if input.is_empty() || input.peek(Token![,]) {
                    return Err(syn::Error::new(key.span(), format!("`{key}` has no value")));
                }
                Some(if key == "endpoints_and_messages" {
                    definitions(input)?
                } else {
                    Value::Expression(input.parse()?)
                })
            } else {
                None
            };
            arguments.entries.push(Entry { key, value });
            if !input.is_empty() {
                input.parse::<Token![,]>().map_err(|error| {
                    syn::Error::new(error.span(), "expected `,` between the arguments")
                })?;
            }
        }
        Ok(arguments)
    }

    fn check_keys(&self, problems: &mut Problems) {
        for (index, entry) in self.entries.iter().enumerate() {
            let key = entry.key.unraw().to_string();
            if let Some((_, message)) = self.grammar.refused.iter().find(|(name, _)| *name == key) {
                problems.at(entry.key.span(), message);
            } else if !self.grammar.keys.contains(&key.as_str()) {
                if let (None, Some(first)) = (&entry.value, &self.positional)
                    && nearest(&key, self.grammar.keys).is_none()
                {
                    let first = first.to_token_stream();
                    problems.at(
                        entry.key.span(),
                        format!(
                            "`{key}` is no key; if it goes with `{first}`, write `[{first}, {key}]`"
                        ),
                    );
                    continue;
                }
                problems.at(entry.key.span(), self.grammar.unknown(&key));
            } else if self.entries[..index].iter().any(|e| e.key == entry.key) {
                problems.at(
                    entry.key.span(),
                    format!("`{key}` is given twice; keep one"),
                );
            }
        }
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        debug_assert!(self.grammar.keys.contains(&key), "unlisted key {key}");
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Whether the key was written at all.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Whether any key was written, right or wrong.
    pub(crate) fn has_any(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Where the key was written.
    pub(crate) fn span(&self, key: &str) -> Span {
        self.entry(key)
            .map_or_else(Span::call_site, |entry| entry.key.span())
    }

    /// The argument without a key. If it is missing, `attribute` is blamed.
    pub(crate) fn positional(
        &self,
        attribute: impl ToTokens,
        problems: &mut Problems,
    ) -> Option<&Expr> {
        if self.positional.is_none()
            && let Some((what, example)) = self.grammar.positional
        {
            let name = self.grammar.attribute;
            problems.on(
                attribute,
                format!("`#[{name}]` needs {what} first: `#[{name}({example})]`"),
            );
        }
        self.positional.as_ref()
    }

    /// The value of a key that takes any expression.
    pub(crate) fn expression(&self, key: &str, problems: &mut Problems) -> Option<&Expr> {
        let entry = self.entry(key)?;
        if let Some(Value::Expression(value)) = &entry.value {
            return Some(value);
        }
        problems.at(
            entry.key.span(),
            format!("`{key}` has no value; write `{key} = …`"),
        );
        None
    }

    /// A text: a string literal, or a path to a `&'static str` constant.
    pub(crate) fn text(&self, key: &str, example: &str, problems: &mut Problems) -> Option<Expr> {
        let entry = self.entry(key)?;
        if entry.value.is_none() {
            problems.at(
                entry.key.span(),
                format!("`{key}` has no value; write `{key} = \"{example}\"`"),
            );
            return None;
        }
        let value = self.expression(key, problems)?;
        if is_text(value) {
            return Some(value.clone());
        }
        problems.on(
            value,
            format!("`{key}` takes a text, such as `{key} = \"{example}\"`"),
        );
        None
    }

    /// A text that has to be there.
    pub(crate) fn required_text(
        &self,
        key: &str,
        example: &str,
        problems: &mut Problems,
    ) -> Option<Expr> {
        // A mistyped key is one error, not two.
        if !self.has(key) && problems.is_empty() {
            let attribute = self.grammar.attribute;
            problems.at(
                Span::call_site(),
                format!(
                    "`#[{attribute}]` needs a `{key}`: `#[{attribute}({key} = \"{example}\")]`"
                ),
            );
        }
        self.text(key, example, problems)
    }

    /// A list in brackets, of any expressions; empty if the key is missing.
    pub(crate) fn list(&self, key: &str, example: &str, problems: &mut Problems) -> Vec<Expr> {
        match self.expression(key, problems) {
            None => Vec::new(),
            Some(Expr::Array(array)) => array.elems.iter().cloned().collect(),
            Some(other) => {
                problems.on(
                    other,
                    format!("`{key}` takes a list in brackets, such as `{key} = [{example}]`"),
                );
                Vec::new()
            }
        }
    }

    /// A list of texts; empty if the key is missing. A text that is there twice is a problem.
    pub(crate) fn texts(&self, key: &str, example: &str, problems: &mut Problems) -> Vec<Expr> {
        let list = self.list(key, &format!("\"{example}\""), problems);
        let mut seen = Vec::new();
        for element in &list {
            if !is_text(element) {
                problems.on(
                    element,
                    format!("`{key}` lists texts, such as `{key} = [\"{example}\"]`"),
                );
            } else if let Some(text) = literal_text(element) {
                if text.is_empty() {
                    problems.on(element, format!("an empty text in `{key}`"));
                } else if seen.contains(&text) {
                    problems.on(element, format!("`{text}` is twice in `{key}`"));
                }
                seen.push(text);
            }
        }
        list
    }

    /// A flag: `key`, `key = true` or `key = false`.
    pub(crate) fn flag(&self, key: &str, default: bool, problems: &mut Problems) -> TokenStream {
        let Some(entry) = self.entry(key) else {
            return quote!(#default);
        };
        match &entry.value {
            None => quote!(true),
            Some(Value::Expression(
                value @ (Expr::Path(_)
                | Expr::Lit(ExprLit {
                    lit: Lit::Bool(_), ..
                })),
            )) => value.to_token_stream(),
            Some(Value::Expression(value)) => {
                problems.on(value, format!("`{key}` takes `true` or `false`"));
                quote!(#default)
            }
            Some(Value::Definitions(span, _)) => {
                problems.at(*span, format!("`{key}` takes `true` or `false`"));
                quote!(#default)
            }
        }
    }

    /// A whole number between two bounds, or a path to a constant, which is not checked here.
    pub(crate) fn integer(
        &self,
        key: &str,
        range: std::ops::RangeInclusive<i64>,
        what: &str,
        problems: &mut Problems,
    ) -> Option<Expr> {
        let value = self.expression(key, problems)?;
        if matches!(value, Expr::Path(_)) {
            return Some(value.clone());
        }
        match literal_integer(value) {
            Some(number) if range.contains(&number) => Some(value.clone()),
            _ => {
                problems.on(value, format!("`{key}` is {what}"));
                None
            }
        }
    }

    /// Endpoints and messages in braces; empty if the key is missing.
    pub(crate) fn definitions(&self, key: &str, problems: &mut Problems) -> Definitions {
        match self.entry(key).map(|entry| (&entry.key, &entry.value)) {
            None => Vec::new(),
            Some((_, Some(Value::Definitions(_, definitions)))) => definitions.clone(),
            Some((key, _)) => {
                problems.at(key.span(), format!("`{key}` has no value; {DEFINITIONS}"));
                Vec::new()
            }
        }
    }
}

impl Grammar {
    fn starts_with_key(&self, input: ParseStream<'_>) -> bool {
        let key = input.fork().call(Ident::parse_any);
        input.peek2(Token![=]) || key.is_ok_and(|key| self.keys.contains(&&*key.to_string()))
    }

    fn accepted(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(|key| format!("`{key}`")).collect();
        format!("`#[{}]` accepts: {}", self.attribute, keys.join(", "))
    }

    fn unknown(&self, key: &str) -> String {
        let guess = nearest(key, self.keys)
            .map(|word| format!("did you mean `{word}`? "))
            .unwrap_or_default();
        format!("unknown key `{key}`; {guess}{}", self.accepted())
    }
}

const DEFINITIONS: &str = "write `endpoints_and_messages = { MY_ENDPOINT: [MY_MESSAGE] }`";

fn definitions(input: ParseStream<'_>) -> syn::Result<Value> {
    let span = input.span();
    if !input.peek(syn::token::Brace) {
        return Err(syn::Error::new(
            span,
            format!("expected a list of endpoints in braces; {DEFINITIONS}"),
        ));
    }
    let content;
    syn::braced!(content in input);
    let list = Punctuated::<Definition, Token![,]>::parse_terminated(&content)?;
    let list = list.into_iter().map(|d| (d.endpoint, d.messages)).collect();
    Ok(Value::Definitions(span, list))
}

struct Definition {
    endpoint: Expr,
    messages: Vec<Expr>,
}

impl Parse for Definition {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let endpoint: Expr = input.parse()?;
        let messages = if input.peek(Token![:]) && input.peek2(syn::token::Bracket) {
            input.parse::<Token![:]>()?;
            let content;
            syn::bracketed!(content in input);
            Punctuated::<Expr, Token![,]>::parse_terminated(&content)?
        } else {
            return Err(syn::Error::new(
                endpoint.span(),
                format!("an endpoint is followed by its messages in brackets; {DEFINITIONS}"),
            ));
        };
        Ok(Self {
            endpoint,
            messages: messages.into_iter().collect(),
        })
    }
}

fn is_text(value: &Expr) -> bool {
    matches!(value, Expr::Path(_)) || literal_text(value).is_some()
}

/// The text of a string literal; none for every other expression.
pub(crate) fn literal_text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

fn literal_integer(value: &Expr) -> Option<i64> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => number.base10_parse().ok(),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => literal_integer(expr).map(|number| -number),
        _ => None,
    }
}
