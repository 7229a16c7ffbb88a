use zaf_core::prelude::*;

#[command(name = "x", parent = "y")]
fn mycommand(_cx: &CommandContext<'_>) -> Result<ExitCode> {
    Ok(ExitCode::Success)
}

fn main() {}
