use zaf_core::prelude::*;

struct Shell;

#[component]
fn shell() -> Result<()> {
    Ok(())
}

fn main() {}
