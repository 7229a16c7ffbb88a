//! Which command is selected, and whose options and extensions belong to it.

use super::*;
use crate::config::ConfigOption;

static ADDON: CommandDescriptor = command("addon", None);
static ADDON_RUN: CommandDescriptor = CommandDescriptor {
    uses: &["wizard"],
    config_options: &[OF_COMMAND],
    ..command("run", Some(&ADDON))
};
const OF_COMMAND: ConfigOption = OptionId::flag("of.command").optional();
const OF_EXTENSION: ConfigOption = OptionId::flag("of.extension").optional();

fn addons() -> ExtensionDescriptor {
    adding("addons", 50, &[&ADDON, &ADDON_RUN])
}

fn selecting(path: &str, extensions: impl IntoIterator<Item = ExtensionDescriptor>) -> Loader {
    loader(extensions, &[("internal.command", path)])
}

#[test]
fn f33_the_path_selects_not_the_last_word() {
    let extensions = [
        runner(),
        addons(),
        extending("outer", &[Extends::Command(&RUN)]),
        extending("inner", &[Extends::Command(&ADDON_RUN)]),
        extending("both", &[Extends::Capability("run")]),
    ];
    let loaded = selecting("addon run", extensions).load().unwrap();
    assert!(std::ptr::eq(loaded.command(), &raw const ADDON_RUN));
    assert_eq!(made(), ["addons", "runner", "both", "inner"]);
    drop(loaded);
    let loaded = selecting("run", extensions).load().unwrap();
    assert!(std::ptr::eq(loaded.command(), &raw const RUN));
    let made = steps("new");
    assert_eq!(made, ["addons", "runner", "both", "outer"]);
}

#[test]
fn an_unknown_command_has_the_nearest_right_one() {
    let errors = selecting("addon rum", [runner(), addons()])
        .load()
        .unwrap_err();
    assert_eq!(
        texts(errors.errors()),
        ["there is no command `addon rum`; did you mean `addon run`?"]
    );
    assert_eq!(errors.exit_code(), ExitCode::Usage);
}

#[test]
fn without_a_command_nothing_starts() {
    let prepared = Loader::new(
        ApplicationInfo::new("demo", "0.1.0"),
        ExtensionRegistry::new([runner()], []),
        ConfigStore::new(),
        MessageBus::new(),
    )
    .prepare();
    assert!(prepared.errors().is_empty());
    assert!(matches!(
        prepared.command(),
        Err(LoadError::NoCommand { .. })
    ));
    let errors = prepared.start().unwrap_err();
    assert!(matches!(errors.errors(), [LoadError::NoCommand { .. }]));
}

#[test]
fn f40_without_a_command_those_that_were_switched_off_are_named() {
    let said = Source::CommandLine {
        flag: "--test".into(),
    };
    let layer = ConfigLayer::new(Priority::COMMAND_LINE, said)
        .with("ext.reader.enabled", false)
        .with("ext.other.enabled", false);
    let mut store = ConfigStore::new();
    store.add(layer);
    let extensions = [runner(), framework("reader", 40), framework("other", 200)];
    let errors = Loader::new(
        ApplicationInfo::new("demo", "0.1.0"),
        ExtensionRegistry::new(extensions, []),
        store,
        MessageBus::new(),
    )
    .prepare()
    .start()
    .unwrap_err();
    assert_eq!(
        texts(errors.errors()),
        ["no command was selected; not loaded is extension `reader` (disabled by --test)"]
    );
}

#[test]
fn c9_a_command_below_one_that_is_switched_off_says_who_did_it() {
    let below = adding("below", 60, &[&ADDON_RUN]);
    let above = adding("above", 50, &[&ADDON]);
    let errors = |extensions: &[ExtensionDescriptor], values: &[(&str, &str)]| {
        let values: Vec<_> = values
            .iter()
            .copied()
            .chain([("internal.command", "run")])
            .collect();
        let errors = loader(extensions.iter().copied(), &values)
            .load()
            .unwrap_err();
        (texts(errors.errors()).join("\n"), errors.exit_code())
    };
    let (text, code) = errors(&[runner(), above, below], &[("ext.above.enabled", "false")]);
    assert_eq!(
        text,
        "extension `below` (crate `demo`, src/command.rs:5) adds command `addon run`, whose parent nobody adds: \
         below -> above (disabled by --test)"
    );
    assert_eq!(code, ExitCode::ExtensionFailed);
    // Nobody has it at all: that is a mistake of whoever declared the command.
    let (text, code) = errors(&[runner(), below], &[]);
    assert!(text.contains("which no enabled extension adds"), "{text}");
    assert_eq!(code, ExitCode::Usage);
}

