//! The end: reverse order, always complete, everything reported.

use std::time::Duration;

use super::*;

#[test]
fn extensions_end_in_reverse_order_each_destroyed_before_it_is_dropped() {
    let loaded = loader(
        [
            runner(),
            framework("first", 1),
            extending("report", &[Extends::Command(&RUN)]),
        ],
        &[],
    )
    .load()
    .unwrap();
    log();
    assert!(loaded.destroy().is_empty());
    assert_eq!(
        log(),
        [
            "destroy report",
            "drop report",
            "destroy runner",
            "drop runner",
            "destroy first",
            "drop first"
        ]
    );
}

#[test]
fn c12_whatever_one_does_the_others_are_destroyed_and_all_is_reported() {
    let loaded = loader(
        [
            runner(),
            framework("a", 60),
            framework("faildestroy", 61),
            framework("b", 62),
            framework("panicdestroy", 63),
            framework("c", 64),
            framework("panicdrop", 65),
            framework("d", 66),
        ],
        &[],
    )
    .load()
    .unwrap();
    log();
    let errors: Vec<String> = loaded.destroy().iter().map(ToString::to_string).collect();
    assert_eq!(
        steps("destroy"),
        [
            "d",
            "panicdrop",
            "c",
            "panicdestroy",
            "b",
            "faildestroy",
            "a",
            "runner"
        ]
    );
    assert_eq!(
        errors,
        [
            "extension `panicdrop` panicked in `drop`: cannot be dropped",
            "extension `panicdestroy` panicked in `destroy`: cannot end",
            "extension `faildestroy` failed in `destroy`",
        ]
    );
}

#[test]
fn c12_what_hangs_is_left_behind() {
    // Long enough for those that do not hang, short enough to wait for the one that does.
    let limits = TeardownLimits::new(Duration::from_secs(1), Duration::from_mins(1));
    let loaded = loader(
        [
            runner(),
            framework("a", 60),
            framework("hang", 61),
            framework("b", 62),
        ],
        &[],
    )
    .teardown_limits(limits)
    .load()
    .unwrap();
    log();
    let errors: Vec<String> = loaded.destroy().iter().map(ToString::to_string).collect();
    assert_eq!(steps("destroy"), ["b", "hang", "a", "runner"]);
    assert_eq!(
        errors,
        ["extension `hang` was not destroyed within 1000 ms (destroy)"]
    );
}

#[test]
fn several_that_hang_share_the_time_for_all() {
    let limits = TeardownLimits::new(Duration::from_mins(1), Duration::from_millis(1));
    let loaded = loader(
        [
            runner(),
            framework("hang1", 60),
            framework("hang2", 61),
            framework("a", 62),
        ],
        &[],
    )
    .teardown_limits(limits)
    .load()
    .unwrap();
    log();
    let errors = loaded.destroy();
    assert!(
        matches!(
            errors.as_slice(),
            [
                DestroyError::Hung {
                    extension: "hang2",
                    ..
                },
                DestroyError::Hung {
                    extension: "hang1",
                    ..
                }
            ]
        ),
        "{errors:?}"
    );
    assert_eq!(steps("destroy"), ["a", "hang2", "hang1", "runner"]);
}

#[test]
fn c1_an_error_in_new_names_the_extension_and_destroys_what_was_started() {
    let errors = loader(
        [
            runner(),
            framework("a", 30),
            framework("failnew", 40),
            framework("b", 60),
        ],
        &[],
    )
    .load()
    .unwrap_err();
    assert_eq!(
        texts(errors.errors()),
        ["extension `failnew` (crate `demo`, src/demo.rs:11) failed in `new`: no licence"]
    );
    assert_eq!(errors.errors()[0].hints(), ["buy one"]);
    assert_eq!(errors.exit_code(), ExitCode::ExtensionFailed);
    assert_eq!(steps("destroy"), ["b", "runner", "a"]);
}

#[test]
fn c2_panics_are_errors_that_name_the_extension_and_the_step() {
    let errors = loader(
        [
            runner(),
            framework("a", 30),
            framework("panicnew", 40),
            framework("panicconfig", 41),
            framework("failconfig", 42),
        ],
        &[],
    )
    .load()
    .unwrap_err();
    assert_eq!(
        texts(errors.errors()),
        [
            "extension `panicnew` (crate `demo`, src/demo.rs:11) panicked in `new`: cannot be made",
            "extension `panicconfig` (crate `demo`, src/demo.rs:11) panicked in `get_config`: bad config",
            "extension `failconfig` (crate `demo`, src/demo.rs:11) failed in `get_config`: unreadable",
        ]
    );
    assert_eq!(
        steps("destroy"),
        ["runner", "failconfig", "panicconfig", "a"]
    );
}

#[test]
fn a_command_extension_that_fails_ends_the_framework_extensions_too() {
    let errors = loader(
        [
            runner(),
            extending("failnew", &[Extends::Command(&RUN)]),
            extending("report", &[Extends::Command(&RUN)]),
        ],
        &[],
    )
    .load()
    .unwrap_err();
    assert_eq!(errors.errors().len(), 1);
    assert!(errors.teardown().is_empty());
    assert_eq!(steps("destroy"), ["report", "runner"]);
}

#[test]
fn dropping_what_was_loaded_destroys_it_once() {
    drop(loader([runner()], &[]).load().unwrap());
    assert_eq!(steps("destroy"), ["runner"]);
    drop(loader([runner()], &[]).prepare());
    assert_eq!(steps("destroy"), ["runner"]);
}

#[test]
fn components_of_the_session_outlive_the_extensions() {
    struct Last(Log);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.lock().push("session ends".to_owned());
        }
    }
    let loaded = loader([runner()], &[]).load().unwrap();
    let last = Last(LOG.with(Arc::clone));
    loaded.session().provide(Arc::new(last)).unwrap();
    log();
    assert!(loaded.destroy().is_empty());
    assert_eq!(log(), ["destroy runner", "drop runner", "session ends"]);
}
