use zaf_core::prelude::*;

#[framework_extension(name = "default")]
#[derive(Debug)]
struct MyExtension;

impl Extension for MyExtension {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

fn main() {}
