use zaf_core::prelude::*;

#[framework_extension(name = "x")]
struct MyExtension;

fn main() {}
