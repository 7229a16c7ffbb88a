//! The extension on a bus: hooks are asked, scripts run.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use camino::Utf8PathBuf;
use k2::hooks::{HOOKS, HookCall, POST_JOB, PRE_JOB, Phase};
use k2_jobscripts::{JobScripts, POST, PRE, WARN_NO_DIR};
use zaf_harness::prelude::*;

const LIMIT: Duration = Duration::from_secs(30);

fn script(path: &Path, body: &str) -> TestResult {
    std::fs::create_dir_all(path.parent().expect("it lies in a directory"))?;
    std::fs::write(path, format!("#!/bin/sh\n{body}\n"))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn path(directory: &tempfile::TempDir, name: &str) -> Utf8PathBuf {
    let path = directory.path().join(name);
    Utf8PathBuf::from_path_buf(path).expect("temporary directories are UTF-8")
}

#[test]
fn scripts_run_by_name_and_know_the_phase() -> TestResult {
    let directory = tempfile::tempdir()?;
    let said = path(&directory, "said");
    for (phase, name) in [("pre", "20"), ("pre", "10"), ("post", "10")] {
        let body = format!("echo {phase} {name} $K2_JOB_PHASE >> {said}");
        script(&directory.path().join(phase).join(name), &body)?;
    }
    let harness = ExtensionTestHarness::<JobScripts>::builder()
        .define(HOOKS, [PRE_JOB, POST_JOB])
        .config(PRE, path(&directory, "pre"))
        .config(POST, path(&directory, "post"))
        .start()?;
    for (request, phase) in [(PRE_JOB, Phase::PreJob), (POST_JOB, Phase::PostJob)] {
        let call = HookCall::example(phase, path(&directory, "run"))?;
        harness.send_request(request, HOOKS, call)?.values(LIMIT)?;
    }
    let said = std::fs::read_to_string(said)?;
    let words: Vec<&str> = said
        .lines()
        .map(|line| &line[..7.min(line.len())])
        .collect();
    assert_eq!(words, ["pre 10 ", "pre 20 ", "post 10"], "{said}");
    harness.logs().expect_none(Level::WARN)?;
    harness.destroy()?;
    Ok(())
}

#[test]
fn a_script_that_fails_is_a_warning_and_the_next_one_runs() -> TestResult {
    let directory = tempfile::tempdir()?;
    script(&directory.path().join("pre/10"), "echo no room; exit 3")?;
    script(
        &directory.path().join("pre/20"),
        &format!("touch {}", path(&directory, "ran")),
    )?;
    let harness = ExtensionTestHarness::<JobScripts>::builder()
        .define(HOOKS, [PRE_JOB, POST_JOB])
        .config(PRE, path(&directory, "pre"))
        .start()?;
    let call = HookCall::example(Phase::PreJob, path(&directory, "run"))?;
    harness.send_request(PRE_JOB, HOOKS, call)?.values(LIMIT)?;
    assert!(path(&directory, "ran").exists());
    harness.logs().expect(Level::WARN, "10")?;
    Ok(())
}

#[test]
fn a_directory_that_is_missing_is_a_warning_if_that_is_wanted() -> TestResult {
    let directory = tempfile::tempdir()?;
    for is_wanted in [true, false] {
        let harness = ExtensionTestHarness::<JobScripts>::builder()
            .define(HOOKS, [PRE_JOB, POST_JOB])
            .config(PRE, path(&directory, "none"))
            .config(WARN_NO_DIR, is_wanted)
            .start()?;
        let call = HookCall::example(Phase::PreJob, path(&directory, "run"))?;
        harness.send_request(PRE_JOB, HOOKS, call)?.values(LIMIT)?;
        assert_eq!(
            harness.logs().expect(Level::WARN, "none").is_ok(),
            is_wanted
        );
    }
    Ok(())
}
