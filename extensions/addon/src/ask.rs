//! The questions, and who answers them.

use camino::Utf8PathBuf;

use crate::answers::description;
use crate::error::AddonError;
use crate::kind::Kind;
use crate::name::{AddonName, NameError};
use crate::origin::Origin;

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// What is asked.
    pub(crate) text: String,
    /// What helps to answer it.
    pub(crate) help: String,
    /// What helps those who ask for more with the key [`MORE`]: what is meant, what is made of it, an example.
    pub(crate) more: &'static [&'static str],
    /// The answer if nothing else is said.
    pub(crate) default: Option<String>,
    /// The only answers; none if it is free.
    pub(crate) choices: Vec<Choice>,
    /// Whether an answer is right, and what else it should be; told as one types.
    pub(crate) check: Check,
    /// Whether there is a question before it.
    pub(crate) is_first: bool,
}

/// One of a few answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The answer.
    pub(crate) word: String,
    /// What it means.
    pub(crate) description: String,
    /// What is said of it to those who ask for more.
    pub(crate) more: String,
}

/// The key that shows more help.
pub(crate) const MORE: char = '?';

impl Question {
    /// Whether more help is asked for by what was typed. What may have the character itself is help only where it stands alone.
    pub(crate) fn wants_more(&self, typed: &str) -> bool {
        match self.check {
            Check::Line | Check::Origin(_) => typed.trim().chars().eq([MORE]),
            Check::Name(_) | Check::Words(..) => typed.contains(MORE),
        }
    }

    /// The answer, if it is right.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn check(&self, answer: &str) -> Result<String, String> {
        // A line of the help that was chosen may have been broken.
        let words = answer.split_whitespace().collect::<Vec<_>>().join(" ");
        if self.more.contains(&words.as_str()) {
            return Err("an answer; this line is help".to_owned());
        }
        if self.wants_more(answer) {
            return Err(format!(
                "an answer; `{MORE}` shows help, and Tab takes it away"
            ));
        }
        if let Some(wrong) = key(answer) {
            return Err(wrong);
        }
        self.check.check(answer)
    }

    /// What is said below an answer while it is typed: help if it is asked for, else as [`Check::while_typing`].
    pub(crate) fn while_typing(&self, typed: &str) -> Vec<String> {
        if self.wants_more(typed) {
            return self.more.iter().map(|&line| line.to_owned()).collect();
        }
        if let Some(wrong) = key(typed) {
            return vec![format!("{NOT_YET}{wrong}")];
        }
        self.check.while_typing(typed)
    }

    /// What Tab makes of what was typed, if anything: it takes the key for help and other keys away, or takes an answer that is near.
    pub(crate) fn completed(&self, typed: &str, chosen: Option<String>) -> Option<String> {
        if self.wants_more(typed) {
            return Some(typed.replace(MORE, ""));
        }
        if key(typed).is_some() {
            return Some(typed.replace(char::is_control, ""));
        }
        let near = chosen.or_else(|| self.while_typing(typed).into_iter().next());
        near.filter(|near| !near.starts_with(NOT_YET))
    }
}

/// What is wrong with keys such as Ctrl-U, which end up in the answer and cannot be seen there.
fn key(typed: &str) -> Option<String> {
    let found = typed.chars().find(char::is_ascii_control)?;
    // The terminal sends the letter without the bit of 64.
    let letter = char::from(u8::try_from(found).ok()? ^ 64);
    Some(format!("Ctrl-{letter} is no letter; Tab takes it away"))
}

/// What decides whether an answer is right.
#[derive(Debug, Clone, PartialEq, Eq)]

