use zaf_core::prelude::*;

#[command(name = "x")]
fn mycommand(_cx: &ExtensionContext<'_>) -> Result<ExitCode> {
    Ok(ExitCode::Success)
}

fn main() {}
