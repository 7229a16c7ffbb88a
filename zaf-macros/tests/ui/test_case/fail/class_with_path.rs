#[k2::test_case(class = "login::form")]
fn case() {}

fn main() {}
