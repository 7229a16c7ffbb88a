//! From descriptors to dispatchers: names, entities, activation, components, errors.

use std::any::Any;

use super::*;
use crate::component::{ComponentDescriptor, ComponentRegistry, Requirement};
use crate::config::{ConfigOption, ConfigView};
use crate::message::{DispatcherBuilder, DispatcherKind, EndpointId, Entity, EventId, Message};

pub(super) const HERE: EndpointId = EndpointId::new("here", "");
pub(super) const PING: EventId<i64> = EventId::new("PING", "");
const BOX_IDS: OptionId<Vec<Entity>> = OptionId::entities("boxes.ids");

type Instance = Arc<dyn Any + Send + Sync>;

fn bind(instance: Instance, builder: DispatcherBuilder, _: &Scope) -> Result<DispatcherBuilder> {
    let Ok(recorder) = instance.downcast::<Recorder<1>>() else {
        return Err(Error::msg("another type"));
    };
    Ok(
        builder.on(PING, move |message: &Message<i64>, _: &MessageBus| {
            recorder.note(&format!("ping {} to", message.data()));
            Ok(())
        }),
    )
}

pub(super) const PONG: DispatcherDescriptor = DispatcherDescriptor {
    handler: "on_ping",
    kind: DispatcherKind::Callback,
    priority: 0,
    optional: false,
    long_running: false,
    messages: &[PING.descriptor()],
    endpoints: &[HERE],
    entity_option: None,
    workers: None,
    requirements: &[],
    bind: Binder::linked(bind),
    line: 21,
};

pub(super) fn set(dispatchers: &'static [DispatcherDescriptor]) -> DispatcherSet {
    DispatcherSet {
        type_id: TypeId::of::<Recorder<1>>,
        dispatchers,
        file: "src/handlers.rs",
        line: 20,
    }
}

pub(super) const fn listening(extension: ExtensionDescriptor) -> ExtensionDescriptor {
    ExtensionDescriptor {
        type_id: TypeId::of::<Recorder<1>>,
        construct: Constructor::linked(construct::<Recorder<1>>),
        ..extension
    }
}

/// Defines the message.
pub(super) const SENDER: ExtensionDescriptor = ExtensionDescriptor {
    endpoints_and_messages: &[(HERE, &[PING.descriptor()])],
    ..framework("sender", 30)
};

pub(super) fn pings() -> Vec<String> {
    log()
        .into_iter()
        .filter(|line| line.starts_with("ping"))
        .collect()
}

#[test]
fn dispatchers_of_command_extensions_come_first_of_equal_priority() {
    let loaded = with_dispatchers(
        [
            runner(),
            SENDER,
            listening(framework("early", 30)),
            listening(framework("late", 31)),
            listening(extending("report", &[Extends::Command(&RUN)])),
        ],
        [set(&[PONG])],
        &[],
    )
    .load()
    .unwrap();
    let bus = loaded.host().bus().clone();
    bus.trigger_event(PING, HERE, 1).unwrap();
    assert_eq!(
        pings(),
        ["ping 1 to report", "ping 1 to early", "ping 1 to late"]
    );
    let names: Vec<_> = bus
        .state()
        .dispatchers
        .iter()
        .map(|state| state.name.to_string())
        .collect();
    assert_eq!(names, ["report.on_ping", "early.on_ping", "late.on_ping"]);
    assert!(loaded.destroy().is_empty());
    bus.trigger_event(PING, HERE, 2).unwrap();
    assert!(pings().is_empty());
}

#[test]
fn an_inactive_extension_is_made_but_does_not_listen() {
    const FLAG: OptionId<bool> = OptionId::flag("flag");
    const OPTIONS: &[ConfigOption] = &[FLAG.optional()];
    const WHEN_SET: Condition = &[&[FLAG.descriptor()]];
    let conditional = listening(ExtensionDescriptor {
        config_options: OPTIONS,
        activate_on: WHEN_SET,
        ..framework("quiet", 40)
    });
    let loaded = with_dispatchers([runner(), SENDER, conditional], [set(&[PONG])], &[])
        .load()
        .unwrap();
    loaded.host().bus().trigger_event(PING, HERE, 1).unwrap();
    let log = log();
    assert!(log.contains(&"components quiet".to_owned()), "{log:?}");
    assert!(log.contains(&"dispatchers quiet".to_owned()), "{log:?}");
    assert!(!log.iter().any(|line| line.starts_with("ping")), "{log:?}");
}

