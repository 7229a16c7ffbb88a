use k2::{TestContext, TestResult};

#[k2::test_case(xfail)]
fn case() {}

fn main() {
    let _: Option<(TestResult, &TestContext)> = None;
}
