use zaf_core::prelude::*;

#[command_extension]
#[derive(Debug)]
struct MyExtension;

impl Extension for MyExtension {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

fn main() {}
