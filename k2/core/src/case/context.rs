//! What a test case can ask for while it runs.

use zaf_core::component::Scope;

use super::CaseId;
use crate::supervisor::Cancellation;

/// Handed to every test function that asks for it: `fn my_case(cx: &TestContext)`.
///
/// It lives for one execution of one case and is used on the thread of that case.
#[derive(Debug)]
pub struct TestContext {
    id: CaseId,
    parameters: Vec<(String, String)>,
    scope: Scope,
    cancellation: Cancellation,
}

impl TestContext {
    /// The context of one execution. `scope` is the innermost one (`test`); components that the case asks for are
    /// resolved in it.
    pub fn new(
        id: CaseId,
        parameters: Vec<(String, String)>,
        scope: Scope,
        cancellation: Cancellation,
    ) -> Self {
        Self {
            id,
            parameters,
            scope,
            cancellation,
        }
    }

    /// Id of the case, with its parameters.
    pub fn id(&self) -> &CaseId {
        &self.id
    }

    /// Parameters in the order of the function's arguments: name and printed value.
    pub fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// Printed value of the parameter with that name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Where components are resolved.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Becomes cancelled when the run is aborted or the case has used up its time.
    pub fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// True when the case should end: a function cannot be killed, so one that takes long should ask.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled()
    }
}
