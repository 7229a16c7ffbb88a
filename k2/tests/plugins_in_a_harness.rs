//! The extensions that bring plugins in, in an application of them alone.

use zaf_harness::HarnessBuilder;
use zaf_harness::prelude::*;
use zaf_plugins::Plugins;
use zaf_plugins::link::PluginCheck;

use crate::plugins::{Plugin, seen};
use crate::session::Session;

/// An application of this extension for the user of a session.
fn of<E: zaf_core::extension::Extension>(session: &Session) -> HarnessBuilder<E> {
    let home = session.path().parent().unwrap().to_owned();
    ExtensionTestHarness::<E>::builder()
        .variable("HOME", home)
        .variable("PATH", "/usr/bin:/bin")
}

#[test]
fn a_plugin_takes_part_in_a_command_of_an_application_in_a_harness() -> TestResult {
    let session = Session::new();
    let folder = Plugin::listening("notes", &["BEFORE_COMMAND"])
        .with(
            "kind",
            serde_json::json!({"command": {"extends": ["noop"]}}),
        )
        .write(&session, "plugins/one");
    let place = folder.parent().unwrap().to_str().unwrap().to_owned();
    let line = |command: &str| {
        [
            command.to_owned(),
            "--plugins-paths".to_owned(),
            place.clone(),
        ]
    };
    // What only lists extensions starts none.
    of::<Plugins>(&session)
        .run_command(line("extensions"))?
        .expect_success()?;
    assert_eq!(seen(&session), "");
    let run = of::<Plugins>(&session).run_command(line("noop"))?;
    run.expect_success()?.logs.expect_none(Level::WARN)?;
    let seen = seen(&session);
    for part in [
        "\"type\":\"describe\"",
        "BEFORE_COMMAND",
        "\"type\":\"stop\"",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    Ok(())
}

#[test]
fn what_is_trusted_is_kept_for_the_user_that_the_test_makes() -> TestResult {
    let session = Session::new();
    let folder = Plugin::listening("notes", &["BEFORE_COMMAND"]).write(&session, "plugins/one");
    let run = of::<Plugins>(&session)
        .run_command(["trust", folder.to_str().unwrap()])?
        .expect_success()?;
    assert!(run.stdout.contains("plugins/one"), "{run}");
    let listed = of::<Plugins>(&session)
        .run_command(["trust", "--list"])?
        .expect_success()?;
    assert!(listed.stdout.contains("plugins/one"), "{listed}");
    // Of another user nothing is known.
    let other = of::<Plugins>(&Session::new()).run_command(["trust", "--list"])?;
    assert!(!other.stdout.contains("plugins/one"), "{other}");
    Ok(())
}

#[test]
fn plugin_check_tells_a_right_program_from_a_wrong_one() -> TestResult {
    let session = Session::new();
    let right = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/examples/plugins/shell"
    );
    let run = of::<PluginCheck>(&session)
        .run_command(["plugin", "check", right])?
        .expect_success()?;
    assert!(run.stdout.ends_with("It is right.\n"), "{run}");
    let wrong = session.script("wrong", "echo hello");
    let run =
        of::<PluginCheck>(&session).run_command(["plugin", "check", wrong.to_str().unwrap()])?;
    assert_ne!(run.code, zaf_core::application::ExitCode::Success, "{run}");
    assert!(run.stdout.contains("describe"), "{run}");
    Ok(())
}
