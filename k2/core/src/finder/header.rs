//! What a script says about itself in the comment behind its `#!` line.
//!
//! ```text
//! #!/bin/sh
//! # Checks the disk.
//! # k2-owner: storage team
//! # k2-tags: smoke, disk
//! # k2-parameter: size = 1M, 1G
//! ```
//!
//! The first line that is none of these is the description. A `k2-` line that is wrong makes the case end in error: otherwise what it
//! says would be lost.

use std::path::Path;
use std::sync::Arc;

use crate::case::{CaseAction, Location, Parameter, TestCase, Variants};
use crate::parameter::Assignment;

/// What such lines begin with.
const PREFIX: &str = "k2-";
/// The words behind it.
const WORDS: [&str; 3] = ["owner", "tags", "parameter"];

/// The header of a script.
#[derive(Debug, Default)]
pub(super) struct Header {
    description: String,
    owner: Option<String>,
    tags: Vec<String>,
    parameters: Vec<Parameter>,
    /// What is wrong, with the line from 1.
    problem: Option<(u32, String)>,
}

impl Header {
    /// Reads the start of a file; none if it is no script.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix("#!")?;
        let mut header = Self::default();
        for (line, number) in text.lines().map(str::trim).zip(1..).skip(1) {
            let comment = line
                .strip_prefix('#')
                .or_else(|| line.strip_prefix("//"))
                .or_else(|| line.strip_prefix("--"));
            let Some(comment) = comment else {
                if line.is_empty() {
                    continue;
                }
                break;
            };
            let words = comment.trim_start_matches(['#', '/', '!', '-']).trim();
            let field = words.strip_prefix(PREFIX).and_then(|f| f.split_once(':'));
            if let Some((word, value)) = field {
                if let Err(problem) = header.field(word.trim(), value.trim()) {
                    header.problem.get_or_insert((number, problem));
                }
            } else if header.description.is_empty() && !is_for_tools(words) {
                words.clone_into(&mut header.description);
            }
        }
        Some(header)
    }

    fn field(&mut self, word: &str, value: &str) -> Result<(), String> {
        if value.is_empty() {
            return Err(format!("`{PREFIX}{word}:` says nothing"));
        }
        match word {
            "owner" if self.owner.is_some() => Err(format!("`{PREFIX}owner:` stands twice")),
            "owner" => {
                self.owner = Some(value.to_owned());
                Ok(())
            }
            "tags" => {
                for tag in value.split(',').map(str::trim) {
                    if !self.tags.iter().any(|known| known == tag) && !tag.is_empty() {
                        self.tags.push(tag.to_owned());
                    }
                }
                Ok(())
            }
            "parameter" => self.parameter(value),
            other => Err(match zaf_core::config::nearest(other, WORDS) {
                Some(nearest) => {
                    format!("unknown `{PREFIX}{other}:`; did you mean `{PREFIX}{nearest}:`?")
                }
                None => format!(
                    "unknown `{PREFIX}{other}:`; there are `{PREFIX}{}:`",
                    WORDS.join(&format!(":`, `{PREFIX}"))
                ),
            }),
        }
    }

    /// `NAME = VALUE, VALUE`.
    fn parameter(&mut self, text: &str) -> Result<(), String> {
        let (name, values) = text.split_once('=').unwrap_or((text, ""));
        let assignment = format!("{}={}", name.trim(), values.trim());
        let assignment: Assignment = assignment.parse().map_err(|error| format!("{error}"))?;
        let values: Vec<&str> = assignment.value.split(',').map(str::trim).collect();
        if !text.contains('=') || values.iter().any(|value| value.is_empty()) {
            return Err(format!("`{text}` is not of the form NAME = VALUE, VALUE"));
        }
        if self
            .parameters
            .iter()
            .any(|known| known.name == assignment.name)
        {
            return Err(format!("the parameter `{}` stands twice", assignment.name));
        }
        self.parameters
            .push(Parameter::new(assignment.name, values));
        Ok(())
    }

    /// Puts what it says into the case of the script.
    pub(super) fn describe(self, case: &mut TestCase, path: &Path) {
        case.description = self.description;
        case.owner = self.owner.map(Into::into);
        case.tags = self.tags;
        if !self.parameters.is_empty() {
            case.variants = Some(Arc::new(Variants::of(self.parameters)));
        }
        if let Some((line, problem)) = self.problem {
            let place = Location::line(path.to_string_lossy(), line);
            case.action = CaseAction::LoadFailure(format!("{place}: {problem}"));
        }
    }
}

