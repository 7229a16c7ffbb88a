#[k2::test_case(exclude = [(_count = 3)])]
fn case(#[foreach([1, 2])] _count: u32) {}

fn main() {}