#[test]
fn a_dispatcher_with_an_entity_option_hears_of_its_own_entity_only() {
    const OPTIONS: &[ConfigOption] = &[BOX_IDS.instantiate_on()];
    const OWN: DispatcherDescriptor = DispatcherDescriptor {
        entity_option: Some(BOX_IDS.descriptor()),
        ..PONG
    };
    let per_box = listening(ExtensionDescriptor {
        config_options: OPTIONS,
        ..framework("box", 40)
    });
    let loaded = with_dispatchers(
        [runner(), SENDER, per_box],
        [set(leak(&[OWN]))],
        &[("boxes.ids", "a,b")],
    )
    .load()
    .unwrap();
    let bus = loaded.host().bus();
    bus.trigger_event_for(PING, HERE, &Entity::from("b"), 7)
        .unwrap();
    assert_eq!(pings(), ["ping 7 to box[b]"]);
    let names: Vec<_> = bus
        .state()
        .dispatchers
        .iter()
        .map(|state| state.name.to_string())
        .collect();
    assert_eq!(names, ["box[a].on_ping", "box[b].on_ping"]);
}

#[test]
fn a_dispatcher_for_somebody_elses_entities_or_of_no_extension_is_refused() {
    const OWN: DispatcherDescriptor = DispatcherDescriptor {
        entity_option: Some(BOX_IDS.descriptor()),
        workers: Some(0),
        ..PONG
    };
    let stray = DispatcherSet {
        type_id: TypeId::of::<Recorder<9>>,
        ..set(&[PONG])
    };
    let errors = with_dispatchers(
        [runner(), SENDER, listening(framework("a", 40))],
        [set(leak(&[OWN])), stray],
        &[],
    )
    .load()
    .unwrap_err();
    let texts = texts(errors.errors());
    assert!(
        texts[0].starts_with("dispatcher `on_ping` (src/handlers.rs:21) of extension `a` listens for the entity of `boxes.ids`"),
        "{texts:?}"
    );
    assert!(texts[1].contains("has no workers"), "{texts:?}");
    assert!(
        texts[2].starts_with("the dispatchers at src/handlers.rs:20 belong to a type"),
        "{texts:?}"
    );
}

#[test]
fn an_undefined_message_names_the_handler_unless_it_is_optional() {
    const OPTIONAL: DispatcherDescriptor = DispatcherDescriptor {
        optional: true,
        ..PONG
    };
    let errors = with_dispatchers(
        [runner(), listening(framework("a", 40))],
        [set(&[PONG])],
        &[],
    )
    .load()
    .unwrap_err();
    let texts = texts(errors.errors());
    assert_eq!(texts.len(), 1);
    assert!(
        texts[0].starts_with(
            "dispatcher `on_ping` (src/handlers.rs:21) of extension `a` could not be registered: "
        ),
        "{texts:?}"
    );
    assert_eq!(steps("destroy"), ["runner", "a"]);
    let optional = with_dispatchers(
        [runner(), listening(framework("a", 40))],
        [set(leak(&[OPTIONAL]))],
        &[],
    )
    .load();
    assert!(optional.is_ok());
}

/// Resolves a view and a text when it is bound, and answers with them.
const CURIOUS: DispatcherDescriptor = DispatcherDescriptor {
    bind: Binder::linked(|instance, builder, scope| {
        let view: Arc<ConfigView> = scope.resolve(&Requirement::of::<ConfigView>("config"))?;
        let text: Arc<String> = scope.resolve(&Requirement::of::<String>("text"))?;
        let recorder = instance
            .downcast::<Recorder<1>>()
            .map_err(|_| Error::msg("type"))?;
        let own = view.get_optional(PROVIDED)?;
        Ok(builder.on(PING, move |_: &Message<i64>, _: &MessageBus| {
            recorder.note(&format!("ping {own:?} {text} to"));
            Ok(())
        }))
    }),
    ..PONG
};

