use zaf_core::prelude::*;

#[command(name = "x", description = "Does x.")]
fn mycommand(_cx: &CommandContext<'_>) -> Result<ExitCode> {
    Ok(ExitCode::Success)
}

fn main() {}
