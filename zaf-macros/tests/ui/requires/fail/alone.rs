use zaf_core::prelude::*;

struct Shell;

#[requires(host, can = ["remote"])]
fn shell(host: &String) -> Shell {
    let _ = host;
    Shell
}

fn main() {}
