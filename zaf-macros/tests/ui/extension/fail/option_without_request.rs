use zaf_core::prelude::*;

const VALUE: OptionId<i64> = OptionId::integer("value");

#[framework_extension(name = "x", config_options = [VALUE])]
#[derive(Debug)]
struct MyExtension;

impl Extension for MyExtension {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

fn main() {}
