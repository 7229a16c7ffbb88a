//! What hooks are told where they are programs of other languages.
//!
//! One way only: hooks are asked by the program. What asks a hook to end cannot be sent; `time_left_ms` says when that will be.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zaf_core::application::ExitCode;

use super::{HookCall, Phase};
use crate::results::Counts;

#[derive(Serialize)]
struct Told<'a> {
    phase: Phase,
    run: &'a str,
    directory: &'a str,
    application: &'a str,
    execution: &'a str,
    time_left_ms: u64,
    counts: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<ExitCode>,
}

impl Serialize for HookCall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let told = Told {
            phase: self.phase,
            run: &self.run,
            directory: self.directory.as_str(),
            application: &self.application,
            execution: &self.execution,
            time_left_ms: u64::try_from(self.time_left().as_millis()).unwrap_or(u64::MAX),
            counts: self.counts,
            exit: self.exit,
        };
        told.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for HookCall {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom(
            "hooks are asked by the program only; a plugin can answer",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hooks_are_told_is_on_the_wire_what_it_always_was() {
        let mut call = HookCall::example(Phase::PostJob, "/w/output/r1").unwrap();
        call.deadline = std::time::Instant::now();
        call.counts.passed = 2;
        call.exit = Some(ExitCode::CasesFailed);
        insta::assert_snapshot!(serde_json::to_string(&call).unwrap(), @r#"{"phase":"post-job","run":"example","directory":"/w/output/r1","application":"example","execution":"example","time_left_ms":0,"counts":{"passed":2,"failed":0,"error":0,"timed_out":0,"skipped":0,"ignored":0,"aborted":0,"not_run":0},"exit":1}"#);
        let back = serde_json::from_str::<HookCall>("{}").unwrap_err();
        assert!(back.to_string().contains("by the program only"));
    }
}
