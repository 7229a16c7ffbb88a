use zaf_core::prelude::*;

struct Shell;

#[component(scopes = "session")]
fn shell() -> Shell {
    Shell
}

fn main() {}
