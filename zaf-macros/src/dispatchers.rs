//! `#[dispatchers]`: the handlers of one `impl` block.
//!
//! For each dispatcher attribute a function is emitted that adds the method to a dispatcher under construction, typed. The
//! types of its message, its reply and its components are stated there with the spans of the method's own signature, which is
//! where the compiler then reports that they do not fit.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{
    Expr, FnArg, ImplItem, ImplItemFn, Item, ItemImpl, ReceiverKind, ReturnType, Signature, Type,
};

use crate::dispatcher::{self, Declaration};
use crate::documentation::conditions;
use crate::function::{self, Parameter, last_segment, sort_of};
use crate::manners;
use crate::place::Place;
use crate::problems::Problems;
use crate::requirement::{self, Requirement};

pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    if !arguments.is_empty() {
        problems.on(
            arguments,
            "`#[dispatchers]` takes no arguments; they belong to the dispatcher attributes of the methods",
        );
    }
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Impl(block)) => expand_block(block, problems),
        Ok(other) => {
            let (span, sort) = sort_of(&other);
            problems.at(
                span,
                format!("`#[dispatchers]` belongs on an `impl` block, not on {sort}"),
            );
            let error = problems.or(TokenStream::new);
            quote!(#item #error)
        }
        Err(error) => {
            problems.add(error);
            let error = problems.or(TokenStream::new);
            quote!(#item #error)
        }
    }
}

