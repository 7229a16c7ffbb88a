#[k2::test_case(exclude = ["_count=2"])]
fn case(#[foreach([1, 2])] _count: u32) {}

fn main() {}
