use k2::{TestContext, TestResult};

#[k2::test_case]
fn case<T>() {}

fn main() {
    let _: Option<(TestResult, &TestContext)> = None;
}
