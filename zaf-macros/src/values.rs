//! The values of parameters: `#[foreach([…])]` and `#[parameter(default = …)]`.

use quote::ToTokens;
use syn::{Attribute, Expr, Meta, Type};

use crate::arguments::{Arguments, Grammar, literal_text};
use crate::problems::Problems;

static PARAMETER: Grammar = Grammar {
    attribute: "parameter",
    keys: &["default"],
    refused: &[(
        "values",
        "several values are written `#[foreach([…])]` on the parameter",
    )],
    positional: None,
};

/// How the values of a parameter are read from the attribute that lists them; none for other attributes.
pub(crate) fn values_of(
    attribute: &Attribute,
) -> Option<fn(&Attribute, &mut Problems) -> Vec<Expr>> {
    let name = &attribute.path().segments.last()?.ident;
    if name == "foreach" {
        Some(foreach)
    } else if name == "parameter" {
        Some(parameter)
    } else {
        None
    }
}

/// Whether it is `#[foreach]` alone: every component that fits.
pub(crate) fn is_each(attribute: &Attribute) -> bool {
    let path = &attribute.path().segments;
    path.last().is_some_and(|last| last.ident == "foreach")
        && matches!(attribute.meta, Meta::Path(_))
}

fn parameter(attribute: &Attribute, problems: &mut Problems) -> Vec<Expr> {
    const EXAMPLE: &str = "a parameter needs a default: `#[parameter(default = 5)]`";
    let Meta::List(list) = &attribute.meta else {
        problems.on(attribute, EXAMPLE);
        return Vec::new();
    };
    let Some(arguments) = Arguments::read(list.tokens.clone(), &PARAMETER, problems) else {
        return Vec::new();
    };
    if !arguments.has_any() {
        problems.on(attribute, EXAMPLE);
    }
    let default = arguments.expression("default", problems);
    default.into_iter().cloned().collect()
}

fn foreach(attribute: &Attribute, problems: &mut Problems) -> Vec<Expr> {
    let example = "expected values in brackets: `#[foreach([1, 2])]`";
    let list = match &attribute.meta {
        Meta::List(list) => syn::parse2::<Expr>(list.tokens.clone()).ok(),
        _ => None,
    };
    match list {
        Some(Expr::Array(list)) if list.elems.is_empty() => {
            problems.on(list, "a parameter without values makes no test case at all");
            Vec::new()
        }
        Some(Expr::Array(list)) => list.elems.into_iter().collect(),
        Some(other) => {
            problems.on(other, example);
            Vec::new()
        }
        None if is_each(attribute) => {
            problems.on(
                attribute,
                "expected values in brackets: `#[foreach([1, 2])]`; alone it stands before a component, which is taken by reference",
            );
            Vec::new()
        }
        None => {
            problems.on(attribute, example);
            Vec::new()
        }
    }
}

/// The type of a parameter where its lifetimes have no names.
pub(crate) fn readable(ty: &Type) -> Type {
    let mut ty = ty.clone();
    if let Type::Reference(reference) = &mut ty {
        reference.lifetime = None;
    }
    ty
}

/// The value as a case's id shows it: the text of a string literal, everything else as it is written.
pub(crate) fn printed(value: &Expr) -> String {
    literal_text(value).unwrap_or_else(|| {
        let mut text = value.to_token_stream().to_string();
        for (spaced, tight) in [
            (" :: ", "::"),
            ("- ", "-"),
            (" . ", "."),
            ("& ", "&"),
            (" ,", ","),
        ] {
            text = text.replace(spaced, tight);
        }
        text
    })
}
