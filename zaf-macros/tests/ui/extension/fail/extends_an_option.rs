use zaf_core::prelude::*;

const VALUE: OptionId<i64> = OptionId::integer("value");

#[command_extension(name = "x", extends = [VALUE])]
#[derive(Debug)]
struct MyExtension;

impl Extension for MyExtension {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

fn main() {}
