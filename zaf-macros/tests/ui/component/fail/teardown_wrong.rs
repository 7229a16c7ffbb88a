use zaf_core::prelude::*;

struct Shell;
struct Other;

fn close(other: &Other) {
    let _ = other;
}

fn answer(shell: &Shell) -> u32 {
    let _ = shell;
    1
}

#[component(teardown = "close")]
fn by_name() -> Shell {
    Shell
}

#[component(teardown = close)]
fn of_another() -> Shell {
    Shell
}

#[component(teardown = answer)]
fn with_an_answer() -> Shell {
    Shell
}

fn main() {}
