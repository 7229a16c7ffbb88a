use zaf_core::prelude::*;

#[command(name = "x")]
struct MyCommand;

fn main() {}
