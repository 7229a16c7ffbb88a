use zaf_core::prelude::*;

struct Shell;

#[component]
#[requires(shell, uses = [shell])]
#[requires(host, uses = [hots, "name"])]
#[requires(line, uses = [other])]
#[requires(other, uses = [line])]
fn rack(host: &String, shell: &u8, line: &u16, other: &u32) -> Shell {
    let _ = (host, shell, line, other);
    Shell
}

fn main() {}