/// Comments that speak to editors, linters and licence checkers, or say nothing.
fn is_for_tools(words: &str) -> bool {
    words.is_empty()
        || [
            "-*-",
            "vim:",
            "shellcheck ",
            "SPDX-",
            "Copyright",
            "coding:",
            "pylint:",
        ]
        .iter()
        .any(|start| words.starts_with(start))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::case::CaseId;

    fn description(text: &str) -> String {
        Header::read(text).unwrap_or_default().description
    }

    fn described(text: &str) -> TestCase {
        let action = CaseAction::LoadFailure("as it was".to_owned());
        let mut case = TestCase::new(CaseId::new("c.sh"), action);
        let header = Header::read(text).expect("invariant: it is a script");
        header.describe(&mut case, Path::new("c.sh"));
        case
    }

    fn reason(case: &TestCase) -> &str {
        match &case.action {
            CaseAction::LoadFailure(reason) => reason,
            _ => "",
        }
    }

    #[test]
    fn the_description_is_the_first_comment_for_people() {
        assert_eq!(description("#!/bin/sh\n# Checks it.\necho\n"), "Checks it.");
        assert_eq!(
            description("#!/bin/sh -e\n\n#\n# shellcheck disable=SC1\n# Why.\n"),
            "Why."
        );
        assert_eq!(description("#!/bin/node\n// Runs.\n"), "Runs.");
        assert_eq!(description("#!/bin/sh\necho\n# Later.\n"), "");
        assert_eq!(description("\x7fELF"), "");
    }

    #[test]
    fn f22_a_script_says_who_owns_it_and_what_it_is_about() {
        let case = described(
            "#!/bin/sh\n# k2-owner: storage team\n# Checks it.\n# k2-tags: smoke, disk,smoke\n# k2-parameter: size = 1M, 1 G\n",
        );
        assert_eq!(case.description, "Checks it.");
        assert_eq!(case.owner.as_deref(), Some("storage team"));
        assert_eq!(case.tags, ["smoke", "disk"]);
        assert_eq!(reason(&case), "as it was");
        let variants = case
            .variants
            .as_ref()
            .expect("invariant: it has a parameter");
        assert_eq!(variants.parameters[0].name, "size");
        assert_eq!(variants.parameters[0].values, ["1M", "1 G"]);
    }

    #[test]
    fn a_wrong_line_is_not_passed_over() {
        let wrong =
            |line: &str| reason(&described(&format!("#!/bin/sh\n# Why.\n# {line}\n"))).to_owned();
        assert_eq!(
            wrong("k2-owners: me"),
            "c.sh:3: unknown `k2-owners:`; did you mean `k2-owner:`?"
        );
        assert!(
            wrong("k2-speed: 3").contains("there are `k2-owner:`, `k2-tags:`, `k2-parameter:`")
        );
        assert!(wrong("k2-tags:").contains("says nothing"));
        assert!(wrong("k2-parameter: size").contains("NAME = VALUE"));
        assert!(wrong("k2-parameter: size = 1,,2").contains("NAME = VALUE"));
        assert!(wrong("k2-parameter: 1 = 1").contains("no name"));
    }

    proptest! {
        #[test]
        fn every_text_is_read(text in "(#!x\n)?(# ?(k2-(owner|tags|parameter|x): ?)?.{0,9}\n){0,4}") {
            drop(Header::read(&text));
        }
    }
}
