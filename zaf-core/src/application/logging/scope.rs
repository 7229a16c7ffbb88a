//! Something with a log file of its own, for example the run of a case.
//!
//! A scope is a span: so it follows the messages that are sent in it to the threads of the bus, and two scopes at the same time
//! do not mix.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8PathBuf;
use parking_lot::Mutex;
use tracing::Span;
use tracing::field::{Field, Visit};
use tracing::span::Attributes;

use super::file::LogFile;
use super::routes::Routes;

/// What the spans of scopes have as their target.
pub(super) const TARGET: &str = "zaf::log-scope";

/// What the records of a scope have in common.
#[derive(Debug)]
pub(super) struct ScopeFile {
    pub(super) name: String,
    pub(super) file: LogFile,
}

/// Scopes whose span is being made: a span carries values, and this is how its number finds its file.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    next: AtomicU64,
    begun: Mutex<BTreeMap<u64, Arc<ScopeFile>>>,
}

impl Scopes {
    /// The scope that a span is made for.
    pub(super) fn of(&self, attributes: &Attributes<'_>) -> Option<Arc<ScopeFile>> {
        let mut number = Number(None);
        attributes.record(&mut number);
        self.begun.lock().remove(&number.0?)
    }
}

struct Number(Option<u64>);

impl Visit for Number {
    fn record_u64(&mut self, _: &Field, value: u64) {
        self.0 = Some(value);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// Something with a log file of its own, from its making to [`end`](Self::end).
#[derive(Debug, Default)]
pub struct LogScope {
    inner: Option<Inner>,
}

#[derive(Debug)]
struct Inner {
    span: Span,
    scope: Arc<ScopeFile>,
}

impl LogScope {
    pub(super) fn begin(routes: &Routes, name: &str, file: &str) -> Self {
        let Some(files) = routes.files() else {
            return Self::default();
        };
        let scope = Arc::new(ScopeFile {
            name: name.to_owned(),
            file: files.for_scope(file),
        });
        let number = routes.scopes.next.fetch_add(1, Ordering::Relaxed);
        routes
            .scopes
            .begun
            .lock()
            .insert(number, Arc::clone(&scope));
        // Errors are the last that a subscriber would not want.
        let span = tracing::error_span!(target: TARGET, parent: None, "scope", number);
        // Nobody took it if another subscriber is in charge of this thread.
        routes.scopes.begun.lock().remove(&number);
        Self {
            inner: Some(Inner { span, scope }),
        }
    }

    /// Runs `f` inside of the scope. What it logs is that of no extension, unless it calls one.
    pub fn run<T>(&self, f: impl FnOnce() -> T) -> T {
        let _nobody = crate::attribution::inside(None);
        match &self.inner {
            Some(inner) => inner.span.in_scope(f),
            None => f(),
        }
    }

    /// Ends the scope. Returns its file, if there is one; with `keep` false what was written is removed.
    ///
    /// What is logged later in it, by threads that outlive it, goes to the file of the session.
    pub fn end(self, keep: bool) -> Option<Utf8PathBuf> {
        let file = &self.inner?.scope.file;
        if keep {
            return file.close().then(|| file.path().to_owned());
        }
        file.discard();
        None
    }
}
