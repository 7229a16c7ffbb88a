#[k2::test_case]
fn case(#[parameter(defualt = 5)] _count: u32) {}

fn main() {}
