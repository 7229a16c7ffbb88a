//! Help: what can be typed, from the same description that lines are read with.
//!
//! One page has one column for what is typed and one for what it means, whatever group an option belongs to; groups are the
//! command's own options, those of each extension, and those of every command. `--help` says what most people need;
//! `--full-help` leaves nothing out: hidden options and commands, whole descriptions, keys and environment variables.

mod columns;
mod entry;

use anstyle::Style;

pub(super) use self::columns::Row;
use self::columns::{Columns, Piece};
use self::entry::{TYPED, positional, rows};
use super::model::{CliCommand, Model};
use super::options::{CliOption, Owner, VERSION_LETTER, positionals};

const HEADING: Style = Style::new().bold().underline();

/// Which help is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Help,
    /// With everything that is hidden, and all that is known of each option.
    FullHelp,
    /// Like the full help, but without what is hidden and what is only so here and now.
    Manual,
}

/// Options that belong together.
pub(super) struct Group {
    pub(super) heading: String,
    /// What the extension is for.
    pub(super) description: &'static str,
    pub(super) rows: Vec<Row>,
}

/// The help of a command; without one, of the application. Colour sequences are in it, and no line is wider than the terminal
/// if its words are not.
pub(super) fn page(model: &Model, command: Option<&CliCommand>, purpose: Purpose) -> String {
    let options = match command {
        Some(_) => model.options_of(command),
        None => model.main.clone(),
    };
    let commands = Group {
        heading: "Commands".to_owned(),
        description: "",
        rows: command_rows(model, command, purpose),
    };
    let groups: Vec<Group> = std::iter::once(commands)
        .chain(groups(&options, model, purpose))
        .filter(|group| !group.rows.is_empty())
        .collect();
    let columns = Columns::of(groups.iter().flat_map(|group| &group.rows), model.width);
    let mut page = String::new();
    let about = match command {
        Some(command) => command.description,
        None => &model.about,
    };
    page.push_str(&description(about, columns, purpose));
    if !page.is_empty() {
        page.push('\n');
    }
    let usage: Vec<Piece> = std::iter::once(Piece::styled("Usage:", HEADING))
        .chain(usage(model, command, &options))
        .collect();
    page.push_str(&columns.paragraph(&usage, 0));
    for group in &groups {
        let heading = Piece::styled(format!("{}:", group.heading), HEADING);
        page.push('\n');
        page.push_str(&columns.paragraph(&[heading], 0));
        if purpose == Purpose::FullHelp && !group.description.is_empty() {
            let words: Vec<Piece> =
                Piece::words(first_line(group.description), Style::new().dimmed()).collect();
            page.push_str(&columns.paragraph(&words, 2));
        }
        for row in &group.rows {
            page.push_str(&columns.row(row));
        }
    }
    let footer = footer(model, command, purpose);
    if !footer.is_empty() {
        page.push('\n');
        for line in footer {
            let words: Vec<Piece> = Piece::words(&line, Style::new()).collect();
            page.push_str(&columns.paragraph(&words, 0));
        }
    }
    page
}

/// First line of a documentation without its full stop, for lists.
pub(super) fn first_line(text: &str) -> &str {
    let line = text.trim().lines().next().unwrap_or_default();
    line.trim().trim_end_matches('.')
}

/// The first line of a description, or all of it: paragraphs are made to fit, everything else stays as it is.
fn description(text: &str, columns: Columns, purpose: Purpose) -> String {
    if purpose == Purpose::Help {
        let words: Vec<Piece> =
            Piece::words(text.trim().lines().next().unwrap_or(""), Style::new()).collect();
        return columns.paragraph(&words, 0);
    }
    let parts: Vec<String> = paragraphs(text)
        .into_iter()
        .map(|paragraph| match paragraph {
            Paragraph::Prose(text) => {
                let words: Vec<Piece> = Piece::words(&text, Style::new()).collect();
                columns.paragraph(&words, 0)
            }
            Paragraph::Verbatim(text) => text + "\n",
        })
        .collect();
    parts.join("\n")
}

/// A part of a longer description.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Paragraph {
    /// May be broken anywhere.
    Prose(String),
    /// Lists, tables and code.
    Verbatim(String),
}

/// The parts of a description that empty lines stand between.
pub(super) fn paragraphs(text: &str) -> Vec<Paragraph> {
    let mut all = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    for line in text.trim().lines().chain([""]) {
        if !line.trim().is_empty() {
            lines.push(line.trim_end());
            continue;
        }
        let is_laid_out = |line: &&str| line.starts_with([' ', '\t', '|', '-', '*', '`']);
        if lines.iter().any(is_laid_out) {
            all.push(Paragraph::Verbatim(lines.join("\n")));
        } else if !lines.is_empty() {
            all.push(Paragraph::Prose(lines.join(" ")));
        }
        lines.clear();
    }
    all
}

