//! Lists of test cases that are known to fail.
//!
//! ```toml
//! [[expected_failure]]
//! case = "suite::net::*"                        # as for --tests-include: whole parts of the id from the left, or a glob
//! reason = "the switch drops every second frame"
//! issue = "https://tracker.example/123"         # optional
//! expires = 2027-01-31                          # optional: the last day it counts
//! strict = false                                # optional: here a pass is only told, whatever the run says
//! ```
//!
//! The first entry that matches a case counts. One that matches nothing is told, and so is one that has expired.

use std::fmt;
use std::fs;
use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Zoned;
use jiff::civil::Date;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zaf_core::config::{ConfigView, OptionId};
use zaf_core::prelude::*;

use super::filter::Rule;
use crate::case::{ExpectedToFail, TestCase};

/// Files that name cases that are known to fail.
///
/// CLI `--tests-expected-failures known.toml`, environment `K2_TESTS_EXPECTED_FAILURES`, repeatable, no default.
pub const EXPECTED_FAILURES: OptionId<Vec<Utf8PathBuf>> = OptionId::path("tests.expected.failures")
    .describe("TOML file with cases that are known to fail: their failure is expected")
    .multiple();

/// Longest file that is read, in bytes: room for some ten thousand entries.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Keys of an entry.
const KEYS: [&str; 5] = ["case", "reason", "issue", "expires", "strict"];

/// Name of the list in the file.
const LIST: &str = "expected_failure";

/// More ids than this are not compared with a name that is none of them.
const MOST_COMPARED: usize = 10_000;

/// All that is wrong with the lists.
#[derive(Debug, Error)]
#[error("{}", lines(.0))]
pub struct ExpectedFailuresError(Vec<ExpectedProblem>);

fn lines(problems: &[ExpectedProblem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Something in a list is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ExpectedProblem {
    file: Utf8PathBuf,
    line: Option<usize>,
    what: String,
}

impl fmt::Display for ExpectedProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, what } = self;
        match line {
            Some(line) => write!(f, "{file}:{line}: {what}"),
            None => write!(f, "{file}: {what}"),
        }
    }
}

/// Cases that are known to fail.
#[derive(Debug, Default)]
pub(super) struct ExpectedFailures {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    pattern: String,
    rule: Rule,
    expected: ExpectedToFail,
    expires: Option<Date>,
}

impl ExpectedFailures {
    /// Reads the files that were named.
    ///
    /// # Errors
    /// With exit code 2 and all that is wrong with all files.
    pub(super) fn read(config: &ConfigView) -> Result<Self> {
        let files = config.get_optional(EXPECTED_FAILURES)?.unwrap_or_default();
        let (mut entries, mut problems) = (Vec::new(), Vec::new());
        for file in files {
            let problem = |what| ExpectedProblem {
                file: file.clone(),
                line: None,
                what,
            };
            match content(&file) {
                Ok(text) => {
                    let mut reader = Reader {
                        file: &file,
                        text: &text,
                        problems: Vec::new(),
                    };
                    entries.extend(reader.entries());
                    problems.append(&mut reader.problems);
                }
                Err(why) => problems.push(problem(why)),
            }
        }
        if problems.is_empty() {
            Ok(Self { entries })
        } else {
            Err(ExitCode::Usage.with_error(ExpectedFailuresError(problems)))
        }
    }

    /// Notes at each of all cases that were found whether it is known to fail. Returns what is to be told about entries.
    pub(super) fn apply(&self, found: &mut [TestCase], today: Date) -> Vec<String> {
        let mut told = Vec::new();
        for entry in &self.entries {
            let Entry {
                pattern, expected, ..
            } = entry;
            let by = &expected.by;
            if let Some(expires) = entry.expires.filter(|&expires| expires < today) {
                told.push(format!(
                    "{by}: `{pattern}` has expired on {expires}: its failures count again ({})",
                    expected.reason
                ));
                continue;
            }
            let mut is_used = false;
            for case in &mut *found {
                if entry.rule.matches(case.id.as_str()) {
                    is_used = true;
                    let is_free = case.expected_to_fail.as_ref();
                    if is_free.is_none_or(|known| known.by == "code") {
                        case.expected_to_fail = Some(Box::new(expected.clone()));
                    }
                }
            }
            if !is_used {
                let near = nearest(pattern, found);
                let near = near.map_or_else(String::new, |id| format!("; did you mean `{id}`?"));
                told.push(format!("{by}: `{pattern}` matches no test case{near}"));
            }
        }
        told
    }

    /// As [`apply`](Self::apply), by today's date here; what is to be told is logged.
    pub(super) fn note(&self, found: &mut [TestCase]) {
        if self.entries.is_empty() {
            return;
        }
        for told in self.apply(found, Zoned::now().date()) {
            tracing::warn!("{told}");
        }
    }
}

/// The id that is most like `pattern`, if one is.
fn nearest<'a>(pattern: &str, found: &'a [TestCase]) -> Option<&'a str> {
    let ids = found
        .iter()
        .take(MOST_COMPARED)
        .map(|case| case.id.as_str());
    near(pattern, ids)
}

