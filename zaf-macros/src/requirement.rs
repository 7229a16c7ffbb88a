//! Demands for components: which parameters make one, and how `#[requires]` refines it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, Ident, Meta, Type};

use crate::arguments::{Arguments, Grammar};
use crate::function::Parameter;
use crate::nearest::nearest;
use crate::problems::Problems;

/// What `#[requires]` accepts.
pub(crate) static GRAMMAR: Grammar = Grammar {
    attribute: "requires",
    keys: &["can", "scope", "uses", "fixate_entities"],
    refused: &[(
        "name",
        "a component is required by the type of the parameter; pick among several with `can = [\"…\"]`",
    )],
    positional: Some(("the name of a parameter", "shell, can = [\"host\"]")),
};

/// One `#[requires(parameter, …)]`.
pub(crate) struct Refinement {
    parameter: Ident,
    can: Vec<Expr>,
    scope: Option<Expr>,
    uses: Vec<Ident>,
    fixate_entities: TokenStream,
}

/// Takes the `#[requires]` attributes away from an item and reads them.
pub(crate) fn take_refinements(
    attributes: &mut Vec<Attribute>,
    problems: &mut Problems,
) -> Vec<Refinement> {
    let mut refinements: Vec<Refinement> = Vec::new();
    attributes.retain(|attribute| {
        if !is_requires(attribute) {
            return true;
        }
        let Some(refinement) = read(attribute, problems) else {
            return false;
        };
        if refinements
            .iter()
            .any(|r| r.parameter == refinement.parameter)
        {
            problems.on(
                &refinement.parameter,
                format!(
                    "`{}` has another `#[requires]`; put everything into one",
                    refinement.parameter
                ),
            );
        }
        refinements.push(refinement);
        false
    });
    refinements
}

/// Whether this is `#[requires]`, however qualified.
pub(crate) fn is_requires(attribute: &Attribute) -> bool {
    attribute
        .path()
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "requires")
}

fn read(attribute: &Attribute, problems: &mut Problems) -> Option<Refinement> {
    let tokens = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let arguments = Arguments::read(tokens, &GRAMMAR, problems)?;
    let parameter = match arguments.positional(attribute, problems)? {
        Expr::Path(path) if path.path.get_ident().is_some() => path.path.get_ident().cloned()?,
        other => {
            problems.on(other, "expected the name of a parameter of this function");
            return None;
        }
    };
    if !arguments.has_any() {
        problems.on(
            &parameter,
            "a reference parameter is a requirement already; `#[requires]` adds `can = [\"…\"]`, `scope = \"…\"`, `uses = […]` or `fixate_entities = false`",
        );
    }
    Some(Refinement {
        parameter,
        can: arguments.texts("can", "host", problems),
        scope: arguments.text("scope", "session", problems),
        uses: used(&arguments, problems),
        fixate_entities: arguments.flag("fixate_entities", true, problems),
    })
}

/// The parameters that `uses` names.
fn used(arguments: &Arguments, problems: &mut Problems) -> Vec<Ident> {
    let mut used: Vec<Ident> = Vec::new();
    for element in arguments.list("uses", "shell", problems) {
        match &element {
            Expr::Path(path) if path.path.get_ident().is_some() => {
                used.extend(path.path.get_ident().cloned());
            }
            _ => problems.on(
                &element,
                "`uses` lists parameters of this function, such as `uses = [shell]`",
            ),
        }
    }
    used
}

/// A parameter that a component is looked up for.
pub(crate) struct Requirement<'a> {
    /// Type of the component.
    pub(crate) ty: &'a Type,
    /// The constant that describes the demand, as an expression.
    pub(crate) descriptor: TokenStream,
}

