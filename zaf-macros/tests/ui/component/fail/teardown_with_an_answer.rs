use zaf_core::prelude::*;

struct Shell;

fn answer(shell: &Shell) -> u32 {
    let _ = shell;
    1
}

#[component(teardown = answer)]
fn with_an_answer() -> Shell {
    Shell
}

fn main() {}
