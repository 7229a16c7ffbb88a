//! Switching extensions off by type and name, and by group; and which of several comes first.

use super::dispatchers::{HERE, PING, PONG, SENDER, listening, pings, set};
use super::*;
use crate::message::Entity;

/// "name: state" of all that are not simply loaded.
fn not_loaded(prepared: &Prepared) -> Vec<String> {
    prepared
        .catalog()
        .extensions()
        .iter()
        .filter(|entry| !entry.state.is_enabled())
        .map(|entry| format!("{}: {}", entry.descriptor.name, entry.state))
        .collect()
}

const fn of_groups(
    extension: ExtensionDescriptor,
    groups: &'static [&'static str],
) -> ExtensionDescriptor {
    ExtensionDescriptor {
        groups,
        ..extension
    }
}

/// Two that share a name, three of a group.
fn shop() -> [ExtensionDescriptor; 6] {
    let twin = ExtensionDescriptor {
        type_id: TypeId::of::<Recorder<1>>,
        construct: Constructor::linked(construct::<Recorder<1>>),
        ..extending("twin", &[Extends::Capability("suite")])
    };
    [
        runner(),
        framework("twin", 40),
        twin,
        of_groups(framework("html", 41), &["reports"]),
        of_groups(framework("json", 42), &["reports", "machine"]),
        of_groups(
            extending("junit", &[Extends::Command(&RUN)]),
            &["reports", "machine"],
        ),
    ]
}

#[test]
fn a_qualified_name_switches_off_one_of_those_that_share_a_name() {
    let prepared = loader(shop(), &[("plugins.disable", "suite.twin,run.junit")]).prepare();
    assert!(prepared.errors().is_empty(), "{:?}", prepared.errors());
    assert_eq!(
        not_loaded(&prepared),
        ["junit: disabled by --test", "twin: disabled by --test"]
    );
    assert_eq!(made(), ["twin", "html", "json", "runner"]);
}

#[test]
fn a_group_is_switched_off_with_all_its_extensions() {
    let prepared = loader(shop(), &[("ext.groups.machine.enabled", "false")]).prepare();
    assert_eq!(
        not_loaded(&prepared),
        ["json: disabled by --test", "junit: disabled by --test"]
    );
    // An extension with a name of its own in the configuration is an exception; the stricter of two groups counts.
    let values = [
        ("ext.groups.reports.enabled", "true"),
        ("ext.groups.machine.enabled", "false"),
        ("ext.junit.enabled", "true"),
    ];
    let prepared = loader(shop(), &values).prepare();
    assert_eq!(not_loaded(&prepared), ["json: disabled by --test"]);
    // Groups are entities like others.
    let groups = prepared.store().get(ALL_GROUPS).unwrap();
    let groups: Vec<&str> = groups.iter().map(Entity::name).collect();
    assert_eq!(groups, ["machine", "reports"]);
}

/// What is said about `junit`, each with its priority, and what comes of it.
#[test]
fn the_higher_priority_decides_then_the_more_special_statement() {
    let state = |said: &[(u16, &str, &str)]| {
        let mut store = store(&[]);
        for (number, (priority, key, value)) in said.iter().enumerate() {
            let source = Source::Environment {
                name: format!("{key} {number}").into(),
            };
            let layer = ConfigLayer::new(Priority::new(*priority), source);
            store.add(layer.with(key, Value::Raw((*value).to_owned())));
        }
        let prepared = Loader::new(
            ApplicationInfo::new("demo", "0.1.0"),
            ExtensionRegistry::new(shop(), []),
            store,
            MessageBus::new(),
        )
        .prepare();
        let states: Vec<String> = not_loaded(&prepared)
            .into_iter()
            .filter(|line| line.starts_with("junit"))
            .collect();
        states.concat()
    };
    let (name, list, group) = (
        "ext.junit.enabled",
        "plugins.disable",
        "ext.groups.machine.enabled",
    );
    assert_eq!(state(&[]), "");
    assert_eq!(
        state(&[(10, name, "false")]),
        format!("junit: disabled by {name} 0")
    );
    // Of equal priorities: the name, the list, the group.
    assert_eq!(
        state(&[
            (10, name, "true"),
            (10, list, "run.junit"),
            (10, group, "false")
        ]),
        ""
    );
    assert_eq!(
        state(&[(10, group, "true"), (10, list, "run.junit")]),
        format!("junit: disabled by {list} 1")
    );
    assert_eq!(
        state(&[(10, group, "false"), (10, list, "framework.html")]),
        format!("junit: disabled by {group} 0")
    );
    // The priority counts more.
    assert_eq!(
        state(&[(10, name, "true"), (20, list, "run.junit")]),
        format!("junit: disabled by {list} 1")
    );
    assert_eq!(
        state(&[(10, name, "true"), (20, group, "false")]),
        format!("junit: disabled by {group} 1")
    );
    assert_eq!(state(&[(10, list, "run.junit"), (20, group, "true")]), "");
    // What holds for those whom nobody mentions never does for others.
    assert_eq!(
        state(&[(10, group, "true"), (30, "ext.default.enabled", "false")]),
        ""
    );
}

