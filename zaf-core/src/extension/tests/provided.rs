//! Extensions that are described at run time take part as linked ones do.

use std::any::Any;

use super::dispatchers::{HERE, PING, PONG, SENDER, pings};
use super::*;
use crate::config::ConfigOption;

/// An extension that provides others.
struct Provider(Vec<ProvidedExtension>);

impl ExtensionObject for Provider {
    fn shared(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::new(())
    }

    fn get_config(&self, _: &ExtensionContext<'_>) -> Result<Vec<ConfigLayer>> {
        Ok(Vec::new())
    }

    fn provide_extensions(&self, _: &ExtensionContext<'_>) -> Result<ProvidedExtensions> {
        match self.0.first() {
            Some(first) if first.descriptor.name == "fail" => Err(Error::msg("no such directory")),
            _ => Ok(self.0.iter().cloned().collect()),
        }
    }

    fn register_components(&self, _: &Scope) -> Result<()> {
        Ok(())
    }

    fn register_dispatchers(&self, _: &MessageBus) -> Result<Vec<Dispatcher>> {
        Ok(Vec::new())
    }

    fn destroy(&self) -> Result<()> {
        Ok(())
    }
}

/// A framework extension that provides these.
fn provider(load_order: u16, provided: Vec<ProvidedExtension>) -> ExtensionDescriptor {
    let make = move |_: &ExtensionContext<'_>| -> Result<Box<dyn ExtensionObject>> {
        Ok(Box::new(Provider(provided.clone())))
    };
    ExtensionDescriptor {
        construct: Constructor::provided(Box::leak(Box::new(make))),
        ..framework("provider", load_order)
    }
}

/// A provided extension without dispatchers.
fn quiet(descriptor: ExtensionDescriptor) -> ProvidedExtension {
    ProvidedExtension::new(descriptor, &[])
}

/// A provided extension whose constructor and handlers know what they were made with.
fn listening(descriptor: ExtensionDescriptor, word: &'static str) -> ProvidedExtension {
    let make = move |cx: &ExtensionContext<'_>| {
        LOG.with(|log| log.lock().push(format!("{word} makes {}", cx.name())));
        construct::<Recorder<1>>(cx)
    };
    let bind = move |instance: Arc<dyn Any + Send + Sync>,
                     builder: crate::message::DispatcherBuilder,
                     scope: &Scope| {
        LOG.with(|log| log.lock().push(format!("{word} binds")));
        PONG.bind.call(instance, builder, scope)
    };
    let dispatcher = DispatcherDescriptor {
        bind: Binder::provided(Box::leak(Box::new(bind))),
        ..PONG
    };
    ProvidedExtension::new(
        ExtensionDescriptor {
            construct: Constructor::provided(Box::leak(Box::new(make))),
            ..descriptor
        },
        leak(&[dispatcher]),
    )
}

#[test]
fn provided_extensions_have_their_place_in_the_order_and_closures_with_what_they_know() {
    let provided = vec![
        listening(framework("late", 70), "the sun"),
        listening(framework("early", 11), "the moon"),
        quiet(extending("report", &[Extends::Command(&RUN)])),
        quiet(extending("other", &[Extends::Capability("nobody")])),
    ];
    let extensions = [
        runner(),
        SENDER,
        framework("middle", 60),
        provider(10, provided),
    ];
    let loaded = loader(extensions, &[]).load().unwrap();
    let log_of_loading = log();
    let news: Vec<&str> = log_of_loading
        .iter()
        .filter_map(|line| line.strip_prefix("new "))
        .collect();
    assert_eq!(
        news,
        ["early", "sender", "runner", "middle", "late", "report"]
    );
    assert!(log_of_loading.contains(&"the moon makes early".to_owned()));
    assert!(log_of_loading.contains(&"the sun binds".to_owned()));

    loaded.host().bus().trigger_event(PING, HERE, 1).unwrap();
    assert_eq!(pings(), ["ping 1 to early", "ping 1 to late"]);
    let names: Vec<&str> = loaded
        .catalog()
        .extensions()
        .iter()
        .map(|entry| entry.descriptor.name)
        .collect();
    assert_eq!(
        names,
        [
            "provider", "early", "sender", "runner", "middle", "late", "other", "report"
        ]
    );
    assert!(loaded.destroy().is_empty());
    assert_eq!(
        steps("destroy"),
        ["report", "late", "middle", "runner", "sender", "early"]
    );
}

