use zaf_core::prelude::*;

struct Shell;

#[component]
async fn shell() -> Shell {
    Shell
}

fn main() {}
