use zaf_core::prelude::*;

struct Shell;

struct Host;

#[component]
fn shell(_host: Host) -> Shell {
    Shell
}

fn main() {}
