use zaf_core::prelude::*;

struct Shell;

#[component]
#[requires(host, uses = [host])]
fn rack(host: &String, port: &u16) -> Shell {
    let _ = (host, port);
    Shell
}

fn main() {}