fn near<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Equally near ones: the first.
    let scored = words.map(|known| (strsim::normalized_damerau_levenshtein(word, known), known));
    let best = scored.fold(None, |best: Option<(f64, &str)>, one| match best {
        Some(best) if best.0 >= one.0 => Some(best),
        _ => Some(one),
    });
    best.filter(|(score, _)| *score >= 0.6)
        .map(|(_, known)| known)
}

fn content(file: &Utf8Path) -> Result<String, String> {
    let open = fs::File::open(file).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut text = String::new();
    let read = open.take(LONGEST + 1).read_to_string(&mut text);
    match read {
        Ok(_) if text.len() as u64 > LONGEST => Err(format!("is longer than {LONGEST} bytes")),
        Ok(_) => Ok(text),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

struct Reader<'a> {
    file: &'a Utf8Path,
    text: &'a str,
    problems: Vec<ExpectedProblem>,
}

type Value<'a> = Spanned<DeValue<'a>>;

impl Reader<'_> {
    fn problem(&mut self, at: usize, what: impl Into<String>) {
        self.problems.push(ExpectedProblem {
            file: self.file.to_owned(),
            line: Some(self.line(at)),
            what: what.into(),
        });
    }

    /// The line, from 1, of a position in bytes.
    fn line(&self, at: usize) -> usize {
        let before = self.text.get(..at.min(self.text.len()));
        1 + before.unwrap_or_default().matches('\n').count()
    }

    fn entries(&mut self) -> Vec<Entry> {
        let text = self.text;
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                let message = error.message().lines().collect::<Vec<_>>().join("; ");
                self.problem(at, format!("this is not TOML: {message}"));
                return Vec::new();
            }
        };
        let mut entries = Vec::new();
        for (key, value) in table.get_ref() {
            let word: &str = key.get_ref().as_ref();
            if word != LIST {
                let near = near(word, [LIST].into_iter());
                let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                self.problem(
                    key.span().start,
                    format!("`{word}` has no meaning here, expected `[[{LIST}]]`{near}"),
                );
                continue;
            }
            let DeValue::Array(list) = value.get_ref() else {
                let what = format!("`{LIST}` is a list: each entry begins with `[[{LIST}]]`");
                self.problem(value.span().start, what);
                continue;
            };
            for entry in list {
                match entry.get_ref() {
                    DeValue::Table(table) => {
                        entries.extend(self.entry(entry.span().start, table));
                    }
                    _ => self.problem(
                        entry.span().start,
                        "an entry is a table of `case`, `reason` …",
                    ),
                }
            }
        }
        entries
    }

    fn entry(&mut self, at: usize, table: &DeTable<'_>) -> Option<Entry> {
        for key in table.keys() {
            let word: &str = key.get_ref().as_ref();
            if !KEYS.contains(&word) {
                let near = near(word, KEYS.into_iter());
                let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                let known = KEYS.join("`, `");
                self.problem(
                    key.span().start,
                    format!("`{word}` is no key of an entry{near} (there are `{known}`)"),
                );
            }
        }
        let known = self.problems.len();
        let pattern = self.text_of(table, "case");
        let reason = self.text_of(table, "reason");
        for (key, value) in [("case", &pattern), ("reason", &reason)] {
            if value.is_none() && !table.contains_key(key) {
                self.problem(at, format!("an entry needs `{key} = \"…\"`"));
            }
        }
        let issue = self.text_of(table, "issue");
        let expires = self.date_of(table);
        let strict = self.flag_of(table);
        let case_at = table.get("case").map_or(at, |value| value.span().start);
        let rule = pattern.as_deref().and_then(|pattern| {
            let rule = Rule::plain(pattern, "tests.expected.failures");
            let rule = rule.map_err(|_| {
                self.problem(case_at, format!("`{pattern}` is not a glob pattern"));
            });
            rule.ok()
        });
        if self.problems.len() > known {
            return None;
        }
        let by = format!("{}:{}", self.file, self.line(at));
        let mut expected = ExpectedToFail::new(reason?, by);
        expected.link = issue;
        expected.strict = strict;
        Some(Entry {
            pattern: pattern?,
            rule: rule?,
            expected,
            expires,
        })
    }

    fn text_of(&mut self, table: &DeTable<'_>, key: &str) -> Option<String> {
        let value: &Value<'_> = table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => {
                return Some(text.trim().to_owned());
            }
            DeValue::String(_) => self.problem(value.span().start, format!("`{key}` is empty")),
            _ => self.problem(
                value.span().start,
                format!("`{key}` is a text: {key} = \"…\""),
            ),
        }
        None
    }

    fn flag_of(&mut self, table: &DeTable<'_>) -> Option<bool> {
        let value: &Value<'_> = table.get("strict")?;
        let DeValue::Boolean(flag) = value.get_ref() else {
            self.problem(value.span().start, "`strict` is `true` or `false`");
            return None;
        };
        Some(*flag)
    }

    fn date_of(&mut self, table: &DeTable<'_>) -> Option<Date> {
        let value: &Value<'_> = table.get("expires")?;
        let text = match value.get_ref() {
            DeValue::Datetime(date) if date.time.is_none() => date.to_string(),
            DeValue::String(text) => text.clone().into_owned(),
            _ => String::new(),
        };
        let date = text.parse().ok();
        if date.is_none() {
            let what = "`expires` is a day, the last on which the entry counts: 2027-01-31";
            self.problem(value.span().start, what);
        }
        date
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::case::{CaseAction, CaseId};

    fn read(text: &str) -> Result<Vec<Entry>, Vec<String>> {
        let mut reader = Reader {
            file: Utf8Path::new("known.toml"),
            text,
            problems: Vec::new(),
        };
        let entries = reader.entries();
        if reader.problems.is_empty() {
            Ok(entries)
        } else {
            Err(reader.problems.iter().map(ToString::to_string).collect())
        }
    }

    fn cases(ids: &[&str]) -> Vec<TestCase> {
        let case =
            |id: &&str| TestCase::new(CaseId::new(*id), CaseAction::LoadFailure(String::new()));
        ids.iter().map(case).collect()
    }

    fn known(text: &str) -> ExpectedFailures {
        ExpectedFailures {
            entries: read(text).unwrap(),
        }
    }

    #[test]
    fn entries_mark_the_cases_that_they_match_and_the_first_counts() {
        let known = known(
            r#"
            [[expected_failure]]
            case = "net::up"
            reason = "first"
            issue = "https://tracker.example/1"
            strict = false

            [[expected_failure]]
            case = "net::*"
            reason = "second"
            expires = 2026-12-31
            "#,
        );
        let mut found = cases(&["net::up", "net::down[x=1]", "disk::full"]);
        assert_eq!(known.apply(&mut found, date(2026, 12, 31)), [""; 0]);
        let told: Vec<_> = found
            .iter()
            .map(|case| {
                case.expected_to_fail
                    .as_ref()
                    .map(|known| known.reason.as_str())
            })
            .collect();
        assert_eq!(told, [Some("first"), Some("second"), None]);
        let first = found[0].expected_to_fail.as_ref().unwrap();
        assert_eq!(first.by, "known.toml:2");
        assert_eq!(first.link.as_deref(), Some("https://tracker.example/1"));
        assert_eq!(first.strict, Some(false));
    }

    #[test]
    fn a_list_says_more_than_the_code() {
        let known = known("[[expected_failure]]\ncase = \"a\"\nreason = \"list\"");
        let mut found = cases(&["a"]);
        found[0].expected_to_fail = Some(Box::new(ExpectedToFail::new("code", "code")));
        known.apply(&mut found, date(2026, 1, 1));
        assert_eq!(found[0].expected_to_fail.as_ref().unwrap().reason, "list");
    }

    #[test]
    fn what_matches_nothing_and_what_has_expired_is_told() {
        let known = known(
            "[[expected_failure]]\ncase = \"net::upp\"\nreason = \"x\"\n\
             [[expected_failure]]\ncase = \"net::up\"\nreason = \"old\"\nexpires = \"2026-11-20\"\n",
        );
        let mut found = cases(&["net::up", "else"]);
        assert_eq!(
            known.apply(&mut found, date(2026, 11, 21)),
            [
                "known.toml:1: `net::upp` matches no test case; did you mean `net::up`?",
                "known.toml:4: `net::up` has expired on 2026-11-20: its failures count again (old)",
            ]
        );
        assert_eq!(found[0].expected_to_fail, None);
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_line_and_the_nearest_word() {
        let problems = read(
            "[[expected_failure]]\n\
             case = 7\n\
             resaon = \"x\"\n\
             \n\
             [[expected_failure]]\n\
             case = \"a{b\"\n\
             reason = \" \"\n\
             expires = 2026-11-21T10:00:00\n\
             strict = \"yes\"\n\
             issue = 3\n\
             [[expected_failures]]\n\
             case = \"x\"\n",
        )
        .unwrap_err();
        let mut problems: Vec<_> = problems.iter().map(String::as_str).collect();
        problems.sort_unstable();
        assert_eq!(
            problems,
            [
                "known.toml:10: `issue` is a text: issue = \"…\"",
                "known.toml:11: `expected_failures` has no meaning here, expected \
                 `[[expected_failure]]`; did you mean `expected_failure`?",
                "known.toml:1: an entry needs `reason = \"…\"`",
                "known.toml:2: `case` is a text: case = \"…\"",
                "known.toml:3: `resaon` is no key of an entry; did you mean `reason`? \
                 (there are `case`, `reason`, `issue`, `expires`, `strict`)",
                "known.toml:6: `a{b` is not a glob pattern",
                "known.toml:7: `reason` is empty",
                "known.toml:8: `expires` is a day, the last on which the entry counts: 2027-01-31",
                "known.toml:9: `strict` is `true` or `false`",
            ]
        );
        let broken = read("[[expected_failure]]\ncase = \"a\n").unwrap_err();
        assert!(
            broken[0].starts_with("known.toml:2: this is not TOML: "),
            "{broken:?}"
        );
    }
}
