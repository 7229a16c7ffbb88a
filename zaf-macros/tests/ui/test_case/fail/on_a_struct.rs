use k2::{TestContext, TestResult};

#[k2::test_case]
struct Case;

fn main() {
    let _: Option<(TestResult, &TestContext)> = None;
}