pub(crate) enum Check {
    /// Something in one line.
    Line,
    /// The name of an addon that is none of these extensions.
    Name(Vec<String>),
    /// One of these words, with what they are.
    Words(&'static str, Vec<String>),
    /// Where k2 comes from; directories are seen from this one.
    Origin(Utf8PathBuf),
}

impl Check {
    /// The answer, if it is right.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn check(&self, answer: &str) -> Result<String, String> {
        if answer.starts_with(NOT_YET) {
            return Err("an answer; this line says what is wrong".to_owned());
        }
        match self {
            Self::Line => description(answer),
            Self::Name(taken) => match AddonName::free(answer.trim(), taken) {
                Ok(name) => Ok(name.to_string()),
                Err(error) => Err(match NameError::suggestion(answer) {
                    Some(near) => format!("{error}; perhaps `{near}`?"),
                    None => error.to_string(),
                }),
            },
            Self::Words(what, words) => {
                let answer = answer.trim();
                if words.iter().any(|word| word == answer) {
                    return Ok(answer.to_owned());
                }
                let near = zaf_core::config::nearest(answer, words.iter().map(String::as_str));
                let near = near.map_or_else(String::new, |near| format!("; perhaps `{near}`?"));
                Err(format!("{what}{near}"))
            }
            Self::Origin(here) => {
                let answer = answer.trim();
                let origin = Origin::parse(answer)?.seen_from(here);
                // Whoever is asked has no workspace with k2.
                origin.check(false)?;
                Ok(answer.to_owned())
            }
        }
    }

    /// What is said below an answer while it is typed: answers that are near, then what is wrong. Nothing where it is right, or before
    /// anything was typed.
    pub(crate) fn while_typing(&self, typed: &str) -> Vec<String> {
        if typed.is_empty() {
            return Vec::new();
        }
        let mut lines = match self {
            Self::Line | Self::Origin(_) => Vec::new(),
            Self::Name(_) => match NameError::suggestion(typed) {
                Some(near)
                    if self.check(near.as_str()).is_ok() && near.as_str() != typed.trim() =>
                {
                    vec![near.to_string()]
                }
                _ => Vec::new(),
            },
            Self::Words(_, words) => {
                let begins = words.iter().filter(|word| word.starts_with(typed.trim()));
                begins.take(MOST_NEAR).cloned().collect()
            }
        };
        if self.check(typed).is_ok() {
            return Vec::new();
        }
        let wrong = match self {
            Self::Name(taken) => {
                let error = AddonName::free(typed.trim(), taken).err();
                error.map(|error| error.to_string())
            }
            // What can still become a word is not wrong yet.
            Self::Words(..) if !lines.is_empty() => None,
            Self::Line | Self::Words(..) | Self::Origin(_) => self.check(typed).err(),
        };
        lines.extend(wrong.map(|wrong| format!("{NOT_YET}{wrong}")));
        lines
    }
}

/// How many words that are near are shown.
const MOST_NEAR: usize = 6;

/// What the line begins with that says what is wrong; such a line is no answer.
pub(crate) const NOT_YET: &str = "not yet: ";

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Eq)]

pub(crate) enum Reply {
    /// The answer, which is right.
    Answer(String),
    /// The question before is to be asked again.
    Back,
}

/// Who answers questions.
pub(crate) trait Ask {
    /// Asks one question until there is a right answer.
    ///
    /// # Errors
    /// [`AddonError::BrokenOff`], or that nobody can be asked.
    fn ask(&mut self, question: &Question) -> Result<Reply, AddonError>;
}

/// What is asked for, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]

pub(crate) enum Topic {
    /// What is to be written.
    Type,
    /// What it is called.
    Name,
    /// What it is for.
    Description,
    /// What it extends; of command extensions only.
    Extends,
    /// Where it gets k2 from; only where no workspace has it.
    Origin,
}

impl Topic {
    const ALL: [Self; 5] = [
        Self::Type,
        Self::Name,
        Self::Description,
        Self::Extends,
        Self::Origin,
    ];
}

/// Answers by topic; none where nothing was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said(pub std::collections::BTreeMap<Topic, String>);

