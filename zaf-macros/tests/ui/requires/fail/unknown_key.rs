use zaf_core::prelude::*;

struct Shell;

#[component]
#[requires(host, cna = ["remote"])]
fn shell(host: &String) -> Shell {
    let _ = host;
    Shell
}

fn main() {}
