use zaf_core::prelude::*;

#[command(name = "x")]
fn mycommand() -> Result<ExitCode> {
    Ok(ExitCode::Success)
}

fn main() {}
