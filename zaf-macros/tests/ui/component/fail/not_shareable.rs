use zaf_core::prelude::*;

struct Shell;

#[component]
fn counter() -> std::cell::Cell<i32> {
    std::cell::Cell::new(1)
}

fn main() {}