#[test]
fn provided_extensions_are_enabled_ordered_activated_and_replaced_like_linked_ones() {
    const FLAG: OptionId<bool> = OptionId::flag("flag");
    const OPTIONS: &[ConfigOption] = &[FLAG.optional()];
    const WHEN_SET: Condition = &[&[FLAG.descriptor()]];
    let provided = vec![
        quiet(framework("one", 60)),
        quiet(framework("two", 60)),
        quiet(framework("off", 60)),
        quiet(ExtensionDescriptor {
            replaces: &["linked"],
            ..framework("three", 60)
        }),
        listening(
            ExtensionDescriptor {
                config_options: OPTIONS,
                activate_on: WHEN_SET,
                groups: &["band"],
                ..framework("four", 60)
            },
            "it",
        ),
    ];
    let values = [
        ("plugins.disable", "framework.off"),
        ("ext.one.enabled", "true"),
        ("plugins.framework.order", "two,one"),
        ("flag", "false"),
        ("ext.groups.band.enabled", "true"),
    ];
    let extensions = [
        runner(),
        SENDER,
        framework("linked", 60),
        provider(3, provided),
    ];
    let loaded = loader(extensions, &values).load().unwrap();
    let log = log();
    let made: Vec<&str> = log
        .iter()
        .filter_map(|line| line.strip_prefix("new "))
        .collect();
    assert_eq!(made, ["sender", "runner", "two", "one", "four", "three"]);
    assert!(!log.contains(&"it binds".to_owned()), "{log:?}");
    let states: Vec<String> = loaded
        .catalog()
        .extensions()
        .iter()
        .map(|entry| format!("{} {}", entry.descriptor.name, entry.state))
        .filter(|line| !line.ends_with("enabled") && !line.ends_with("loaded"))
        .collect();
    assert_eq!(
        states,
        ["linked replaced by three", "off disabled by --test"]
    );
}

#[test]
fn what_is_wrong_with_provided_extensions_is_told_and_the_others_stay() {
    let provided = vec![
        quiet(framework("tooearly", 10)),
        quiet(framework("Bad", 60)),
        quiet(framework("good", 60)),
        quiet(ExtensionDescriptor {
            file: "second.toml",
            ..framework("good", 60)
        }),
        quiet(extending("good", &[Extends::Command(&RUN)])),
    ];
    let prepared = loader([runner(), provider(10, provided)], &[]).prepare();
    assert_eq!(
        texts(prepared.errors()),
        [
            "extension `tooearly` (crate `demo`, src/demo.rs:11) has load order 10, but is known after load order 10 only; expected 11 to 1000",
            "`Bad` (crate `demo`, src/demo.rs:11) is no name for an extension: expected lower-case letters and digits, not `all` or `default`",
            "extension `good` is registered twice: crate `demo`, src/demo.rs:11 and crate `demo`, second.toml:11",
        ]
    );
    assert_eq!(made(), ["runner", "good"]);
}

#[test]
fn a_provider_that_fails_is_named_and_one_after_the_first_band_is_not_asked() {
    let fails = provider(10, vec![quiet(framework("fail", 60))]);
    let prepared = loader([runner(), fails], &[]).prepare();
    assert_eq!(
        texts(prepared.errors()),
        [
            "extension `provider` (crate `demo`, src/demo.rs:11) failed in `provide_extensions`: no such directory"
        ]
    );
    drop(prepared);
    let late = provider(11, vec![quiet(framework("never", 60))]);
    let prepared = loader([runner(), late], &[]).prepare();
    assert!(prepared.errors().is_empty());
    assert!(!made().contains(&"never".to_owned()));
}

#[test]
fn provided_extensions_that_are_made_in_limits_are_known_on_the_way() {
    let provided = vec![quiet(framework("plain", 60))];
    let loaded = loader([runner(), provider(10, provided)], &[])
        .within_limits()
        .load()
        .unwrap();
    let names: Vec<&str> = loaded
        .instances()
        .iter()
        .map(|instance| instance.descriptor().name)
        .collect();
    assert_eq!(names, ["provider", "runner", "plain"]);
}
