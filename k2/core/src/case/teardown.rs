//! The end of a scope, and what is said about components that cannot be taken down.

use zaf_core::component::Scope;

use super::panic_hook::Recording;

/// Ends a scope on this thread; returns what went wrong, one text for each component, in the order in which they were taken down.
/// Nothing is printed for a panic: its place stands behind the text of the last one.
pub(crate) fn take_down(scope: &Scope) -> Vec<String> {
    let recording = Recording::start();
    let problems = scope.end();
    let place = recording.finish().and_then(|panic| panic.place);
    let mut texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    if let (Some(last), Some(place)) = (texts.last_mut(), place) {
        last.push_str(" (at ");
        last.push_str(&place);
        last.push(')');
    }
    texts
}
