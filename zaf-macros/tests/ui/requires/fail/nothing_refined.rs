use zaf_core::prelude::*;

struct Shell;

#[component]
#[requires(host)]
fn shell(host: &String) -> Shell {
    let _ = host;
    Shell
}

fn main() {}