/// Makes requirements of the parameters that are left for components. `krate` is the path of the private module.
///
/// Every refinement has to belong to one of them.
pub(crate) fn requirements<'a>(
    parameters: &'a [Parameter<'a>],
    refinements: &[Refinement],
    krate: &TokenStream,
    problems: &mut Problems,
) -> Vec<Requirement<'a>> {
    let names: Vec<String> = parameters.iter().map(|p| p.ident.to_string()).collect();
    for (index, refinement) in refinements.iter().enumerate() {
        let wanted = refinement.parameter.to_string();
        if !names.contains(&wanted) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            problems.on(&refinement.parameter, no_such_parameter(&wanted, &names));
        }
        for used in &refinement.uses {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if *used == refinement.parameter {
                problems.on(used, format!("`{used}` cannot use itself"));
            } else if !names.contains(&used.to_string().as_str()) {
                problems.on(used, no_such_parameter(&used.to_string(), &names));
            } else if refinements[..index].iter().any(|r| r.parameter == *used)
                && uses(refinements, used, &refinement.parameter)
            {
                // One error for a circle: where what is used stands above. Each has such a place.
                problems.on(
                    used,
                    format!(
                        "`{used}` uses `{}` already: one of them has to be chosen first",
                        refinement.parameter
                    ),
                );
            }
        }
    }
    parameters
        .iter()
        .filter_map(|parameter| {
            let ty = component_type(parameter, problems)?;
            let refinement = refinements.iter().find(|r| r.parameter == parameter.ident);
            let can = refinement.map_or(&[][..], |r| &r.can);
            let scope = refinement.and_then(|r| r.scope.as_ref()).map_or_else(
                || quote!(::core::option::Option::None),
                |scope| quote!(::core::option::Option::Some(#scope)),
            );
            let uses = refinement.map_or(&[][..], |r| &r.uses);
            let uses = uses.iter().map(ToString::to_string);
            let fixate = refinement.map_or_else(|| quote!(true), |r| r.fixate_entities.clone());
            let name = parameter.ident.to_string();
            let descriptor = quote! {
                #krate::Requirement {
                    parameter: #name,
                    type_id: ::core::any::TypeId::of::<#ty>,
                    type_name: ::core::any::type_name::<#ty>,
                    can: &[#(#can),*],
                    scope: #scope,
                    component: ::core::option::Option::None,
                    uses: &[#(#uses),*],
                    fixate_entities: #fixate,
                }
            };
            Some(Requirement { ty, descriptor })
        })
        .collect()
}

/// Whether the parameter uses `other`, itself or by what it uses.
fn uses(refinements: &[Refinement], parameter: &Ident, other: &Ident) -> bool {
    let mut seen: Vec<&Ident> = Vec::new();
    let mut next = vec![parameter];
    while let Some(parameter) = next.pop() {
        if seen.contains(&parameter) {
            continue;
        }
        seen.push(parameter);
        let refinement = refinements.iter().find(|r| r.parameter == *parameter);
        next.extend(refinement.iter().flat_map(|r| &r.uses));
    }
    seen[1..].contains(&other)
}

fn component_type<'a>(parameter: &'a Parameter<'a>, problems: &mut Problems) -> Option<&'a Type> {
    let ty = parameter.ty;
    let Some(reference) = parameter.referent() else {
        problems.on(
            ty,
            format!(
                "a component is shared, so this parameter has to be a reference: `&{}`",
                ty.to_token_stream()
            ),
        );
        return None;
    };
    if let Some(token) = reference.mutability {
        problems.on(
            token,
            "a component is shared, so it is taken by `&`, not by `&mut`",
        );
        return None;
    }
    if matches!(&*reference.elem, Type::TraitObject(_) | Type::ImplTrait(_)) {
        problems.on(
            &reference.elem,
            "a component is found by its type, which a trait is not; name the type that the component's function returns",
        );
        return None;
    }
    Some(&reference.elem)
}

fn no_such_parameter(wanted: &str, names: &[&str]) -> String {
    let what = match nearest(wanted, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => "there is none that takes a component".to_owned(),
        None => format!("those that take a component: `{}`", names.join("`, `")),
    };
    format!("no parameter `{wanted}` takes a component; {what}")
}

/// Binds what `fallible` returns, or ends the test case.
pub(crate) fn or_missing(name: &Ident, fallible: &TokenStream) -> TokenStream {
    quote! {
        let #name = match #fallible {
            ::core::result::Result::Ok(found) => found,
            ::core::result::Result::Err(error) => {
                return ::k2::private::component_missing(error);
            }
        };
    }
}
