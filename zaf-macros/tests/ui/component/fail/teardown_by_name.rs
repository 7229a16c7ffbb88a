use zaf_core::prelude::*;

struct Shell;

#[component(teardown = "close")]
fn by_name() -> Shell {
    Shell
}

fn main() {}