/// What is there already, in the application that asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Names and capabilities of commands, sorted.
    pub(crate) extended: Vec<String>,
    /// Names of extensions.
    pub(crate) extensions: Vec<String>,
    /// The current directory.
    pub(crate) here: Utf8PathBuf,
    /// Where k2 comes from if nothing is said, if that is known.
    pub(crate) origin: Option<Origin>,
}

/// Asks for what was not said. An answer can be taken back until the last one is given.
///
/// # Errors
/// As [`Ask::ask`].
pub(crate) fn ask_the_rest(
    said: Said,
    there: &Known,
    ask: &mut dyn Ask,
) -> Result<Said, AddonError> {
    let open: Vec<Topic> = Topic::ALL
        .into_iter()
        .filter(|topic| !said.0.contains_key(topic))
        .collect();
    let mut known = said;
    let mut at = 0;
    let mut is_going_back = false;
    while let Some(&topic) = open.get(at) {
        if !is_asked(topic, &known, there) {
            // Whoever goes back comes from one behind it, and does not go back from the first that is asked.
            at = if is_going_back { at - 1 } else { at + 1 };
            continue;
        }
        let kind = known.0.get(&Topic::Type).and_then(|word| Kind::of(word));
        let mut question = question(topic, kind, there);
        question.is_first = !open[..at]
            .iter()
            .any(|&topic| is_asked(topic, &known, there));
        // Whoever comes back finds what was said.
        if is_going_back && let Some(before) = known.0.get(&topic) {
            question.default = Some(before.clone());
        }
        match ask.ask(&question)? {
            Reply::Answer(answer) => {
                known.0.insert(topic, answer);
                at += 1;
                is_going_back = false;
            }
            Reply::Back => {
                is_going_back = true;
                if !question.is_first {
                    at -= 1;
                }
            }
        }
    }
    Ok(known)
}

/// Whether the answer matters.
fn is_asked(topic: Topic, said: &Said, there: &Known) -> bool {
    match topic {
        Topic::Extends => said
            .0
            .get(&Topic::Type)
            .is_some_and(|kind| kind == Kind::Command.word()),
        Topic::Origin => there.origin != Some(Origin::Workspace),
        Topic::Type | Topic::Name | Topic::Description => true,
    }
}

fn question(topic: Topic, kind: Option<Kind>, known: &Known) -> Question {
    let free = |text: &str, help: &str, default: Option<&str>, check| Question {
        text: text.to_owned(),
        help: help.to_owned(),
        more: more(topic, kind),
        default: default.map(str::to_owned),
        choices: Vec::new(),
        check,
        is_first: false,
    };
    match topic {
        Topic::Type => Question {
            choices: Kind::ALL
                .iter()
                .map(|kind| Choice {
                    word: kind.word().to_owned(),
                    description: kind.description().to_owned(),
                    more: kind.beginning().to_owned(),
                })
                .collect(),
            ..free(
                "What is to be written?",
                "Extensions serve commands or are always there; a product is a command of its own.",
                None,
                Check::Words("one of the kinds", Kind::WORDS.map(str::to_owned).to_vec()),
            )
        },
        Topic::Name => free(
            "What is it called?",
            match kind {
                Some(Kind::Suite) => {
                    "A small letter, then small letters, digits and `_`: the package is named after it, and ids of its cases begin with it."
                }
                Some(Kind::Product) => {
                    "A small letter, then small letters, digits and `_`: package, command, files and variables are named after it."
                }
                Some(Kind::Components) => {
                    "A small letter, then small letters, digits and `_`: package, module and type are named after it."
                }
                _ => {
                    "A small letter, then small letters, digits and `_`: package, module, type and options are named after it."
                }
            },
            None,
            Check::Name(known.extensions.clone()),
        ),
        Topic::Description => free(
            "What is it for?",
            "One line. It is what lists of extensions and the documentation say.",
            Some(DESCRIPTION_UNSAID),
            Check::Line,
        ),
        Topic::Extends => free(
            "Which command does it extend?",
            "The name of a command, or a capability that commands use: it is there with each of them.",
            Some(EXTENDS_UNSAID),
            Check::Words("a command or a capability of one", known.extended.clone()),
        ),
        Topic::Origin => free(
            "Where does it get k2 from?",
            "`path:` and the directory with the sources of k2, or `git:` and the address of their repository.",
            known.origin.as_ref().map(Origin::to_string).as_deref(),
            Check::Origin(known.here.clone()),
        ),
    }
}

