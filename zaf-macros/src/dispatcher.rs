//! One dispatcher attribute: on which thread a handler runs, and which messages it gets.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Expr, Ident, Item, Meta};

use crate::arguments::{Arguments, Grammar};
use crate::place::{Place, descriptors};
use crate::problems::Problems;

const POSITIONAL: Option<(&str, &str)> = Some(("the message that it handles", "MY_MESSAGE"));
const KEYS: &[&str] = &[
    "endpoints",
    "entity",
    "long_running",
    "optional",
    "priority",
];
const KEYS_OF_POOLS: &[&str] = &[
    "endpoints",
    "entity",
    "long_running",
    "optional",
    "priority",
    "workers",
];
const NOT_POOLS: &[(&str, &str)] = &[
    (
        "workers",
        "only a `#[threadpool_dispatcher]` has a number of workers",
    ),
    MESSAGES,
];
const MESSAGES: (&str, &str) = (
    "messages",
    "the messages come first and without a key: `MY_MESSAGE` or `[ONE_MESSAGE, OTHER_MESSAGE]`",
);

/// The dispatcher attributes with the name of the variant of `DispatcherKind` that they stand for.
static GRAMMARS: [(&str, Grammar); 4] = [
    ("Callback", grammar("callback_dispatcher", KEYS, NOT_POOLS)),
    (
        "Sequential",
        grammar("sequential_dispatcher", KEYS, NOT_POOLS),
    ),
    (
        "ThreadPool",
        grammar("threadpool_dispatcher", KEYS_OF_POOLS, &[MESSAGES]),
    ),
    (
        "Concurrent",
        grammar("concurrent_dispatcher", KEYS, NOT_POOLS),
    ),
];

const fn grammar(
    attribute: &'static str,
    keys: &'static [&'static str],
    refused: &'static [(&'static str, &'static str)],
) -> Grammar {
    Grammar {
        attribute,
        keys,
        refused,
        positional: POSITIONAL,
    }
}

/// What a dispatcher attribute says.
pub(crate) struct Declaration {
    /// Variant of `DispatcherKind`.
    pub(crate) kind: Ident,
    /// Messages, at least one.
    pub(crate) messages: Vec<Expr>,
    /// Where the attribute stands, from 1.
    pub(crate) line: u32,
    /// Fields of the descriptor that are values as written.
    pub(crate) fields: TokenStream,
}

/// Whether this is a dispatcher attribute, however qualified.
pub(crate) fn is_dispatcher(attribute: &Attribute) -> bool {
    grammar_of(attribute).is_some()
}

fn grammar_of(attribute: &Attribute) -> Option<&'static (&'static str, Grammar)> {
    let name = &attribute.path().segments.last()?.ident;
    GRAMMARS
        .iter()
        .find(|(_, grammar)| name == grammar.attribute)
}

/// Reads a dispatcher attribute.
pub(crate) fn read(attribute: &Attribute, problems: &mut Problems) -> Option<Declaration> {
    let (kind, grammar) = grammar_of(attribute)?;
    let tokens = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let arguments = Arguments::read(tokens, grammar, problems)?;
    let messages = messages(arguments.positional(attribute, problems)?, problems)?;
    let endpoints = arguments.list("endpoints", "MY_ENDPOINT", problems);
    let entity_option = optional(
        arguments
            .expression("entity", problems)
            .map(|option| Place::of(option).descriptor(option)),
    );
    let optional_messages = arguments.flag("optional", false, problems);
    let long_running = arguments.flag("long_running", false, problems);
    let priority = arguments
        .integer(
            "priority",
            i32::MIN.into()..=i32::MAX.into(),
            "a whole number that fits into 32 bits; higher is served first",
            problems,
        )
        .map_or_else(|| quote!(0), |priority| quote!(#priority));
    let workers = optional(
        grammar
            .keys
            .contains(&"workers")
            .then(|| {
                arguments.integer(
                    "workers",
                    1..=1024,
                    "a whole number from 1 to 1024",
                    problems,
                )
            })
            .flatten()
            .map(|workers| quote!(#workers)),
    );
    let descriptors = descriptors(&messages);
    let line = attribute.pound_token.span.unwrap().line();
    let fields = quote! {
        priority: #priority,
        optional: #optional_messages,
        long_running: #long_running,
        messages: &[#(#descriptors),*],
        endpoints: &[#(#endpoints),*],
        entity_option: #entity_option,
        workers: #workers,
    };
    Some(Declaration {
        kind: format_ident!("{kind}"),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        fields,
        messages,
    })
}

fn optional(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(
        || quote!(::core::option::Option::None),
        |value| quote!(::core::option::Option::Some(#value)),
    )
}

fn messages(value: &Expr, problems: &mut Problems) -> Option<Vec<Expr>> {
    let messages = match value {
        Expr::Array(list) if list.elems.is_empty() => {
            problems.on(list, "a dispatcher handles at least one message");
            return None;
        }
        Expr::Array(list) => list.elems.iter().cloned().collect(),
        one => vec![one.clone()],
    };
    if let Some(literal) = messages.iter().find(|m| matches!(m, Expr::Lit(_))) {
        problems.on(
            literal,
            "a message is named by its constant, such as `MY_MESSAGE`",
        );
        return None;
    }
    Some(messages)
}

/// What a dispatcher attribute becomes that `#[dispatchers]` did not take.
pub(crate) fn misplaced(name: &str, _: TokenStream, item: TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    // A method parses as a function too, so that the advice fits both.
    let advice = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Impl(_)) => {
            "belongs on a method; the `impl` block itself is marked with `#[dispatchers]`"
        }
        _ => "belongs on a method of an `impl` block that is marked with `#[dispatchers]`",
    };
    problems.at(
        proc_macro2::Span::call_site(),
        format!("`#[{name}]` {advice}"),
    );
    let error = problems.or(TokenStream::new);
    let mut tokens = item.into_token_stream();
    tokens.extend(error);
    tokens
}