#[test]
fn c9_what_needs_a_disabled_extension_names_the_whole_chain_and_who_disabled_it() {
    let listener = || listening(extending("report", &[Extends::Command(&RUN)]));
    let errors = |extension, values: &[(&str, &str)]| {
        let loader = with_dispatchers([runner(), SENDER, extension], [set(&[PONG])], values);
        let errors = loader.load().unwrap_err();
        assert_eq!(errors.exit_code(), ExitCode::ExtensionFailed);
        texts(errors.errors()).join("\n")
    };
    let needs = "needs message `PING` in `on_ping`, which nobody defines";
    assert_eq!(
        errors(listener(), &[("ext.sender.enabled", "false")]),
        format!(
            "extension `report` (crate `demo`, src/demo.rs:11) {needs}: run -> report -> sender (disabled by --test)"
        )
    );
    assert_eq!(
        errors(
            listening(framework("early", 40)),
            &[("plugins.disable", "framework.sender")]
        ),
        format!(
            "extension `early` (crate `demo`, src/demo.rs:11) {needs}: early -> sender (disabled by --test)"
        )
    );
    let instead = ExtensionDescriptor {
        replaces: &["sender"],
        ..listening(framework("other", 41))
    };
    let replaced = errors(instead, &[]);
    assert!(
        replaced.ends_with("other -> sender (replaced by other)"),
        "{replaced}"
    );
}

#[test]
fn handlers_get_their_extensions_own_view_and_components_of_others() {
    let curious = listening(ExtensionDescriptor {
        config_options: leak(&[PROVIDED.optional()]),
        ..framework("curious", 60)
    });
    let loaded = with_dispatchers(
        [runner(), SENDER, curious],
        [set(&[CURIOUS])],
        &[("provided", "x")],
    )
    .load()
    .unwrap();
    loaded.host().bus().trigger_event(PING, HERE, 1).unwrap();
    // Components are registered in load order; the last one wins.
    assert_eq!(pings(), ["ping Some(\"x\") curious to curious"]);
}

/// Asks for the component `a` when it is bound.
const NEEDY: DispatcherDescriptor = DispatcherDescriptor {
    bind: Binder::linked(|_, builder, scope| {
        scope.resolve::<u8>(&Requirement::of::<u8>("a"))?;
        Ok(builder)
    }),
    ..PONG
};

#[test]
fn c10_a_circle_of_components_stops_the_start_with_its_path() {
    const NEEDS_B: &[Requirement] = &[Requirement::of::<u16>("b")];
    const NEEDS_A: &[Requirement] = &[Requirement::of::<u8>("a")];
    let component = |name, type_id, type_name, requirements| ComponentDescriptor {
        name,
        description: "",
        scope: "session",
        can: &[],
        priority: 0,
        type_id,
        type_name,
        requirements,
        make: |_| Err(Error::msg("not reached")),
        teardown: None,
        entity: None,
        krate: "demo",
        file: "src/parts.rs",
        line: 2,
    };
    let components = ComponentRegistry::new([
        component("a", TypeId::of::<u8>, || "u8", NEEDS_B),
        component("b", TypeId::of::<u16>, || "u16", NEEDS_A),
    ])
    .unwrap();
    let errors = with_dispatchers(
        [runner(), SENDER, listening(framework("needy", 60))],
        [set(&[NEEDY])],
        &[],
    )
    .components(components)
    .load()
    .unwrap_err();
    let text = &texts(errors.errors())[0];
    assert!(
        text.ends_with("component needs itself: `a` (src/parts.rs:2) -> `b` (src/parts.rs:2) -> `a` (src/parts.rs:2)"),
        "{text}"
    );
    assert_eq!(errors.exit_code(), ExitCode::ExtensionFailed);
}

/// What an extension of this crate would have put into the session.
struct Gauge;

/// Asks for it when it is bound.
const MEASURING: DispatcherDescriptor = DispatcherDescriptor {
    bind: Binder::linked(|_, builder, scope| {
        scope.resolve::<Gauge>(&Requirement::of::<Gauge>("gauge"))?;
        Ok(builder)
    }),
    ..PONG
};

#[test]
fn c9_a_component_that_is_missing_names_the_extension_of_its_crate_that_is_switched_off() {
    let gauges = ExtensionDescriptor {
        krate: env!("CARGO_PKG_NAME"),
        ..framework("gauges", 50)
    };
    let errors = with_dispatchers(
        [runner(), SENDER, gauges, listening(framework("needy", 60))],
        [set(&[MEASURING])],
        &[("plugins.disable", "framework.gauges")],
    )
    .load()
    .unwrap_err();
    let text = &texts(errors.errors())[0];
    assert!(
        text.ends_with("\n  - it may be that of extension `gauges` (disabled by --test)"),
        "{text}"
    );
    assert_eq!(errors.exit_code(), ExitCode::ExtensionFailed);
}
