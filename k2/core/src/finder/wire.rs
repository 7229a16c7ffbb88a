//! The request for test cases as programs of other languages read it, and what they answer.
//!
//! ```text
//! {"directory":"/w","units":[{"position":0,"unit":"recipe","kind":"csv","text":"cases.csv","source":"csv:cases.csv"}]}
//!   ─► [{"position":0,"cases":[{"id":"cases.csv::login","run":{"program":"/bin/sh","arguments":["-c","true"]}}],"problems":[]}]
//! ```
//!
//! One way only: who is asked can be anywhere, who asks is the program. A case that is a function cannot leave its process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{FindTestCases, Found, FoundUnit, Problem, Unit};
use crate::case::{CaseAction, CaseId, Location, ProcessCase, Protocol, TestCase};

/// What is asked. Texts are lossy where a path is not UTF-8.
#[derive(Serialize)]
struct Asked {
    /// What relative paths are relative to.
    directory: String,
    units: Vec<AskedUnit>,
}

#[derive(Serialize)]
struct AskedUnit {
    position: usize,
    /// `linked`, `file` or `recipe`.
    unit: &'static str,
    /// `rust`, `exec`, `tap`, `libtest`, `gtest`, or the word of a recipe.
    kind: String,
    /// Path of a file, module of linked cases, what stands behind the colon of a recipe.
    text: String,
    /// As it was typed.
    source: String,
}

impl Serialize for FindTestCases {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let units = self.units.iter().enumerate();
        let units = units.map(|(position, unit)| {
            let (word, text) = match unit {
                Unit::Linked(source) => ("linked", source.path.to_string_lossy().into_owned()),
                Unit::File(file) => ("file", file.path.to_string_lossy().into_owned()),
                Unit::Recipe(recipe) => ("recipe", recipe.text.clone()),
            };
            AskedUnit {
                position,
                unit: word,
                kind: unit.kind_word().to_owned(),
                text,
                source: unit.source().to_string(),
            }
        });
        let asked = Asked {
            directory: self.directory.to_string_lossy().into_owned(),
            units: units.collect(),
        };
        asked.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FindTestCases {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom(
            "test cases are asked for by the program only; a plugin can answer",
        ))
    }
}

impl Serialize for FoundUnit {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom(
            "what a finder of the program finds does not leave it",
        ))
    }
}

/// What somebody else has found in one unit. A field that is not known is an error: it would be something that the case was to have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    position: usize,
    #[serde(default)]
    cases: Vec<FoundCase>,
    #[serde(default)]
    problems: Vec<FoundProblem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FoundProblem {
    source: String,
    message: String,
    hint: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FoundCase {
    id: String,
    #[serde(default)]
    description: String,
    owner: Option<Arc<str>>,
    file: Option<Arc<str>>,
    line: Option<u32>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    resources: Vec<String>,
    timeout_ms: Option<u64>,
    /// Why it is switched off.
    disabled: Option<String>,
    run: Option<Run>,
    /// Why it could not be loaded.
    load_failure: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    program: PathBuf,
    #[serde(default)]
    arguments: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    directory: Option<PathBuf>,
    protocol: Option<Protocol>,
}

impl<'de> Deserialize<'de> for FoundUnit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Answer {
            position,
            cases,
            problems,
        } = Answer::deserialize(deserializer)?;
        let cases = cases.into_iter().map(|case| {
            let id = case.id.clone();
            case.into_case()
                .map_err(|problem| D::Error::custom(format!("case `{id}`: {problem}")))
        });
        let problems = problems.into_iter().map(|problem| Problem {
            source: problem.source,
            message: problem.message,
            hint: problem.hint,
        });
        Ok(Self {
            position,
            found: Found {
                cases: cases.collect::<Result<_, _>>()?,
                problems: problems.collect(),
            },
        })
    }
}

impl FoundCase {
    fn into_case(self) -> Result<TestCase, &'static str> {
        if self.id.trim().is_empty() {
            return Err("`id` is empty");
        }
        let action = match (self.run, self.load_failure) {
            (Some(run), None) => CaseAction::Process(Box::new(run.into_process()?)),
            (None, Some(reason)) => CaseAction::LoadFailure(reason),
            _ => return Err("expected either `run` or `load_failure`"),
        };
        let mut case = TestCase::new(CaseId::new(self.id), action);
        case.description = self.description;
        case.owner = self.owner;
        case.location = self.file.map(|file| Location {
            file,
            line: self.line,
        });
        case.tags = self.tags;
        for resource in &self.resources {
            case.need(resource);
        }
        case.timeout = self.timeout_ms.map(Duration::from_millis);
        case.disabled = self.disabled;
        Ok(case)
    }
}

