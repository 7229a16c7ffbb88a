//! Bands, enabling, replacing: who is loaded, and when.

use proptest::prelude::*;

use super::*;

#[test]
fn extensions_are_made_by_load_order_then_name_and_command_extensions_last() {
    let loaded = loader(
        [
            extending("alpha", &[Extends::Command(&RUN)]),
            framework("zulu", 1),
            framework("yankee", 101),
            framework("bravo", 20),
            runner(),
            framework("able", 50),
            framework("xray", 1000),
            extending("other", &[Extends::Capability("nothing")]),
        ],
        &[],
    )
    .load()
    .unwrap();
    assert_eq!(
        made(),
        ["zulu", "bravo", "able", "runner", "yankee", "xray", "alpha"]
    );
    let names: Vec<_> = loaded
        .instances()
        .iter()
        .map(|instance| instance.descriptor().name)
        .collect();
    assert_eq!(names.last(), Some(&"alpha"));
    assert_eq!(loaded.command().name, "run");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// C13, F-27: the linker's order never shows.
    #[test]
    fn f27_c13_any_order_of_descriptors_gives_the_same_run(order in Just((0_usize..7).collect::<Vec<_>>()).prop_shuffle()) {
        let extensions = [
            runner(),
            framework("a", 30),
            framework("b", 30),
            ExtensionDescriptor { line: 12, default_enabled: false, ..framework("b", 30) },
            ExtensionDescriptor { file: "src/other.rs", type_id: TypeId::of::<Recorder<1>>, ..framework("b", 30) },
            extending("c", &[Extends::Capability("suite")]),
            extending("d", &[Extends::Command(&RUN)]),
        ];
        let run = |order: &[usize]| {
            let chosen = || order.iter().map(|&index| extensions[index]);
            let errors = texts(ExtensionRegistry::new(chosen(), []).problems());
            let outcome = loader(chosen(), &[]).load();
            let command = outcome.as_ref().map(|loaded| loaded.command().name).map_err(|errors| texts(errors.errors()));
            drop(outcome);
            (errors, command, log())
        };
        prop_assert_eq!(run(&order), run(&[0, 1, 2, 3, 4, 5, 6]));
    }
}

#[test]
fn configuration_of_one_extension_is_merged_before_the_next_is_made() {
    const WANTS: &[crate::config::ConfigOption] = &[PROVIDED.optional()];
    let wanting = |name, load_order| ExtensionDescriptor {
        config_options: WANTS,
        ..framework(name, load_order)
    };
    let loaded = loader(
        [
            runner(),
            wanting("see1", 29),
            framework("provide1", 30),
            wanting("see2", 31),
            framework("provide2", 32),
            wanting("see3", 33),
        ],
        &[],
    )
    .load()
    .unwrap();
    let seen: Vec<_> = log()
        .into_iter()
        .filter(|line| line.starts_with("sees"))
        .collect();
    assert_eq!(
        seen,
        [
            "sees nothing in see1",
            "sees provide1 in see2",
            "sees provide2 in see3"
        ]
    );
    let key = crate::config::Key::fold("provided");
    let explained = loaded.store().explain(&key);
    assert_eq!(
        explained[0].source,
        Source::Extension {
            name: "provide2".into()
        }
    );
}

#[test]
fn an_extension_up_to_20_switches_others_off_but_not_the_always_loaded() {
    let prepared = loader(
        [
            framework("switchoffvictim", 15),
            framework("victim", 30),
            framework("switchoffalways", 16),
            framework("always", 17),
            framework("switchofflate", 40),
            framework("late", 50),
        ],
        &[],
    )
    .prepare();
    let names = made();
    assert!(!names.contains(&"victim".to_owned()), "{names:?}");
    assert!(names.contains(&"always".to_owned()), "{names:?}");
    // Too late: who takes part is decided at 20.
    assert!(names.contains(&"late".to_owned()), "{names:?}");
    let state = |name| {
        prepared
            .catalog()
            .extensions()
            .iter()
            .find(|entry| entry.descriptor.name == name)
            .map(|entry| entry.state.to_string())
    };
    assert_eq!(
        state("victim").as_deref(),
        Some("disabled by ext.victim.enabled (extension switchoffvictim)")
    );
    assert_eq!(state("always").as_deref(), Some("always loaded"));
}

#[test]
fn f30_always_loaded_is_one_extension_not_its_name() {
    let twin = ExtensionDescriptor {
        default_enabled: false,
        type_id: TypeId::of::<Recorder<1>>,
        construct: Constructor::linked(construct::<Recorder<1>>),
        ..framework("twin", 60)
    };
    let always = framework("twin", 5);
    drop(loader([always, twin], &[]).prepare());
    assert_eq!(made(), ["twin"]);
    drop(loader([always, twin], &[("ext.twin.enabled", "true")]).prepare());
    assert_eq!(made(), ["twin", "twin"]);
    // Explicitly off leaves the one that is always loaded.
    drop(
        loader(
            [
                always,
                ExtensionDescriptor {
                    default_enabled: true,
                    ..twin
                },
            ],
            &[("ext.twin.enabled", "false")],
        )
        .prepare(),
    );
    assert_eq!(made(), ["twin"]);
}

