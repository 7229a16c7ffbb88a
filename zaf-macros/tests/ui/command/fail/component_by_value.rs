use zaf_core::prelude::*;

#[command(name = "x")]
fn mycommand(cx: &CommandContext<'_>, shell: String) {
    let _ = (cx, shell);
}

fn main() {}