impl Run {
    fn into_process(self) -> Result<ProcessCase, &'static str> {
        if self.program.as_os_str().is_empty() {
            return Err("`run.program` is empty");
        }
        let has_nul = |text: &str| text.contains('\0');
        let names = self.environment.keys();
        if self.arguments.iter().any(|text| has_nul(text))
            || self.environment.values().any(|text| has_nul(text))
            || names.clone().any(|name| has_nul(name))
        {
            return Err("`run` has a NUL in its arguments or its environment");
        }
        if names
            .clone()
            .any(|name| name.is_empty() || name.contains('='))
        {
            return Err("`run.environment` has a name that is empty or has a `=`");
        }
        let environment = self.environment.into_iter();
        Ok(ProcessCase {
            program: self.program,
            arguments: self.arguments.into_iter().map(Into::into).collect(),
            environment: environment
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            directory: self.directory,
            protocol: self.protocol.unwrap_or(Protocol::ExitCode),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::finder::SourceSpec;

    #[test]
    fn what_is_asked_is_on_the_wire_what_it_always_was() {
        let sources: Vec<SourceSpec> = ["rust:a", "csv:cases.csv"]
            .map(|s| s.parse().unwrap())
            .into();
        let (mut asked, problems) = FindTestCases::of(&sources);
        asked.directory = "/w".into();
        assert_eq!(problems, []);
        insta::assert_snapshot!(serde_json::to_string(&asked).unwrap(), @r#"{"directory":"/w","units":[{"position":0,"unit":"linked","kind":"rust","text":"a","source":"rust:a"},{"position":1,"unit":"recipe","kind":"csv","text":"cases.csv","source":"csv:cases.csv"}]}"#);
    }

    #[test]
    fn the_question_and_the_answer_in_the_book_are_those_of_finders() {
        let page = include_str!("../../../../docs/src/plugin-protocol.md");
        let source: SourceSpec = "csv:cases.csv".parse().unwrap();
        let (mut asked, _) = FindTestCases::of(&[source]);
        asked.directory = "/home/me".into();
        let (_, block) = page.split_once("**A finder** answers").unwrap();
        let payload = |arrow: &str| -> Value {
            let line = block.lines().find_map(|line| line.strip_prefix(arrow));
            let frame: Value = serde_json::from_str(line.unwrap()).unwrap();
            frame["payload"].clone()
        };
        assert_eq!(payload("→ "), serde_json::to_value(&asked).unwrap());
        let units: Vec<FoundUnit> = serde_json::from_value(payload("← ")).unwrap();
        let case = &units[0].found.cases[0];
        assert_eq!(case.id.as_str(), "cases.csv::login");
    }

    fn read(case: &Value) -> Result<TestCase, String> {
        let answer = json!({"position": 2, "cases": [case]});
        let unit: FoundUnit = serde_json::from_value(answer).map_err(|error| error.to_string())?;
        assert_eq!(unit.position, 2);
        Ok(unit.found.cases.into_iter().next().unwrap())
    }

    #[test]
    fn a_case_has_all_that_was_said_of_it() {
        let case = read(&json!({
            "id": "cases.csv::login", "description": "Logs in.", "owner": "team", "file": "cases.csv", "line": 3,
            "tags": ["smoke"], "resources": ["db", "a"], "timeout_ms": 1500, "disabled": "not yet",
            "run": {"program": "/bin/sh", "arguments": ["-c", "true"], "environment": {"A": "b"}, "directory": "/w", "protocol": "tap"},
        }))
        .unwrap();
        assert_eq!(case.id.as_str(), "cases.csv::login");
        assert_eq!(case.location, Some(Location::line("cases.csv", 3)));
        assert_eq!(case.resources, ["a", "db"]);
        assert_eq!(case.timeout, Some(Duration::from_millis(1500)));
        assert_eq!(case.disabled.as_deref(), Some("not yet"));
        let CaseAction::Process(process) = &case.action else {
            panic!("{case:?}")
        };
        assert_eq!(process.protocol, Protocol::Tap);
        assert_eq!(process.environment, [("A".into(), "b".into())]);
    }

    /// The published schema.
    fn properties(of: &str) -> Vec<String> {
        let schema = include_str!("../../../../docs/src/schemas/plugin-messages-1.json");
        let schema: Value = serde_json::from_str(schema).unwrap();
        let definition = &schema["$defs"][of];
        let object = match definition["properties"].as_object() {
            Some(object) => object,
            None => definition["items"]["properties"].as_object().unwrap(),
        };
        object.keys().cloned().collect()
    }

    #[test]
    fn the_published_schema_has_the_fields_that_are_read_and_no_others() {
        // What is refused names the fields that there are.
        let expected = |text: &str| {
            let error = serde_json::from_str::<FoundUnit>(text)
                .unwrap_err()
                .to_string();
            let (_, fields) = error.split_once("expected one of ").unwrap();
            let mut fields: Vec<String> = fields
                .split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect();
            fields.sort();
            fields
        };
        assert_eq!(expected(r#"{"no": 1}"#), properties("found_units"));
        assert_eq!(
            expected(r#"{"position": 0, "cases": [{"no": 1}]}"#),
            properties("found_case")
        );
    }

    #[test]
    fn a_case_that_cannot_be_run_is_refused_by_name() {
        for (case, problem) in [
            (
                json!({"id": "a"}),
                "case `a`: expected either `run` or `load_failure`",
            ),
            (json!({"id": " ", "load_failure": "x"}), "`id` is empty"),
            (
                json!({"id": "a", "run": {"program": ""}}),
                "`run.program` is empty",
            ),
            (
                json!({"id": "a", "run": {"program": "/p", "arguments": ["\0"]}}),
                "NUL",
            ),
            (
                json!({"id": "a", "run": {"program": "/p", "environment": {"A=B": ""}}}),
                "has a `=`",
            ),
            (
                json!({"id": "a", "tag": "x", "load_failure": "x"}),
                "unknown field `tag`",
            ),
            (
                json!({"id": "a", "run": {"program": "/p", "protocol": "xml"}}),
                "unknown variant `xml`",
            ),
        ] {
            let error = read(&case).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn it_goes_one_way_only() {
        let asked = serde_json::from_str::<FindTestCases>("{\"units\":[]}").unwrap_err();
        assert!(asked.to_string().contains("by the program only"));
        let found = FoundUnit {
            position: 0,
            found: Found::default(),
        };
        let written = serde_json::to_string(&found).unwrap_err();
        assert!(written.to_string().contains("does not leave it"));
    }
}
