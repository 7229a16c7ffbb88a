use zaf_core::prelude::*;

struct Shell;

#[component]
#[requires(hots, can = ["remote"])]
fn shell(host: &String) -> Shell {
    let _ = host;
    Shell
}

fn main() {}
