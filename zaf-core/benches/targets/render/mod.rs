//! The tables and pictures of the book, made from records.
//!
//! `docs/src/performance.md` has pairs of lines `<!-- bench NAME -->` and `<!-- end -->`; what stands between them is replaced. Pictures go to
//! `docs/src/performance/NAME.svg`. Names for which the records have nothing are left as they are.

mod bars;
mod canvas;
mod lines;
mod pictures;
mod tables;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::measure::record::Record;

const BOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/src");

/// Reads the records and writes the book. 2 if that cannot be done.
pub(crate) fn into_the_book(files: &[PathBuf]) -> ExitCode {
    match render(files, Path::new(BOOK)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _unread = writeln!(io::stderr(), "render: {error}");
            ExitCode::from(2)
        }
    }
}

fn render(files: &[PathBuf], book: &Path) -> io::Result<()> {
    if files.is_empty() {
        return Err(io::Error::other("name the files that `--json` wrote"));
    }
    let in_file = |file: &Path, error: io::Error| {
        io::Error::new(error.kind(), format!("{}: {error}", file.display()))
    };
    let records: io::Result<Vec<Record>> = files
        .iter()
        .map(|file| Record::read(file).map_err(|error| in_file(file, error)))
        .collect();
    let records = records?;
    let page = book.join("performance.md");
    let mut text = std::fs::read_to_string(&page).map_err(|error| in_file(&page, error))?;
    for (name, block) in tables::all(&records) {
        text = replaced(&text, &name, &block).ok_or_else(|| {
            let missing = format!("has no `<!-- bench {name} -->` with an `<!-- end -->`");
            in_file(&page, io::Error::other(missing))
        })?;
    }
    std::fs::write(&page, text)?;
    let folder = book.join("performance");
    std::fs::create_dir_all(&folder)?;
    for (name, picture) in pictures::all(&records) {
        std::fs::write(folder.join(format!("{name}.svg")), picture)?;
    }
    Ok(())
}

fn replaced(text: &str, name: &str, block: &str) -> Option<String> {
    let begin = format!("<!-- bench {name} -->\n");
    let (before, rest) = text.split_once(&begin)?;
    let (_old, after) = rest.split_once("<!-- end -->")?;
    Some(format!("{before}{begin}\n{block}\n<!-- end -->{after}"))
}