#[test]
fn names_that_are_no_plugins_are_refused_with_the_nearest() {
    let mut extensions = shop().to_vec();
    extensions.push(framework("always", 4));
    let values = [
        (
            "plugins.disable",
            "run.junti,junit,nothing.alike,framework.always",
        ),
        ("ext.always.enabled", "false"),
    ];
    let errors = loader(extensions, &values).load().unwrap_err();
    assert_eq!(
        texts(errors.errors()),
        [
            "there is no plugin `run.junti`, which --test disables; did you mean `run.junit`?",
            "there is no plugin `junit`, which --test disables; did you mean `run.junit`?",
            "there is no plugin `nothing.alike`, which --test disables",
            "extension `framework.always` cannot be disabled, as --test says: it is always loaded (load order up to 20)",
            "extension `always` cannot be disabled, as --test says: it is always loaded (load order up to 20)",
        ]
    );
    assert_eq!(errors.exit_code(), ExitCode::Usage);
}

#[test]
fn a_group_needs_a_name_that_keys_can_have() {
    let wrong = of_groups(framework("a", 30), &["my-group", "all", "good"]);
    let errors = loader([runner(), wrong], &[]).load().unwrap_err();
    let texts = texts(errors.errors());
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts[0].contains("belongs to group `my-group`; expected"),
        "{texts:?}"
    );
    assert!(
        texts[1].contains("belongs to group `all`; expected"),
        "{texts:?}"
    );
}

#[test]
fn an_order_moves_the_named_to_the_front_of_their_type_and_load_order() {
    let extensions = || {
        [
            runner(),
            framework("a", 30),
            framework("b", 30),
            framework("c", 30),
            framework("z", 31),
            extending("d", &[Extends::Command(&RUN)]),
            extending("e", &[Extends::Capability("suite")]),
            extending("f", &[Extends::Command(&RUN)]),
            extending("g", &[Extends::Command(&RUN)]),
        ]
    };
    let order = |values: &[(&str, &str)]| {
        let loaded = loader(extensions(), values)
            .load()
            .map_err(|errors| texts(errors.errors()));
        drop(loaded.unwrap());
        steps("new").concat()
    };
    assert_eq!(order(&[]), "abczrunnerdefg");
    assert_eq!(
        order(&[("plugins.framework.order", "c,b")]),
        "cbazrunnerdefg"
    );
    // `e` is of another type, and keeps its place.
    assert_eq!(order(&[("plugins.run.order", "g,d")]), "abczrunnergedf");
    assert_eq!(order(&[("plugins.suite.order", "e")]), "abczrunnerdefg");
    assert_eq!(
        order(&[("plugins.framework.order", "c,z")]),
        "cabzrunnerdefg"
    );

    let refused = |values: &[(&str, &str)]| {
        let errors = loader(extensions(), values).load().unwrap_err();
        assert_eq!(errors.exit_code(), ExitCode::Usage);
        texts(errors.errors()).join("\n")
    };
    assert_eq!(
        refused(&[("plugins.framework.order", "z,a")]),
        "--test cannot be followed: `a` (load order 30) is loaded before `z` (load order 31)"
    );
    assert_eq!(
        refused(&[("plugins.run.order", "e,ff")]),
        "--test cannot be followed: there is no plugin `e` of type `run`; did you mean `d`?\n\
         --test cannot be followed: there is no plugin `ff` of type `run`; did you mean `f`?"
    );
}

#[test]
fn who_comes_first_gets_messages_first_whatever_priorities_say() {
    const HIGH: DispatcherDescriptor = DispatcherDescriptor {
        priority: 50,
        ..PONG
    };
    const MIDDLE: DispatcherDescriptor = DispatcherDescriptor {
        priority: 20,
        ..PONG
    };
    let heard = |values: &[(&str, &str)]| {
        let low = listening(extending("low", &[Extends::Command(&RUN)]));
        let high = ExtensionDescriptor {
            type_id: TypeId::of::<Recorder<2>>,
            ..listening(extending("high", &[Extends::Command(&RUN)]))
        };
        let other = ExtensionDescriptor {
            type_id: TypeId::of::<Recorder<3>>,
            ..listening(extending("other", &[Extends::Capability("suite")]))
        };
        let of = |type_id, dispatchers| DispatcherSet {
            type_id,
            ..set(dispatchers)
        };
        let loaded = with_dispatchers(
            [runner(), SENDER, low, high, other],
            [
                set(&[PONG]),
                of(TypeId::of::<Recorder<2>>, &[HIGH]),
                of(TypeId::of::<Recorder<3>>, &[MIDDLE]),
            ],
            values,
        )
        .load()
        .unwrap();
        log();
        loaded.host().bus().trigger_event(PING, HERE, 1).unwrap();
        pings().join(", ").replace("ping 1 to ", "")
    };
    assert_eq!(heard(&[]), "high, other, low");
    assert_eq!(heard(&[("plugins.run.order", "low")]), "low, high, other");
    assert_eq!(
        heard(&[("plugins.run.order", "low,high")]),
        "low, high, other"
    );
    assert_eq!(
        heard(&[("plugins.run.order", "high,low")]),
        "high, other, low"
    );
    // Who is not loaded raises nobody.
    let values = [("plugins.run.order", "low"), ("ext.high.enabled", "false")];
    assert_eq!(heard(&values), "other, low");
}
