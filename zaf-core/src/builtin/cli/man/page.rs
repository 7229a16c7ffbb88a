//! One manual page. Pure.

use roff::{Inline, Roff, bold, italic, roman};

use super::super::help::{
    GENERAL, Group, Paragraph, Purpose, first_line, groups, paragraphs, usage_arguments,
};
use super::super::model::{CliCommand, Model};
use crate::application::ExitCode;

/// Name of the file of a page: `zk2.1`, `zk2-addon-create.1`.
pub(super) fn file_name(model: &Model, command: Option<&CliCommand>) -> String {
    format!("{}.1", title(model, command))
}

/// What a page is called: the words of the command with dashes between.
fn title(model: &Model, command: Option<&CliCommand>) -> String {
    model.typed_path(command).replace(' ', "-")
}

/// The page of a command, or of the application.
pub(super) fn roff(model: &Model, command: Option<&CliCommand>) -> String {
    let title = title(model, command);
    let about = match command {
        Some(command) => command.description,
        None => &model.about,
    };
    let options = match command {
        Some(_) => model.options_of(command),
        None => model.main.clone(),
    };
    let mut page = Roff::new();
    let version = format!("{} {}", model.program, model.version);
    // Without a date: pages of the same program are the same.
    page.control("TH", [&*title.to_uppercase(), "1", "\"\"", &*version]);
    page.control("SH", ["NAME"]);
    let short = match first_line(about) {
        "" => "an application made of extensions",
        text => text,
    };
    page.text([roman(format!("{title} - {short}"))]);

    page.control("SH", ["SYNOPSIS"]);
    let mut synopsis = vec![bold(model.typed_path(command))];
    for word in usage_arguments(model, command, &options) {
        synopsis.extend([roman(" "), italic(word)]);
    }
    page.text(synopsis);

    page.control("SH", ["DESCRIPTION"]);
    description(&mut page, about, short);
    commands(&mut page, model, command);
    for group in groups(&options, model, Purpose::Manual) {
        options_of(&mut page, &group);
    }
    if command.is_none() {
        environment_and_files(&mut page, model);
    }
    exit_status(&mut page);
    see_also(&mut page, model, command);
    page.to_roff()
}

fn description(page: &mut Roff, about: &str, short: &str) {
    let paragraphs = paragraphs(about);
    if paragraphs.is_empty() {
        page.text([roman(short)]);
    }
    for (index, paragraph) in paragraphs.into_iter().enumerate() {
        if index > 0 {
            page.control("PP", []);
        }
        match paragraph {
            Paragraph::Prose(text) => {
                page.text([roman(text)]);
            }
            Paragraph::Verbatim(text) => {
                page.control("nf", []);
                for line in text.lines() {
                    page.text([roman(line)]);
                }
                page.control("fi", []);
            }
        }
    }
}

fn commands(page: &mut Roff, model: &Model, above: Option<&CliCommand>) {
    let mut below = model
        .children(above)
        .filter(|command| !command.hidden)
        .peekable();
    if below.peek().is_none() {
        return;
    }
    page.control("SH", ["COMMANDS"]);
    for command in below {
        page.control("TP", []);
        page.text(reference(model, command));
        page.text([roman(first_line(command.description))]);
    }
}

/// The name of another page.
fn reference(model: &Model, command: &CliCommand) -> Vec<Inline> {
    vec![bold(title(model, Some(command))), roman("(1)")]
}

fn options_of(page: &mut Roff, group: &Group) {
    let heading = match group.heading.as_str() {
        GENERAL => "GENERAL OPTIONS".to_owned(),
        heading => heading.to_uppercase(),
    };
    page.control("SH", [&*heading]);
    let description = first_line(group.description);
    if !description.is_empty() {
        page.text([roman(format!("{description}."))]);
    }
    for row in &group.rows {
        page.control("TP", []);
        page.text([bold(row.typed_text().trim())]);
        for (index, line) in row.meaning_lines().into_iter().enumerate() {
            if index > 0 {
                page.control("br", []);
            }
            page.text([roman(line)]);
        }
    }
}

fn environment_and_files(page: &mut Roff, model: &Model) {
    let (name, prefix) = (&model.name, &model.environment_prefix);
    page.control("SH", ["ENVIRONMENT"]);
    page.text([roman(format!(
        "Every option has a variable: {prefix}_ and its key in upper case, with _ for dots. \
         NO_COLOR switches colours off, CLICOLOR_FORCE switches them on."
    ))]);
    page.control("SH", ["FILES"]);
    page.text([roman(
        "Each may end in .yaml or .toml. Later ones win, variables win over files, and the command line over all.",
    )]);
    for (path, meaning) in [
        (format!("/etc/{name}/config.yaml"), "of the machine"),
        (format!("~/.config/{name}/config.yaml"), "of the user"),
        (format!("~/.{name}.yaml"), "of the user"),
        (format!("./{name}.yaml"), "of the working directory"),
    ] {
        page.control("TP", []);
        page.text([italic(path)]);
        page.text([roman(meaning)]);
    }
}

fn exit_status(page: &mut Roff) {
    page.control("SH", ["EXIT STATUS"]);
    let mut codes = ExitCode::ALL;
    codes.sort_by_key(|code| code.code());
    for code in codes {
        page.control("TP", []);
        page.text([bold(code.code().to_string())]);
        page.text([roman(code.meaning())]);
    }
}

fn see_also(page: &mut Roff, model: &Model, command: Option<&CliCommand>) {
    let Some(command) = command else {
        return;
    };
    page.control("SH", ["SEE ALSO"]);
    let above = command
        .path
        .rsplit_once(' ')
        .and_then(|(above, _)| model.commands.iter().find(|other| other.path == above));
    let mut text = vec![bold(title(model, above)), roman("(1)")];
    for below in model.children(Some(command)).filter(|below| !below.hidden) {
        text.push(roman(", "));
        text.extend(reference(model, below));
    }
    page.text(text);
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::configured;
    use super::*;

    fn of(path: &[&str]) -> String {
        let model = configured();
        let command = model.find(path).map(|(command, _)| command);
        roff(&model, command)
    }

    #[test]
    fn pages_have_the_sections_that_manuals_have() {
        insta::assert_snapshot!("application", of(&[]));
        insta::assert_snapshot!("command", of(&["run"]));
        insta::assert_snapshot!("group", of(&["addon"]));
        insta::assert_snapshot!("below", of(&["addon", "create"]));
    }

    #[test]
    fn only_what_holds_everywhere_is_in_a_manual() {
        let page = of(&["run"]);
        for word in ["demo.yaml", "now:", "deep", "\u{1b}"] {
            assert!(!page.contains(word), "{word}: {page}");
        }
        assert!(page.contains("default: results"), "{page}");
    }

    #[test]
    fn what_looks_like_a_request_is_text() {
        let mut model = configured();
        model.commands[3].description = "A \\fBback\\slash -- and more.\n\n.TH evil\n\n'so /etc/passwd\n\n- .list\n- \"quoted\"";
        let command = model.find(&["run"]).map(|(command, _)| command);
        let page = roff(&model, command);
        assert_eq!(
            page.matches("\n.TH").count() + usize::from(page.starts_with(".TH")),
            1
        );
        assert!(!page.contains("\n'so"), "{page}");
        assert!(page.contains("\\\\fBback\\\\slash \\-\\- and"), "{page}");
    }
}
