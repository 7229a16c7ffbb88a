//! The commands of the extension, in an application of it alone.

use k2_addon::Addon;
use zaf_core::application::ExitCode;
use zaf_harness::prelude::*;

#[test]
fn a_suite_is_written_where_it_is_wanted() -> TestResult {
    let directory = tempfile::tempdir()?;
    let parent = directory
        .path()
        .to_str()
        .expect("temporary directories are UTF-8");
    let create = |name: &str| {
        let line = [
            "addon",
            "create",
            "--yes",
            "--type",
            "suite",
            "--name",
            name,
            "--addon-parent",
            parent,
        ];
        ExtensionTestHarness::<Addon>::builder().run_command(line)
    };
    let run = create("probe")?.expect_success()?;
    assert_eq!(
        run.stdout,
        format!("{}/probe\n", std::fs::canonicalize(parent)?.display())
    );
    assert!(directory.path().join("probe/src/lib.rs").is_file());
    run.logs.expect_none(Level::WARN)?;
    let again = create("probe")?.expect_code(ExitCode::Usage)?;
    assert!(
        again
            .stderr
            .contains("is there already; nothing was changed"),
        "{again}"
    );
    create("../probe")?.expect_code(ExitCode::Usage)?;
    Ok(())
}
