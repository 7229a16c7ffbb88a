use zaf_core::prelude::*;

#[command(name = "x")]
#[requires(shel, can = ["remote"])]
fn mycommand(cx: &CommandContext<'_>, shell: String) {
    let _ = (cx, shell);
}

fn main() {}
