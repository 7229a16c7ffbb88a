use zaf_core::prelude::*;

struct Shell;

#[component]
#[requires(host, can = ["remote"])]
#[requires(host, scope = "session")]
fn shell(host: &String) -> Shell {
    let _ = host;
    Shell
}

fn main() {}
