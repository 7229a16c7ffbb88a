use super::super::fixture::{configured, model};
use super::*;

fn shown(model: &Model, path: &[&str], purpose: Purpose) -> String {
    let command = model.find(path).map(|(command, _)| command);
    let text = page(model, command, purpose);
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn pages_read_well_at_eighty_and_at_a_hundred_and_twenty_columns() {
    let mut model = configured();
    for width in [80, 120] {
        model.width = width;
        for (name, path, purpose) in [
            ("root", &[][..], Purpose::Help),
            ("root_full", &[], Purpose::FullHelp),
            ("run", &["run"], Purpose::Help),
            ("run_full", &["run"], Purpose::FullHelp),
            ("group", &["addon"], Purpose::Help),
        ] {
            let text = shown(&model, path, purpose);
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width), "{text}");
            assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
            insta::assert_snapshot!(format!("{name}_{width}"), text);
        }
    }
}

#[test]
fn what_is_hidden_is_only_in_the_full_help() {
    let mut model = model();
    model.commands[2].hidden = true;
    for (path, word) in [(&[][..], "list"), (&["run"], "--deep-secret")] {
        assert!(!shown(&model, path, Purpose::Help).contains(word));
        assert!(shown(&model, path, Purpose::FullHelp).contains(word));
    }
}

#[test]
fn the_full_help_names_every_command_key_and_variable() {
    let model = configured();
    let root = shown(&model, &[], Purpose::FullHelp);
    for command in &model.commands {
        assert!(root.contains(&format!("  {}", command.path)), "{root}");
    }
    let run = shown(&model, &["run"], Purpose::FullHelp);
    let (command, _) = model.find(&["run"]).expect("a command");
    let one_line = run.split_whitespace().collect::<Vec<_>>().join(" ");
    for option in model.options_of(Some(command)) {
        let keys = if option.entities.is_empty() {
            vec![option.descriptor.key.to_owned()]
        } else {
            vec!["boxes.lab.ip".to_owned(), "boxes.desk.ip".to_owned()]
        };
        for key in keys {
            let variable = format!("DEMO_{}", key.replace('.', "_").to_uppercase());
            assert!(one_line.contains(&format!("[key: {key}]")), "{run}");
            assert!(one_line.contains(&format!("[env: {variable}]")), "{run}");
        }
    }
    assert!(one_line.contains("At length."), "{run}");
}

#[test]
fn only_a_value_that_was_set_elsewhere_is_shown_with_its_place() {
    let run = shown(&configured(), &["run"], Purpose::Help);
    let one_line = run.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "How many at once [now: 4, by demo.yaml:3:7]",
        // What the application presets is its default.
        "Where results go [default: results]",
        "[default: on] [now: off, by demo.yaml:3:7]",
        "Run only these [now: a,b, by demo.yaml:3:7] [repeatable]",
    ] {
        assert!(one_line.contains(expected), "{expected}: {run}");
    }
    // What was typed is not repeated; one that others need is marked until it is there.
    assert!(!one_line.contains("now: info"), "{run}");
    assert_eq!(one_line.matches("[required]").count(), 1, "{run}");
}

#[test]
fn looks_are_there_for_terminals_only_by_the_stream() {
    let text = page(&model(), None, Purpose::Help);
    assert!(text.contains('\u{1b}'));
    assert!(!shown(&model(), &[], Purpose::Help).contains('\u{1b}'));
}

#[test]
fn long_descriptions_are_wrapped_and_lists_stay_as_they_are() {
    assert_eq!(
        paragraphs("One\ntwo.\n\n- a\n- b\n\n\nThree.\n"),
        [
            Paragraph::Prose("One two.".to_owned()),
            Paragraph::Verbatim("- a\n- b".to_owned()),
            Paragraph::Prose("Three.".to_owned()),
        ]
    );
    assert_eq!(paragraphs(""), []);
}
