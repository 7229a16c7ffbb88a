use zaf_core::prelude::*;

struct MyExtension;

impl MyExtension {
    #[command(name = "x")]
    fn mycommand(&self, _cx: &CommandContext<'_>) -> Result<ExitCode> {
        Ok(ExitCode::Success)
    }
}

fn main() {}
