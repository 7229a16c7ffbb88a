//! Who sends what to whom, as descriptors say it.

use std::collections::{BTreeMap, BTreeSet};

use super::collect::Parts;
use super::messages::Defined;
use crate::message::MessageKind;

/// One endpoint with its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) endpoint: String,
    /// Extensions that define it, sorted; none if the application does.
    pub(super) senders: Vec<String>,
    /// Sorted by name.
    pub(super) messages: Vec<Sent>,
}

/// A message at an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) name: String,
    pub(super) is_request: bool,
    /// Extensions with a handler of it that listens at this endpoint, sorted.
    pub(super) listeners: Vec<String>,
}

/// All endpoints, sorted by name.
pub(super) fn routes(
    defined: &Defined,
    extensions: &BTreeMap<&'static str, Parts<'_>>,
) -> Vec<Route> {
    let of_endpoint = |endpoint: &'static str| {
        let messages = defined.messages_at(endpoint).map(|message| Sent {
            name: message.name.to_owned(),
            is_request: message.kind == MessageKind::Request,
            listeners: listeners(endpoint, message.name, extensions),
        });
        Route {
            endpoint: endpoint.to_owned(),
            senders: defined.definers(endpoint).map(str::to_owned).collect(),
            messages: messages.collect(),
        }
    };
    defined
        .endpoints
        .keys()
        .map(|name| of_endpoint(name))
        .collect()
}

fn listeners(
    endpoint: &str,
    message: &str,
    extensions: &BTreeMap<&'static str, Parts<'_>>,
) -> Vec<String> {
    let mut names = BTreeSet::new();
    for (name, parts) in extensions {
        let listens = parts.dispatchers.iter().any(|one| {
            let here =
                one.endpoints.is_empty() || one.endpoints.iter().any(|at| at.name() == endpoint);
            here && one.messages.iter().any(|wanted| wanted.name == message)
        });
        if listens {
            names.insert((*name).to_owned());
        }
    }
    names.into_iter().collect()
}
