use k2::{TestContext, TestResult};

struct Suite;

impl Suite {
    #[k2::test_case]
    fn case(&self) {}
}

fn main() {
    let _: Option<(TestResult, &TestContext)> = None;
}
