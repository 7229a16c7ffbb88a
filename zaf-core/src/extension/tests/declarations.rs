//! Declarations that contradict themselves or each other: one error for each, all at once, with places.

use super::*;
use crate::config::OptionDescriptor;
use crate::message::{EndpointId, EventId, MessageDescriptor, RequestId};

const BOX: OptionId<Vec<crate::message::Entity>> = OptionId::entities("boxes.ids");

#[test]
fn f34_wrong_orders_and_names_are_refused_all_at_once() {
    let errors = loader(
        [
            framework("zero", 0),
            framework("beyond", 1001),
            framework("Bad-Name", 30),
            framework("default", 30),
            extending("nothing", &[]),
            runner(),
        ],
        &[],
    )
    .load()
    .unwrap_err();
    let texts = texts(errors.errors());
    for expected in [
        "extension `zero` (crate `demo`, src/demo.rs:11) has load order 0; expected 1 to 1000",
        "extension `beyond` (crate `demo`, src/demo.rs:11) has load order 1001; expected 1 to 1000",
    ] {
        assert!(texts.iter().any(|text| text == expected), "{texts:?}");
    }
    assert_eq!(texts.len(), 5, "{texts:?}");
    assert_eq!(errors.exit_code(), ExitCode::ExtensionFailed);
}

#[test]
fn f59_the_same_extension_twice_names_both_crates_and_lines() {
    let errors = loader(
        [
            runner(),
            framework("twice", 30),
            ExtensionDescriptor {
                krate: "copy",
                file: "src/copy.rs",
                line: 3,
                ..framework("twice", 30)
            },
        ],
        &[],
    )
    .load()
    .unwrap_err();
    assert_eq!(
        texts(errors.errors()),
        [
            "extension `twice` is registered twice: crate `copy`, src/copy.rs:3 and crate `demo`, src/demo.rs:11"
        ]
    );
}

#[test]
fn a_broken_extension_does_not_hide_what_the_others_know() {
    let prepared = loader(
        [runner(), framework("zero", 0), framework("failnew", 60)],
        &[],
    )
    .prepare();
    assert_eq!(prepared.errors().len(), 2);
    assert!(prepared.catalog().commands().find("run").is_some());
    assert_eq!(prepared.command().unwrap().name, "run");
    assert!(prepared.destroy().is_empty());
}

#[test]
fn c5_c6_c7_options_are_shared_or_refused() {
    const ONE: OptionId<i64> = OptionId::integer("my.value").default(1);
    const TWO: OptionId<i64> = OptionId::integer("my.value").default(2);
    const FOLDED: OptionId<bool> = OptionId::flag("my-value");
    const SHARED: &[crate::config::ConfigOption] = &[ONE.optional()];
    let with = |name, config_options| ExtensionDescriptor {
        config_options,
        ..framework(name, 30)
    };
    let shared = loader([runner(), with("a", SHARED), with("b", SHARED)], &[])
        .load()
        .unwrap();
    let value = |entry: &&OptionEntry| entry.option.key == "my.value";
    let entry = shared.catalog().options().find(value).unwrap();
    assert_eq!(entry.requested_by.len(), 2);
    assert_eq!(
        shared
            .catalog()
            .application_options()
            .iter()
            .filter(|entry| value(entry))
            .count(),
        1
    );

    let errors = loader(
        [
            runner(),
            with("a", SHARED),
            with("b", leak(&[TWO.optional()])),
            with("c", leak(&[FOLDED.optional()])),
        ],
        &[],
    )
    .load()
    .unwrap_err();
    let texts = texts(errors.errors());
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].starts_with("option `my.value` is declared twice and differently"));
    assert!(
        texts[1].starts_with("options `my.value` of extension `a`"),
        "{texts:?}"
    );
    assert_eq!(errors.exit_code(), ExitCode::Usage);
}

