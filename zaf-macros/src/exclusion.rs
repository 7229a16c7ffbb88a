//! Combinations of values that a case leaves out: `exclude = [(flag = "-s", count = 2)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Expr, ExprAssign};

use crate::arguments::Arguments;
use crate::nearest::nearest;
use crate::problems::Problems;
use crate::values::printed;

/// The combinations as constants. One that no variant has is a problem at the word that is wrong.
pub(crate) fn read(
    arguments: &Arguments,
    parameters: &[(String, Vec<String>)],
    problems: &mut Problems,
) -> Vec<TokenStream> {
    const EXAMPLE: &str = "(flag = \"-s\", count = 2)";
    let list = arguments.list("exclude", EXAMPLE, problems);
    let combinations = list.iter().map(|combination| {
        let parts: Vec<&Expr> = match combination {
            Expr::Paren(paren) => vec![&*paren.expr],
            Expr::Tuple(tuple) => tuple.elems.iter().collect(),
            other => vec![other],
        };
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in parts {
            let Expr::Assign(assign) = part else {
                let message =
                    format!("`exclude` lists combinations, such as `exclude = [{EXAMPLE}]`");
                problems.on(part, message);
                continue;
            };
            if let Some(pair) = pair(assign, parameters, problems) {
                if pairs.iter().any(|(name, _)| *name == pair.0) {
                    let message = format!("no variant has two values of `{}` at once", pair.0);
                    problems.on(&assign.left, message);
                }
                pairs.push(pair);
            }
        }
        if pairs.is_empty() && problems.is_empty() {
            problems.on(combination, "this would leave out every variant");
        }
        let pairs = pairs.iter().map(|(name, value)| quote!((#name, #value)));
        quote!(&[#(#pairs),*])
    });
    combinations.collect()
}

fn pair(
    assign: &ExprAssign,
    parameters: &[(String, Vec<String>)],
    problems: &mut Problems,
) -> Option<(String, String)> {
    let name = match &*assign.left {
        Expr::Path(path) => path.path.get_ident().map(|ident| ident.unraw().to_string()),
        _ => None,
    };
    let name = name.unwrap_or_else(|| assign.left.to_token_stream().to_string());
    let Some((_, values)) = parameters.iter().find(|(known, _)| *known == name) else {
        let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
        let message = format!("the case has no parameter `{name}`");
        problems.on(&assign.left, with_guess(message, &name, &names));
        return None;
    };
    let value = printed(&assign.right);
    if !values.contains(&value) {
        let message = format!(
            "`{name}` has no value `{value}`, so this leaves nothing out; there are `{}`",
            values.join("`, `")
        );
        problems.on(&assign.right, message);
        return None;
    }
    Some((name, value))
}

fn with_guess(message: String, word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(nearest) => format!("{message}; did you mean `{nearest}`?"),
        None if known.is_empty() => message,
        None => format!("{message}; there are `{}`", known.join("`, `")),
    }
}
