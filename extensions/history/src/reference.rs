//! How runs and cases are named on the command line.

use k2::results::printable_line;
use thiserror::Error;
use zaf_core::config::nearest;

use crate::query::RunRow;

/// No run, or no single one, is meant.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum ReferenceError {
    #[error("no run is recorded")]
    Empty,
    #[error("there is no run {word}: the history has {count}")]
    TooOld { word: String, count: usize },
    #[error("no run `{}` is in the history{}", printable_line(.word), did_you_mean(.nearest.as_deref()))]
    Unknown {
        word: String,
        nearest: Option<String>,
    },
    #[error("`{word}` may be any of {}", .runs.join(", "))]
    Ambiguous { word: String, runs: Vec<String> },
}

/// `; did you mean X?`, or nothing.
pub(crate) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |word| {
        format!("; did you mean `{}`?", printable_line(word))
    })
}

/// The run that `word` means: `latest`, `-1` for the one before, `-2` and so on, an id, or the beginning of one. `runs` are all of
/// them, newest first.
pub(crate) fn find<'a>(runs: &'a [RunRow], word: &str) -> Result<&'a RunRow, ReferenceError> {
    let Some(latest) = runs.first() else {
        return Err(ReferenceError::Empty);
    };
    if word == "latest" {
        return Ok(latest);
    }
    let back = word.strip_prefix(['-', '~']);
    if let Some(steps) = back.and_then(|digits| digits.parse::<usize>().ok()) {
        return runs.get(steps).ok_or_else(|| ReferenceError::TooOld {
            word: word.to_owned(),
            count: runs.len(),
        });
    }
    if let Some(exact) = runs.iter().find(|row| row.run == word) {
        return Ok(exact);
    }
    // The digits that differ stand at the end of the first part, so the beginning alone is rarely enough.
    let part = |row: &&RunRow| row.run.starts_with(word) || row.run.ends_with(word);
    let meant: Vec<&RunRow> = runs.iter().filter(part).collect();
    match meant.as_slice() {
        [one] => Ok(one),
        [] => {
            let names = runs.iter().map(|row| row.run.as_str());
            Err(ReferenceError::Unknown {
                word: word.to_owned(),
                nearest: nearest(word, names.chain(["latest"])).map(str::to_owned),
            })
        }
        several => Err(ReferenceError::Ambiguous {
            word: word.to_owned(),
            runs: several.iter().take(5).map(|row| row.run.clone()).collect(),
        }),
    }
}
