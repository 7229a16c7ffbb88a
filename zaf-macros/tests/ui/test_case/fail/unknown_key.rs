use k2::{TestContext, TestResult};

#[k2::test_case(tag = ["smoke"])]
fn case() {}

fn main() {
    let _: Option<(TestResult, &TestContext)> = None;
}
