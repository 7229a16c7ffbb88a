use zaf_core::prelude::*;

struct Shell;

#[component]
fn shell() {}

fn main() {}