fn expand_block(mut block: ItemImpl, mut problems: Problems) -> TokenStream {
    check_block(&block, &mut problems);
    if !problems.is_empty() {
        remove_attributes(&mut block);
        let error = problems.or(TokenStream::new);
        return quote!(#block #error);
    }
    let ty = (*block.self_ty).clone();
    let mut descriptors = Vec::new();
    let mut found = false;
    for item in &mut block.items {
        let ImplItem::Fn(method) = item else {
            continue;
        };
        found |= method.attrs.iter().any(dispatcher::is_dispatcher);
        descriptors.extend(method_descriptors(&ty, method, &mut problems));
    }
    if !found {
        problems.on(
            &block.self_ty,
            "no method of this block has a dispatcher attribute, such as `#[sequential_dispatcher(MY_MESSAGE)]`",
        );
    }
    let constant = problems.or(|| {
        quote! {
            const _: () = {
                #[::zaf_core::private::linkme::distributed_slice(::zaf_core::private::ZAF_DISPATCHERS)]
                #[linkme(crate = ::zaf_core::private::linkme)]
                static DISPATCHERS: ::zaf_core::private::DispatcherSet =
                    ::zaf_core::private::DispatcherSet {
                        type_id: ::core::any::TypeId::of::<#ty>,
                        dispatchers: &[#(#descriptors),*],
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
            };
        }
    });
    quote!(#block #constant)
}

/// What only `#[dispatchers]` understands must not reach the compiler as it is, or each attribute is one more error.
fn remove_attributes(block: &mut ItemImpl) {
    for item in &mut block.items {
        if let ImplItem::Fn(method) = item {
            method.attrs.retain(|attribute| {
                !dispatcher::is_dispatcher(attribute) && !requirement::is_requires(attribute)
            });
        }
    }
}

fn check_block(block: &ItemImpl, problems: &mut Problems) {
    if let Some((path, _)) = &block.trait_ {
        problems.on(
            path,
            "handlers are the extension's own methods: put them into an `impl` block without a trait",
        );
    }
    if !block.generics.params.is_empty() {
        problems.on(
            &block.generics,
            "an extension cannot be generic: its handlers are registered once, for one type",
        );
    }
}

/// Takes the attributes of one method and makes a descriptor of each dispatcher attribute.
fn method_descriptors(
    ty: &Type,
    method: &mut ImplItemFn,
    problems: &mut Problems,
) -> Vec<TokenStream> {
    let attributes: Vec<_> = method
        .attrs
        .extract_if(.., |attribute| dispatcher::is_dispatcher(attribute))
        .collect();
    if attributes.is_empty() {
        // `#[requires]` stays and says itself that it is in the wrong place.
        return Vec::new();
    }
    let declarations: Vec<_> = attributes
        .iter()
        .filter_map(|attribute| dispatcher::read(attribute, problems))
        .collect();
    let refinements = requirement::take_refinements(&mut method.attrs, problems);
    method.attrs.insert(0, manners::of_handler());
    let signature = &method.sig;
    function::check("a handler", signature, problems);
    let receives = check_receiver(signature, problems);
    let parameters = function::parameters(&signature.inputs, problems);
    let mut parameters = parameters.into_iter();
    let message = receives.then(|| message(signature, parameters.next(), problems));
    let components: Vec<_> = parameters
        .filter(|parameter| !parameter.refers_to("MessageBus"))
        .collect();
    let requirements = requirement::requirements(
        &components,
        &refinements,
        &quote!(::zaf_core::private),
        problems,
    );
    let Some(Some(message)) = message else {
        return Vec::new();
    };
    let handler = Handler {
        ty,
        signature,
        message,
        requirements,
        conditions: conditions(&method.attrs).into_iter().cloned().collect(),
    };
    declarations
        .iter()
        .map(|declaration| handler.descriptor(declaration))
        .collect()
}

fn check_receiver(signature: &Signature, problems: &mut Problems) -> bool {
    let Some(receiver) = signature.receiver() else {
        problems.on(
            &signature.ident,
            "a handler is a method of the extension: its first parameter has to be `&self`",
        );
        return false;
    };
    let shared = matches!(receiver.kind, ReceiverKind::Reference(_, _, None));
    if !shared {
        problems.on(
                receiver,
                "a handler takes `&self`: several threads may be in it; put what changes behind a lock or an atomic",
            );
    }
    shared
}

/// Type of the message that the handler takes.
fn message<'a>(
    signature: &'a Signature,
    parameter: Option<Parameter<'a>>,
    problems: &mut Problems,
) -> Option<&'a Type> {
    let Some(parameter) = parameter else {
        problems.on(
            &signature.ident,
            "a handler takes its message: add `message: &Message<P>`, with the type `P` that the message carries",
        );
        return None;
    };
    let Type::Reference(reference) = parameter.ty else {
        problems.on(
            parameter.ty,
            "a handler takes its message by reference: `&Message<P>`, with the type `P` that the message carries",
        );
        return None;
    };
    if parameter.refers_to("MessageBus") {
        problems.on(
            parameter.ty,
            "the message comes first, the bus after it: `message: &Message<P>, bus: &MessageBus`",
        );
        return None;
    }
    Some(&reference.elem)
}

/// A method with everything that its descriptors are made of.
struct Handler<'a> {
    ty: &'a Type,
    signature: &'a Signature,
    message: &'a Type,
    requirements: Vec<Requirement<'a>>,
    conditions: Vec<syn::Attribute>,
}

impl Handler<'_> {
    fn descriptor(&self, declaration: &Declaration) -> TokenStream {
        let Declaration {
            kind,
            messages,
            line,
            fields,
        } = declaration;
        let conditions = &self.conditions;
        let handler = self.signature.ident.to_string();
        let bind = self.bind(messages);
        let requirements = self
            .requirements
            .iter()
            .map(|need| without_self(need.descriptor.clone(), self.ty));
        quote! {
            #(#conditions)*
            ::zaf_core::private::DispatcherDescriptor {
                handler: #handler,
                kind: ::zaf_core::private::DispatcherKind::#kind,
                #fields
                requirements: &[#(#requirements),*],
                bind: { #bind ::zaf_core::private::Binder::linked(bind) },
                line: #line,
            }
        }
    }

    /// The function that adds the method to a dispatcher, once for each message.
    fn bind(&self, messages: &[Expr]) -> TokenStream {
        let ty = self.ty;
        let find = self.requirements.iter().enumerate().map(|(index, need)| {
            let name = format_ident!("component_{index}");
            let ty = without_self(need.ty.to_token_stream(), self.ty);
            quote!(let #name = components.find::<#ty>(#index)?;)
        });
        let descriptors = self
            .requirements
            .iter()
            .map(|need| without_self(need.descriptor.clone(), self.ty));
        let components = if self.requirements.is_empty() {
            quote!(let _ = scope;)
        } else {
            quote! {
                const REQUIREMENTS: &[::zaf_core::private::Requirement] = &[#(#descriptors),*];
                let components =
                    ::zaf_core::private::HandlerComponents::new(scope, REQUIREMENTS)?;
                #(#find)*
            }
        };
        let handles = messages.iter().map(|message| self.handle(message));
        quote! {
            fn bind(
                instance: ::std::sync::Arc<dyn ::core::any::Any + ::core::marker::Send + ::core::marker::Sync>,
                builder: ::zaf_core::private::DispatcherBuilder,
                scope: &::zaf_core::private::Scope,
            ) -> ::zaf_core::private::Result<::zaf_core::private::DispatcherBuilder> {
                let instance = ::zaf_core::private::instance::<#ty>(instance)?;
                #components
                #(#handles)*
                ::core::result::Result::Ok(builder)
            }
        }
    }

    fn handle(&self, message: &Expr) -> TokenStream {
        let ty = self.ty;
        let method = &self.signature.ident;
        let taken = without_self(self.message.to_token_stream(), self.ty);
        let parameter =
            Place::of(self.message).call(&quote!(::zaf_core::private::parameter), &taken);
        let output = without_self(function::returned(&self.signature.output), self.ty);
        let place = match &self.signature.output {
            ReturnType::Default => Place::of(method),
            ReturnType::Type(_, ty) => Place::of(ty),
        };
        let returned = place.call(&quote!(::zaf_core::private::returned), &output);
        let names: Vec<_> = (0..self.requirements.len())
            .map(|index| format_ident!("component_{index}"))
            .collect();
        let (clones, resolve) = if names.is_empty() {
            (TokenStream::new(), TokenStream::new())
        } else {
            (
                quote! {
                    let components = ::core::clone::Clone::clone(&components);
                    #(let #names = ::core::clone::Clone::clone(&#names);)*
                },
                quote! {
                    let scope = components.enter(entity);
                    #(let #names = #names.get(&scope)?;)*
                },
            )
        };
        let mut next = names.iter();
        let arguments = self.signature.inputs.iter().skip(2).map(|input| {
            if is_bus(input) {
                quote!(bus)
            } else {
                let name = next.next();
                quote!(&#name)
            }
        });
        quote! {
            let builder = {
                let instance = ::core::clone::Clone::clone(&instance);
                #clones
                ::zaf_core::private::handle(
                    builder,
                    #message,
                    #parameter,
                    #returned,
                    move |message, bus, entity| {
                        let _ = (bus, entity);
                        #resolve
                        ::core::result::Result::Ok(<#ty>::#method(&instance, message, #(#arguments),*))
                    },
                )
            };
        }
    }
}

fn is_bus(input: &FnArg) -> bool {
    match input {
        FnArg::Typed(input) => match &*input.ty {
            Type::Reference(reference) => {
                last_segment(&reference.elem).is_some_and(|name| name == "MessageBus")
            }
            _ => false,
        },
        FnArg::Receiver(_) => false,
    }
}

/// The tokens with `Self` replaced: they are used outside of the `impl` block.
fn without_self(tokens: TokenStream, ty: &Type) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            proc_macro2::TokenTree::Ident(ident) if ident == "Self" => quote!(#ty),
            proc_macro2::TokenTree::Group(group) => {
                let mut inner =
                    proc_macro2::Group::new(group.delimiter(), without_self(group.stream(), ty));
                inner.set_span(group.span());
                TokenStream::from(proc_macro2::TokenTree::Group(inner))
            }
            other => other.into(),
        })
        .collect()
}
