use zaf_core::prelude::*;

struct Shell;

#[component(priority = "high")]
fn shell() -> Shell {
    Shell
}

fn main() {}
