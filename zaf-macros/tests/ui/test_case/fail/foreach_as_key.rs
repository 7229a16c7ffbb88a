use k2::{TestContext, TestResult};

#[k2::test_case(foreach = [1, 2])]
fn case(_count: u32) {}

fn main() {
    let _: Option<(TestResult, &TestContext)> = None;
}
