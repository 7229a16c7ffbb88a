use k2::{TestContext, TestResult};

#[k2::test_case]
fn case() -> bool {
    true
}

fn main() {
    let _: Option<(TestResult, &TestContext)> = None;
}
