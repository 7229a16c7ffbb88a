use zaf_core::prelude::*;

struct Shell;

#[component(can = "host")]
fn shell() -> Shell {
    Shell
}

fn main() {}
