use zaf_core::prelude::*;

struct Shell;
struct Other;

fn close(other: &Other) {
    let _ = other;
}

#[component(teardown = close)]
fn of_another() -> Shell {
    Shell
}

fn main() {}