#[test]
fn nobody_is_enabled_by_default_if_the_user_says_so() {
    let prepared = loader(
        [
            runner(),
            framework("a", 30),
            framework("b", 30),
            framework("always", 3),
        ],
        &[("ext.default.enabled", "false"), ("ext.a.enabled", "true")],
    )
    .prepare();
    assert_eq!(made(), ["always", "a"]);
    let runner = &prepared.catalog().extensions()[3];
    assert_eq!(runner.descriptor.name, "runner");
    assert_eq!(runner.state.to_string(), "disabled by --test");
    assert!(prepared.catalog().commands().is_empty());
}

#[test]
fn f31_replaced_extensions_are_not_made_and_leave_no_trace() {
    let a = ExtensionDescriptor {
        replaces: &["b"],
        ..framework("a", 30)
    };
    let b = ExtensionDescriptor {
        replaces: &["c"],
        config_options: leak(&[PROVIDED.optional()]),
        ..framework("b", 30)
    };
    let prepared = loader([a, b, framework("c", 30)], &[]).prepare();
    assert_eq!(made(), ["a", "c"]);
    assert!(
        prepared
            .catalog()
            .options()
            .all(|entry| entry.option.key != "provided")
    );
    // With `a` off, `b` is there and `c` is not.
    drop(loader([a, b, framework("c", 30)], &[("ext.a.enabled", "false")]).prepare());
    assert_eq!(steps("new"), ["b"]);
}

#[test]
fn c11_circles_and_rivals_are_errors_of_extensions() {
    let replacing = |name, replaces| ExtensionDescriptor {
        replaces,
        ..framework(name, 30)
    };
    let errors = loader(
        [runner(), replacing("a", &["b"]), replacing("b", &["a"])],
        &[],
    )
    .load()
    .unwrap_err();
    assert_eq!(
        texts(errors.errors()),
        ["extensions replace each other in a circle: a -> b -> a; disable one of them"]
    );
    assert_eq!(errors.exit_code(), ExitCode::ExtensionFailed);

    let errors = loader(
        [
            runner(),
            replacing("a", &["c"]),
            replacing("b", &["c"]),
            framework("c", 30),
        ],
        &[],
    )
    .load()
    .unwrap_err();
    assert_eq!(
        texts(errors.errors()),
        ["extension `c` is replaced by `a` and by `b`; disable one of them"]
    );

    let errors = loader(
        [
            runner(),
            replacing("a", &["always"]),
            framework("always", 4),
        ],
        &[],
    )
    .load()
    .unwrap_err();
    assert!(texts(errors.errors())[0].contains("replaces `always`, which is always loaded"));
}

#[test]
fn f62_loading_again_finds_the_same_declarations() {
    let per_box = ExtensionDescriptor {
        config_options: leak(&[PROVIDED.optional()]),
        ..framework("provide", 30)
    };
    let known = || -> Vec<_> {
        let prepared = loader([runner(), per_box], &[]).prepare();
        prepared
            .catalog()
            .options()
            .map(|entry| (entry.option.key, entry.requested_by.len()))
            .collect()
    };
    assert_eq!(known(), known());
}

#[test]
fn c24_ten_thousand_options_of_a_thousand_extensions_are_loaded() {
    let many = (0..1000).map(|number| {
        let options: Vec<_> = (0..10)
            .map(|index| {
                let key: &'static str = format!("many{number}.value{index}").leak();
                OptionId::integer(key).default(number).optional()
            })
            .collect();
        ExtensionDescriptor {
            config_options: options.leak(),
            ..framework(format!("many{number}").leak(), 50)
        }
    });
    let extensions = many.chain([runner()]);
    let loaded = loader(
        extensions,
        &[
            ("many7.value3", "4"),
            ("plugins.disable", "framework.many8"),
        ],
    );
    let loaded = loaded.load().unwrap();
    let made = made();
    assert_eq!(
        (made.len(), made[0].as_str(), made[999].as_str()),
        (1000, "many0", "runner")
    );
    let value = |key| loaded.store().get(OptionId::integer(key).default(0)).ok();
    assert_eq!(value("many7.value3"), Some(4));
    let options = loaded.catalog().options();
    assert_eq!(
        options
            .filter(|entry| entry.option.key.starts_with("many"))
            .count(),
        9990
    );
}
