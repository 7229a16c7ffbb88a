use zaf_core::prelude::*;

const HERE: EndpointId = EndpointId::new("here", "");

#[framework_extension(name = "x", endpoints_and_messages = [HERE])]
#[derive(Debug)]
struct MyExtension;

impl Extension for MyExtension {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

fn main() {}
