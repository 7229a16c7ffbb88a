use zaf_core::prelude::*;

#[framework_extension(name = "x")]
fn my_extension() {}

fn main() {}
