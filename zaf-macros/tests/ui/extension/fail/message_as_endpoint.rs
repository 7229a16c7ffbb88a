use zaf_core::prelude::*;

const SAID: EventId<i64> = EventId::new("SAID", "");

#[framework_extension(name = "x", endpoints_and_messages = { SAID: [SAID] })]
#[derive(Debug)]
struct MyExtension;

impl Extension for MyExtension {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

fn main() {}