/// What every name is.
const NAME_IS: &str = "At most 64 small letters, digits and `_`, the first one a letter; no word of Rust or Python, and no extension that is there.";

/// What is said of a topic to those who ask for more.
fn more(topic: Topic, kind: Option<Kind>) -> &'static [&'static str] {
    match topic {
        // Each choice says more of itself.
        Topic::Type => &[],
        Topic::Name => match kind {
            Some(Kind::Suite) => &[
                "Of `my_probe` it becomes the package `my-probe` with cases such as `my_probe::the_kernel_has_a_name`.",
                NAME_IS,
                "For example: startup, door_checks, lab2. (Tab takes the `?` away.)",
            ],
            Some(Kind::Product) => &[
                "Of `my_probe` it becomes the package and the command `my-probe`, configured by `my-probe.yaml` and variables that begin with `MY_PROBE_`.",
                NAME_IS,
                "For example: acme, door_bench, lab2. (Tab takes the `?` away.)",
            ],
            Some(Kind::Components) => &[
                "Of `my_probe` it becomes the package `my-probe` with the type `MyProbe`, which handlers and cases ask for.",
                NAME_IS,
                "For example: thermometer, door_opener, lab2. (Tab takes the `?` away.)",
            ],
            _ => &[
                "All that is made is named after it: of `my_probe` the package `my-probe`, the type `MyProbe`, options that begin with `my.probe`, the extension `myprobe`.",
                NAME_IS,
                "For example: thermometer, door_opener, lab2. (Tab takes the `?` away.)",
            ],
        },
        Topic::Description => &[
            "One sentence for somebody who has never seen it. Lists of extensions, help, the README and the documentation of the code show it as it is; it may have any letters, also quotes.",
            "For example: Sounds an alarm if too many cases fail.",
            "It may have question marks, too; only one that stands alone shows this. (Tab takes it away.)",
        ],
        Topic::Extends => &[
            "The extension is there while this command runs, and costs nothing otherwise. A capability stands for each command that uses it.",
            "It becomes the `extends` of the extension, which can name several: add them there.",
            "For example: run. What begins with what was typed is listed. (Tab takes the `?` away.)",
        ],
        Topic::Origin => &[
            "What is written is built with k2, and no workspace around it says where that is. It becomes the dependencies of its Cargo.toml.",
            "Offered are the sources that this command was built in, if it lies in them. A version of a registry is an answer, too, where you have published k2.",
            "For example: path:/home/me/k2, git:https://host/k2. (Tab takes the `?` away.)",
        ],
    }
}

/// The description of what nobody described.
pub(crate) const DESCRIPTION_UNSAID: &str = "To be described";