#[test]
fn two_arguments_that_take_the_rest_of_one_line_are_refused() {
    const FILES: ConfigOption = OptionId::text("files").multiple().argument().optional();
    const WORDS: ConfigOption = OptionId::text("words").multiple().argument().optional();
    static COPY: CommandDescriptor = CommandDescriptor {
        config_options: &[FILES],
        ..command("copy", None)
    };
    static SAY: CommandDescriptor = CommandDescriptor {
        config_options: &[WORDS],
        ..command("say", None)
    };
    let commands = adding("commands", 50, &[&COPY, &SAY]);
    // Of two commands they are on two lines.
    let loaded = selecting("copy", [commands]).load().unwrap();
    assert!(loaded.destroy().is_empty());
    let also = ExtensionDescriptor {
        config_options: &[WORDS],
        ..extending("also", &[Extends::Command(&COPY)])
    };
    let errors = selecting("copy", [commands, also]).load().unwrap_err();
    let text = texts(errors.errors()).join("\n");
    assert!(
        text.starts_with("options `files` of command `copy`")
            && text.contains(" and `words` of ")
            && text.ends_with("a line has only one rest; make one of them an option"),
        "{text}"
    );
    assert_eq!(errors.exit_code(), ExitCode::Usage);
}

#[test]
fn a_command_has_its_own_options_those_above_and_those_of_its_extensions() {
    let junit = ExtensionDescriptor {
        config_options: leak(&[OF_EXTENSION]),
        ..extending("junit", &[Extends::Capability("wizard")])
    };
    let general = ExtensionDescriptor {
        config_options: leak(&[PROVIDED.optional()]),
        ..framework("general", 30)
    };
    let prepared = loader([runner(), addons(), junit, general], &[]).prepare();
    let keys = |command| -> Vec<_> {
        prepared
            .catalog()
            .command_options(command)
            .iter()
            .map(|entry| entry.option.key)
            .collect()
    };
    assert_eq!(keys(&ADDON_RUN), ["of.command", "of.extension"]);
    assert!(keys(&RUN).is_empty());
    let general: Vec<_> = prepared
        .catalog()
        .application_options()
        .iter()
        .map(|entry| entry.option.key)
        .collect();
    assert!(
        general.contains(&"provided") && !general.contains(&"of.command"),
        "{general:?}"
    );
}

#[test]
fn what_one_command_requires_is_not_required_of_another() {
    let wizard = ExtensionDescriptor {
        config_options: leak(&[PROVIDED.required()]),
        ..extending("wizard", &[Extends::Capability("wizard")])
    };
    let reader = ExtensionDescriptor {
        config_options: leak(&[PROVIDED.optional()]),
        ..extending("reader", &[Extends::Command(&RUN)])
    };
    let boxes = ExtensionDescriptor {
        config_options: leak(&[OptionId::entities("boxes.ids").instantiate_on()]),
        ..framework("boxes", 30)
    };
    let prepared = loader([runner(), addons(), wizard, reader, boxes], &[]).prepare();
    let required = |command| -> Vec<_> {
        prepared
            .catalog()
            .required_options(command)
            .iter()
            .map(|(entry, by)| (entry.option.key, by.to_string()))
            .collect()
    };
    assert!(required(None).is_empty());
    assert!(required(Some(&RUN)).is_empty());
    assert_eq!(
        required(Some(&ADDON_RUN)),
        [(
            "provided",
            "extension `wizard` (crate `demo`, src/demo.rs:11)".to_owned()
        )]
    );
}

#[test]
fn c4_one_command_of_two_extensions_is_an_error_with_both() {
    static OTHER: CommandDescriptor = CommandDescriptor {
        krate: "other",
        file: "src/other.rs",
        ..command("run", None)
    };
    let rival = adding("rival", 40, &[&OTHER]);
    let errors = loader([rival, runner()], &[]).load().unwrap_err();
    assert_eq!(
        texts(errors.errors()),
        [
            "command `run` is added twice: by extension `runner` (crate `demo`, src/command.rs:5) and by extension `rival` (crate `other`, src/other.rs:5); disable one of them"
        ]
    );
    assert_eq!(errors.exit_code(), ExitCode::Usage);
    let disabled = loader([rival, runner()], &[("ext.rival.enabled", "false")]).load();
    assert!(disabled.is_ok());
}
