use zaf_core::prelude::*;

struct Shell;

#[component]
fn shell<T>() -> Shell {
    Shell
}

fn main() {}
