use zaf_core::prelude::*;

#[framework_extension(name = "x")]
struct MyExtension<T>(T);

fn main() {}
