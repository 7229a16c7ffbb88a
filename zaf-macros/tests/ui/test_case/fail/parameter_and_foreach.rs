#[k2::test_case]
fn case(#[foreach([1])] #[parameter(default = 5)] _count: u32) {}

fn main() {}
