use k2::{TestContext, TestResult};

#[k2::test_case]
fn case(#[foreach] _count: u32) {}

fn main() {
    let _: Option<(TestResult, &TestContext)> = None;
}
