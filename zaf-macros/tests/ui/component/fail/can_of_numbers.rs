use zaf_core::prelude::*;

struct Shell;

#[component(can = [1])]
fn shell() -> Shell {
    Shell
}

fn main() {}
