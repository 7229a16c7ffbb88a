use zaf_core::prelude::*;

struct Shell;

#[component]
fn shell() -> impl Send {
    Shell
}

fn main() {}
