//! Required options, instances per entity, activation.

use super::*;
use crate::config::{ConfigOption, OptionDescriptor};
use crate::message::Entity;

const BOX_IDS: OptionId<Vec<Entity>> = OptionId::entities("boxes.ids");
const BOX_IDS_DESCRIPTOR: OptionDescriptor = BOX_IDS.descriptor();
const BOX_IP: OptionId<String> = OptionId::text("ip").at(&BOX_IDS_DESCRIPTOR);
const PER_BOX: &[ConfigOption] = &[BOX_IDS.instantiate_on(), BOX_IP.required()];

const PER_BOX_EXTENSION: ExtensionDescriptor = ExtensionDescriptor {
    config_options: PER_BOX,
    ..framework("box", 50)
};

#[test]
fn there_is_one_instance_for_each_entity_and_each_sees_its_own_values() {
    let loaded = loader(
        [runner(), PER_BOX_EXTENSION],
        &[
            ("boxes.ids", "one,two"),
            ("boxes.one.ip", "10.0.0.1"),
            ("boxes.two.ip", "10.0.0.2"),
        ],
    )
    .load();
    let loaded = loaded.unwrap();
    assert_eq!(made(), ["box[one]", "box[two]", "runner"]);
    let addresses: Vec<_> = loaded
        .instances()
        .iter()
        .filter(|instance| instance.entity().is_some())
        .map(|instance| instance.config().get(BOX_IP).unwrap())
        .collect();
    assert_eq!(addresses, ["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn without_entities_there_is_no_instance_and_nothing_is_missing() {
    let loaded = loader([runner(), PER_BOX_EXTENSION], &[]).load().unwrap();
    assert_eq!(made(), ["runner"]);
    drop(loaded);
}

#[test]
fn a_required_option_without_a_value_is_named_with_extension_entity_and_flag() {
    let needs = ExtensionDescriptor {
        config_options: leak(&[PROVIDED.required()]),
        ..extending("needs", &[Extends::Command(&RUN)])
    };
    let errors = loader([runner(), needs], &[]).load().unwrap_err();
    assert_eq!(
        texts(errors.errors()),
        [
            "extension `needs` (crate `demo`, src/demo.rs:11) needs option `provided`, which has no value; set it with `--provided`"
        ]
    );
    assert_eq!(errors.exit_code(), ExitCode::Usage);

    let errors = loader(
        [runner(), PER_BOX_EXTENSION],
        &[("boxes.ids", "one,two"), ("boxes.one.ip", "10.0.0.1")],
    )
    .load()
    .unwrap_err();
    let texts = texts(errors.errors());
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].contains("`box` for entity `two`"), "{texts:?}");
    assert!(texts[0].contains("`boxes.two.ip`"), "{texts:?}");
}

#[test]
fn configuration_is_provided_up_to_load_order_100_and_refused_from_a_later_one() {
    let values = |load_order| {
        let loaded = loader([runner(), framework("provider", load_order)], &[]).load()?;
        Ok::<_, LoadErrors>(loaded.catalog().store().get(PROVIDED).unwrap())
    };
    assert_eq!(values(100).unwrap(), "provider");
    for load_order in [101, 1000] {
        let errors = values(load_order).unwrap_err();
        let expected = format!(
            "extension `provider` (crate `demo`, src/demo.rs:11) has load order {load_order} and provides configuration, which is complete and checked by then; expected a load order up to 100"
        );
        assert_eq!(texts(errors.errors()), [expected]);
        assert_eq!(errors.exit_code(), ExitCode::ExtensionFailed);
        assert_eq!(errors.errors()[0].extension(), Some("provider"));
    }
}

#[test]
fn activation_looks_at_the_view_of_each_instance() {
    const ON: OptionId<bool> = OptionId::flag("on").at(&BOX_IDS_DESCRIPTOR);
    const OFF: OptionId<bool> = OptionId::flag("off").at(&BOX_IDS_DESCRIPTOR);
    const OPTIONS: &[ConfigOption] = &[BOX_IDS.instantiate_on(), ON.optional(), OFF.optional()];
    const WHEN_ON: Condition = &[&[ON.descriptor()]];
    const WHEN_OFF: Condition = &[&[OFF.descriptor()]];
    let conditional = ExtensionDescriptor {
        config_options: OPTIONS,
        activate_on: WHEN_ON,
        deactivate_on: WHEN_OFF,
        ..framework("box", 30)
    };
    let loaded = loader(
        [runner(), conditional],
        &[
            ("boxes.ids", "a,b,c,d"),
            ("boxes.a.on", "true"),
            ("boxes.b.on", "false"),
            ("boxes.c.on", "true"),
            ("boxes.c.off", "true"),
        ],
    )
    .load()
    .unwrap();
    let active: Vec<_> = loaded
        .instances()
        .iter()
        .filter(|instance| instance.is_active())
        .filter_map(|instance| instance.entity().map(Entity::name))
        .collect();
    assert_eq!(active, ["a"]);
}

#[test]
fn a_wrong_value_that_decides_about_extensions_is_an_error() {
    let errors = loader(
        [runner(), framework("a", 30)],
        &[("ext.a.enabled", "perhaps")],
    )
    .load()
    .unwrap_err();
    let texts = texts(errors.errors());
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].contains("ext.a.enabled"), "{texts:?}");
    assert_eq!(errors.exit_code(), ExitCode::Usage);
}