#[test]
fn options_of_disabled_extensions_do_not_exist() {
    const MINE: &[crate::config::ConfigOption] = &[PROVIDED.required()];
    let prepared = loader(
        [
            runner(),
            ExtensionDescriptor {
                config_options: MINE,
                default_enabled: false,
                ..framework("off", 30)
            },
        ],
        &[],
    )
    .prepare();
    assert!(prepared.errors().is_empty());
    assert!(
        prepared
            .store()
            .options()
            .all(|known| known.option.key != "provided")
    );
}

#[test]
fn c8_an_endpoint_or_message_has_one_definition() {
    const HERE: EndpointId = EndpointId::new("here", "");
    const THERE: EndpointId = EndpointId::new("there", "");
    const PING: EventId<i64> = EventId::new("PING", "");
    const OTHER_PING: RequestId<i64, ()> = RequestId::new("PING", "");
    let defining = |name, endpoint, messages: &[MessageDescriptor]| ExtensionDescriptor {
        endpoints_and_messages: leak(&[(endpoint, leak(messages))]),
        ..framework(name, 30)
    };
    let fine = [
        defining("a", HERE, &[PING.descriptor()]),
        defining("b", THERE, &[PING.descriptor()]),
    ];
    let loaded = loader(fine.into_iter().chain([runner()]), &[])
        .load()
        .unwrap();
    assert!(loaded.host().bus().is_defined(PING, THERE));

    let clashing = [
        defining("a", HERE, &[PING.descriptor()]),
        defining("b", HERE, &[]),
        defining("c", THERE, &[OTHER_PING.descriptor()]),
    ];
    let errors = loader(clashing.into_iter().chain([runner()]), &[])
        .load()
        .unwrap_err();
    let texts = texts(errors.errors());
    assert_eq!(
        texts[0],
        "endpoint `here` is defined twice: by extension `a` (crate `demo`, src/demo.rs:11) and by extension `b` (crate `demo`, src/demo.rs:11)"
    );
    assert!(
        texts[1].starts_with("message `PING` is defined twice and differently"),
        "{texts:?}"
    );
    assert_eq!(errors.exit_code(), ExitCode::Usage);
}

#[test]
fn f29_an_endpoint_and_a_message_may_have_one_name() {
    const TWIN: EndpointId = EndpointId::new("TWIN", "");
    const MESSAGE: EventId<i64> = EventId::new("TWIN", "");
    let defining = ExtensionDescriptor {
        endpoints_and_messages: leak(&[(TWIN, leak(&[MESSAGE.descriptor()]))]),
        ..framework("a", 30)
    };
    let loaded = loader([runner(), defining], &[]).load().unwrap();
    let bus = loaded.host().bus();
    let queue = bus.message_queue(MESSAGE, TWIN).unwrap();
    bus.trigger_event(MESSAGE, TWIN, 4).unwrap();
    assert_eq!(*queue.try_recv().unwrap().data(), 4);
}

#[test]
fn conditions_and_entities_must_be_asked_for() {
    const FLAG: OptionDescriptor = OptionId::flag("flag").descriptor();
    const BOXES: &[crate::config::ConfigOption] =
        &[BOX.instantiate_on(), PROVIDED.instantiate_on()];
    let extensions = [
        runner(),
        ExtensionDescriptor {
            activate_on: &[&[FLAG]],
            ..framework("a", 30)
        },
        ExtensionDescriptor {
            config_options: BOXES,
            ..framework("b", 30)
        },
        ExtensionDescriptor {
            config_options: leak(&[PROVIDED.instantiate_on()]),
            ..framework("c", 30)
        },
    ];
    let errors = loader(extensions, &[]).load().unwrap_err();
    let texts = texts(errors.errors());
    assert!(
        texts[0].contains("depends on option `flag` in `activate_on` without asking"),
        "{texts:?}"
    );
    assert!(
        texts[1].contains("instances per entity of `boxes.ids` and of `provided`"),
        "{texts:?}"
    );
    assert!(
        texts[2].contains("`provided`, which names no entities"),
        "{texts:?}"
    );
}
