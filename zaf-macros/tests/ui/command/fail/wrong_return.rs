use zaf_core::prelude::*;

#[command(name = "x")]
fn mycommand(_cx: &CommandContext<'_>) -> Result<i32> {
    Ok(0)
}

fn main() {}