/// What is extended if nothing is said.
pub(crate) const EXTENDS_UNSAID: &str = "run";

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers from a list; checks as a terminal would.
    struct Scripted(Vec<&'static str>, Vec<String>);

    impl Ask for Scripted {
        fn ask(&mut self, question: &Question) -> Result<Reply, AddonError> {
            self.1
                .push(format!("{} {:?}", question.text, question.default));
            loop {
                if self.0.is_empty() {
                    return Err(AddonError::BrokenOff);
                }
                match self.0.remove(0) {
                    "<" => return Ok(Reply::Back),
                    text => {
                        if let Ok(answer) = question.check(text) {
                            return Ok(Reply::Answer(answer));
                        }
                    }
                }
            }
        }
    }

    fn asked(
        said: &[(Topic, &str)],
        script: &[&'static str],
    ) -> (Result<Said, AddonError>, Vec<String>) {
        asked_with(Some(Origin::Workspace), said, script)
    }

    fn asked_with(
        origin: Option<Origin>,
        said: &[(Topic, &str)],
        script: &[&'static str],
    ) -> (Result<Said, AddonError>, Vec<String>) {
        let said = Said(
            said.iter()
                .map(|(topic, text)| (*topic, (*text).to_owned()))
                .collect(),
        );
        let mut ask = Scripted(script.to_vec(), Vec::new());
        let there = Known {
            extended: vec!["run".to_owned(), "noop".to_owned()],
            extensions: vec!["abort".to_owned()],
            here: "/".into(),
            origin,
        };
        let outcome = ask_the_rest(said, &there, &mut ask);
        (outcome, ask.1)
    }

    #[test]
    fn only_what_was_not_said_is_asked_and_wrong_answers_are_asked_again() {
        let (said, questions) = asked(
            &[(Topic::Type, "command"), (Topic::Description, "x")],
            &["../x", "Fn", "abort", "probe", "rum", "noop"],
        );
        let said = said.unwrap();
        assert_eq!(said.0[&Topic::Name], "probe");
        assert_eq!(said.0[&Topic::Extends], "noop");
        assert_eq!(questions.len(), 2);
    }

    #[test]
    fn where_no_workspace_has_k2_it_is_asked_for_and_one_goes_back_over_what_is_not_asked() {
        let near = Some(Origin::Git("https://host/k2".to_owned()));
        let script = [
            "suite",
            "s",
            "d",
            "<",
            "<",
            "t",
            "e",
            "path:/none",
            "workspace",
            "git:x",
        ];
        let (said, questions) = asked_with(near, &[], &script);
        let said = said.unwrap();
        assert_eq!(
            (&*said.0[&Topic::Name], &*said.0[&Topic::Origin]),
            ("t", "git:x")
        );
        let origin = r#"Where does it get k2 from? Some("git:https://host/k2")"#;
        assert_eq!(questions[3], origin);
        assert_eq!(questions[4], r#"What is it for? Some("d")"#);
        assert_eq!(questions.len(), 8);
        // There is nothing before the first one that is asked.
        let said = [
            (Topic::Type, "suite"),
            (Topic::Name, "s"),
            (Topic::Description, "d"),
        ];
        let (said, questions) = asked_with(None, &said, &["<", "git:x"]);
        assert_eq!(said.unwrap().0[&Topic::Origin], "git:x");
        assert_eq!(questions, ["Where does it get k2 from? None"; 2]);
    }

    #[test]
    fn keys_that_are_no_letters_are_named_and_tab_takes_them_away() {
        for topic in [
            Topic::Name,
            Topic::Description,
            Topic::Extends,
            Topic::Origin,
        ] {
            let question = question(topic, None, &Known::default());
            let expected = "Ctrl-U is no letter; Tab takes it away";
            let shown = question.while_typing("ab\u{15}c");
            assert_eq!(shown, [format!("{NOT_YET}{expected}")], "{topic:?}");
            assert_eq!(question.check("ab\u{15}c"), Err(expected.to_owned()));
            let completed = question.completed("ab\u{15}c", None);
            assert_eq!(completed.as_deref(), Some("abc"));
        }
    }

    #[test]
    fn what_is_no_command_extension_extends_nothing() {
        let (said, questions) = asked(&[], &["suite", "s", "d"]);
        assert!(!said.unwrap().0.contains_key(&Topic::Extends));
        assert_eq!(questions.len(), 3);
    }

    #[test]
    fn one_can_go_back_and_finds_what_was_said() {
        let (said, questions) = asked(&[], &["suite", "first", "<", "<", "product", "second", "d"]);
        let said = said.unwrap();
        assert_eq!(said.0[&Topic::Type], "product");
        assert_eq!(said.0[&Topic::Name], "second");
        assert_eq!(
            questions[3..5],
            [
                "What is it called? Some(\"first\")".to_owned(),
                "What is to be written? Some(\"suite\")".to_owned()
            ]
        );
    }

    #[test]
    fn m4_f35_breaking_off_is_an_error() {
        let (said, _) = asked(&[], &["suite"]);
        assert!(matches!(said, Err(AddonError::BrokenOff)));
    }

    #[test]
    fn what_is_wrong_is_told_while_it_is_typed() {
        let name = Check::Name(vec!["abort".to_owned()]);
        assert_eq!(name.while_typing(""), Vec::<String>::new());
        assert_eq!(name.while_typing("my_probe"), Vec::<String>::new());
        let lines = name.while_typing("My");
        assert_eq!(lines[0], "my");
        assert!(
            lines[1].starts_with("not yet: `My` is no name: it has `M`"),
            "{lines:?}"
        );
        assert_eq!(
            name.while_typing("abort"),
            ["not yet: `abort` is the name of an extension that is there"]
        );
        assert!(name.check(&lines[1]).is_err());
        let words = Check::Words("a command", vec!["report".to_owned(), "run".to_owned()]);
        assert_eq!(words.while_typing("r"), ["report", "run"]);
        assert_eq!(
            words.while_typing("rum"),
            ["not yet: a command; perhaps `run`?"]
        );
        assert_eq!(words.while_typing("run"), Vec::<String>::new());
        let long = "x".repeat(201);
        assert_eq!(
            Check::Line.while_typing(&long),
            ["not yet: at most 200 letters; these are 201"]
        );
    }

    #[test]
    fn a_question_mark_shows_help_and_loses_nothing_that_was_typed() {
        let there = Known {
            extended: vec!["run".to_owned()],
            ..Known::default()
        };
        for (topic, typed, rest) in [
            (Topic::Name, "?", ""),
            (Topic::Name, "my_?", "my_"),
            (Topic::Name, "my?_", "my_"),
            (Topic::Extends, "ru?", "ru"),
            (Topic::Description, "?", ""),
        ] {
            let question = question(topic, None, &there);
            let shown = question.while_typing(typed);
            assert!(shown.len() > 2 && shown == question.more, "{shown:?}");
            assert_eq!(question.completed(typed, None).as_deref(), Some(rest));
            // Neither the key nor a line of help is an answer, broken or not.
            assert!(question.check(typed).is_err());
            assert!(question.check(&shown[0]).is_err());
            assert!(
                question
                    .check(&shown[0].replacen(' ', "\n    ", 3))
                    .is_err()
            );
            assert_ne!(question.while_typing(rest), question.more);
        }
    }

    #[test]
    fn the_help_of_a_name_tells_what_becomes_of_it() {
        for kind in Kind::ALL {
            let question = question(Topic::Name, Some(kind), &Known::default());
            let said = format!("{} {}", question.help, question.more.join(" "));
            for (word, kinds) in [
                (
                    "option",
                    &[Kind::Command, Kind::Framework, Kind::Report, Kind::TestKind][..],
                ),
                (
                    "`myprobe`",
                    &[Kind::Command, Kind::Framework, Kind::Report, Kind::TestKind],
                ),
                ("`my_probe::", &[Kind::Suite]),
                ("`MY_PROBE_`", &[Kind::Product]),
            ] {
                assert_eq!(
                    said.contains(word),
                    kinds.contains(&kind),
                    "{kind} {word}: {said}"
                );
            }
            assert!(said.contains("the package"), "{kind}: {said}");
        }
    }

    #[test]
    fn a_description_may_have_question_marks() {
        let question = question(Topic::Description, None, &Known::default());
        for text in ["Why?", "? what", "Is it? It is.", "??"] {
            assert_eq!(question.while_typing(text), [""; 0]);
            assert_eq!(question.check(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_wrong_word_is_told_with_the_nearest_right_one() {
        let check = Check::Words("a command", vec!["run".to_owned(), "list".to_owned()]);
        assert_eq!(
            check.check("lst"),
            Err("a command; perhaps `list`?".to_owned())
        );
    }
}
