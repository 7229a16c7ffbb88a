use zaf_core::prelude::*;

#[command(name = "x", hidden = 1)]
fn mycommand(_cx: &CommandContext<'_>) -> Result<ExitCode> {
    Ok(ExitCode::Success)
}

fn main() {}
