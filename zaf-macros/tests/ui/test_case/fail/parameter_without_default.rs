#[k2::test_case]
fn case(#[parameter] _count: u32) {}

fn main() {}