fn usage(model: &Model, command: Option<&CliCommand>, options: &[CliOption]) -> Vec<Piece> {
    let typed = Piece::styled(model.typed_path(command), TYPED);
    let arguments = usage_arguments(model, command, options);
    std::iter::once(typed)
        .chain(arguments.into_iter().map(Piece::plain))
        .collect()
}

/// What stands behind the name of a command in its usage.
pub(super) fn usage_arguments(
    model: &Model,
    command: Option<&CliCommand>,
    options: &[CliOption],
) -> Vec<String> {
    let mut words = vec!["[OPTIONS]".to_owned()];
    if model.children(command).next().is_some() {
        words.push("COMMAND".to_owned());
    } else {
        words.extend(positionals(options).into_iter().map(positional));
    }
    words
}

/// The commands below a command; in the full help all of the application, each with its whole path.
fn command_rows(model: &Model, above: Option<&CliCommand>, purpose: Purpose) -> Vec<Row> {
    let row = |name: &str, command: &CliCommand| Row {
        typed: vec![Piece::plain("  "), Piece::styled(name, TYPED)],
        meaning: Piece::words(first_line(command.description), Style::new()).collect(),
    };
    if above.is_none() && purpose == Purpose::FullHelp {
        return model
            .commands
            .iter()
            .map(|command| row(&command.path, command))
            .collect();
    }
    model
        .children(above)
        .filter(|command| purpose == Purpose::FullHelp || !command.hidden)
        .map(|command| row(command.name(), command))
        .collect()
}

/// The options by who asks for them: arguments and the command's own first, what is always the same last.
pub(super) fn groups(options: &[CliOption], model: &Model, purpose: Purpose) -> Vec<Group> {
    let mut sorted: Vec<&CliOption> = options
        .iter()
        .filter(|option| purpose == Purpose::FullHelp || !option.descriptor.hidden)
        .collect();
    sorted.sort_by_key(|option| (!option.descriptor.argument, option.owner));
    sorted.splice(..positionals(options).len(), positionals(options));
    let mut groups: Vec<Group> = Vec::new();
    for option in sorted {
        let (heading, description) = match option.owner {
            _ if option.descriptor.argument => ("Arguments".to_owned(), ""),
            Owner::Command => ("Options".to_owned(), ""),
            Owner::Extension(name) => (
                format!("Options of {name}"),
                model.extensions.get(name).copied().unwrap_or(""),
            ),
            Owner::Application => (GENERAL.to_owned(), ""),
        };
        let rows = rows(option, model, purpose);
        match groups.last_mut() {
            Some(last) if last.heading == heading => last.rows.extend(rows),
            _ => groups.push(Group {
                heading,
                description,
                rows,
            }),
        }
    }
    match groups.last_mut() {
        Some(last) if last.heading == GENERAL => last.rows.extend(built_in(options)),
        _ => groups.push(Group {
            heading: GENERAL.to_owned(),
            description: "",
            rows: built_in(options),
        }),
    }
    groups
}

/// Heading of what every command understands.
pub(super) const GENERAL: &str = "General options";

/// What the command line itself understands.
fn built_in(options: &[CliOption]) -> Vec<Row> {
    let has_letter = |option: &CliOption| option.descriptor.short == Some(VERSION_LETTER);
    let version = if options.iter().any(has_letter) {
        None
    } else {
        Some(VERSION_LETTER)
    };
    [
        (Some('h'), "--help", "Show this help"),
        (None, "--full-help", "Show everything, also what is hidden"),
        (version, "--version", "Show the version"),
    ]
    .into_iter()
    .map(|(letter, flag, meaning)| {
        let mut typed = match letter {
            Some(letter) => vec![
                Piece::plain("  "),
                Piece::styled(format!("-{letter}"), TYPED),
                Piece::plain(", "),
            ],
            None => vec![Piece::plain("      ")],
        };
        typed.push(Piece::styled(flag, TYPED));
        Row {
            typed,
            meaning: Piece::words(meaning, Style::new()).collect(),
        }
    })
    .collect()
}

fn footer(model: &Model, command: Option<&CliCommand>, purpose: Purpose) -> Vec<String> {
    let path = model.typed_path(command);
    let mut lines = Vec::new();
    if model.children(command).next().is_some() {
        lines.push(format!(
            "`{path} COMMAND --help` shows the options of a command."
        ));
    }
    if purpose == Purpose::Help {
        lines.push(format!(
            "`{path} --full-help` leaves nothing out: hidden options, keys of files, environment variables."
        ));
    }
    lines
}

#[cfg(test)]
mod tests;
