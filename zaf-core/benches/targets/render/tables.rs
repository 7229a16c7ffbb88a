//! Tables in Markdown.

use std::fmt::Write;

use crate::measure::record::{Record, Row, Verdict};
use crate::measure::report::amount;

/// Names of blocks of the page, and what is to stand there.
pub(crate) fn all(records: &[Record]) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let of = |name: &'static str| {
        records
            .iter()
            .filter(move |record| record.benchmark == name)
    };
    let targets: Vec<&Row> = of("targets")
        .chain(of("allocations"))
        .flat_map(|record| &record.rows)
        .collect();
    if !targets.is_empty() {
        blocks.push(("targets".to_owned(), table_of_targets(&targets)));
    }
    for work in ["callbacks", "queues", "requests"] {
        let rows: Vec<&Row> = of("peers")
            .flat_map(|record| &record.rows)
            .filter(|row| row.work.starts_with(work))
            .collect();
        if !rows.is_empty() {
            blocks.push((work.to_owned(), table_of_peers(&rows)));
        }
    }
    for record in records
        .iter()
        .filter(|record| record.benchmark != "allocations")
    {
        blocks.push((format!("{} machine", record.benchmark), machine(record)));
    }
    blocks
}

fn table_of_targets(rows: &[&Row]) -> String {
    let mut text =
        "| Target | Limit | Measured | | Medians |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for row in rows {
        let Some(verdict) = &row.verdict else {
            continue;
        };
        let figures: Vec<String> = row
            .figures
            .iter()
            .map(|figure| format!("{}: {}", figure.who, amount(figure.median, &row.unit)))
            .collect();
        push_line(
            &mut text,
            &[
                row.name.clone(),
                limit(verdict),
                amount(verdict.measured, &verdict.unit),
                verdict.word().to_owned(),
                figures.join("; "),
            ],
        );
    }
    text
}

/// `≤ 1.40 ×`
pub(crate) fn limit(verdict: &Verdict) -> String {
    let sign = if verdict.at_least { '≥' } else { '≤' };
    format!("{sign} {}", amount(verdict.limit, &verdict.unit))
}

/// One line for each number of dispatchers and senders, one column for each contestant.
fn table_of_peers(rows: &[&Row]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for figure in rows.iter().flat_map(|row| &row.figures) {
        if !names.contains(&figure.who.as_str()) {
            names.push(&figure.who);
        }
    }
    let mut head: Vec<String> = ["dispatchers", "senders"].map(str::to_owned).into();
    head.extend(names.iter().map(|name| (*name).to_owned()));
    head.push("zaf beside the fastest peer".to_owned());
    let mut text = String::new();
    push_line(&mut text, &head);
    push_line(&mut text, &vec!["---:".to_owned(); head.len()]);
    for row in rows {
        let mut cells = vec![row.dispatchers.to_string(), row.senders.to_string()];
        cells.extend(names.iter().map(|name| {
            let figure = row.figures.iter().find(|figure| figure.who == *name);
            figure.map_or_else(String::new, |figure| amount(figure.median, &row.unit))
        }));
        cells.push(row.verdict.as_ref().map_or_else(String::new, |verdict| {
            format!(
                "{}, {}",
                amount(verdict.measured, &verdict.unit),
                verdict.word()
            )
        }));
        push_line(&mut text, &cells);
    }
    text
}

fn push_line(text: &mut String, cells: &[String]) {
    // What looks like a tag would be one.
    let cells = cells.join(" | ").replace('<', "&lt;");
    // Into a string nothing can fail.
    let _written = writeln!(text, "| {cells} |");
}

fn machine(record: &Record) -> String {
    let machine = &record.machine;
    let packages: Vec<String> = machine
        .packages
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    format!(
        "Measured {}: {}, {} processors, {}, {}, load {}; {}.\n",
        record.measured,
        machine.processor,
        machine.processors,
        machine.system,
        machine.compiler,
        machine.load,
        packages.join(", "),
    )
}
