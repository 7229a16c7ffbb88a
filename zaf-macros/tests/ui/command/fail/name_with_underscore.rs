use zaf_core::prelude::*;

#[command(name = "my_command")]
fn mycommand(_cx: &CommandContext<'_>) -> Result<ExitCode> {
    Ok(ExitCode::Success)
}

fn main() {}
