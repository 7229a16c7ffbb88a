//! What hears of everything that is logged.

use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::record::Record;
use super::routes::Routes;
use super::scope::{self, ScopeFile};
use crate::attribution;

/// Hands records to [`Routes`], and knows in which scope they are logged.
#[derive(Debug)]
pub(super) struct Records {
    routes: Arc<Routes>,
}

impl Records {
    pub(super) fn new(routes: Arc<Routes>) -> Self {
        Self { routes }
    }
}

impl<S> Layer<S> for Records
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_span() && metadata.target() != scope::TARGET {
            // Nothing is made of other spans.
            return Interest::never();
        }
        if LevelFilter::from_level(*metadata.level()) > self.routes.most() {
            return Interest::never();
        }
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        if metadata.is_span() {
            return metadata.target() == scope::TARGET;
        }
        self.routes.wanted(metadata).by_anybody()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().target() != scope::TARGET {
            return;
        }
        if let (Some(span), Some(scope)) = (context.span(id), self.routes.scopes.of(attributes)) {
            span.extensions_mut().insert(scope);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let wanted = self.routes.wanted(event.metadata());
        if !wanted.by_anybody() {
            return;
        }
        let scope = context
            .event_span(event)
            .into_iter()
            .flat_map(|span| span.scope())
            .find_map(|span| span.extensions().get::<Arc<ScopeFile>>().cloned());
        let scope = scope.filter(|scope| !scope.file.is_closed());
        let record = Record::of(
            event,
            attribution::current(),
            scope.as_ref().map(|scope| scope.name.as_str()),
            &self.routes.masks,
        );
        let file = scope.as_ref().map(|scope| &scope.file);
        self.routes.write(&record, wanted, file);
    }
}
