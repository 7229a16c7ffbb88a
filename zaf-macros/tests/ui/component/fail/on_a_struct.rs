use zaf_core::prelude::*;

struct Shell;

#[component]
struct Other;

fn main() {}
