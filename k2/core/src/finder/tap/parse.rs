//! From text to [`TapStream`].

use std::collections::BTreeSet;

use super::line::{Line, classify};
use super::{Plan, Point, TapStream};

/// Subtests deeper than this are taken for other text.
const DEEPEST: usize = 32;
/// Spaces by which a subtest is indented.
const INDENT: usize = 4;
/// More problems than these say nothing new.
const MOST_PROBLEMS: usize = 100;

/// Reads a whole stream. Every text is accepted; time and memory are linear in its length.
pub fn parse(text: &str) -> TapStream {
    let mut parser = Parser {
        levels: vec![Level::default()],
        yaml: None,
        strict: false,
        bail_out: None,
        other_lines: 0,
    };
    for line in text.lines() {
        if parser.bail_out.is_some() {
            break;
        }
        parser.line(line);
    }
    parser.finish()
}

struct Parser {
    /// The stream itself and the subtests that are open in it, outermost first; never empty.
    levels: Vec<Level>,
    /// The block of diagnostics that is open.
    yaml: Option<Yaml>,
    strict: bool,
    bail_out: Option<String>,
    other_lines: usize,
}

#[derive(Default)]
struct Level {
    stream: TapStream,
    numbers: BTreeSet<u64>,
    /// How many points there were before the plan: with some, it is the end of the stream.
    before_plan: usize,
}

struct Yaml {
    /// Spaces before `---`.
    indent: usize,
    text: String,
}

impl Parser {
    fn line(&mut self, line: &str) {
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        if self.yaml_line(line, content, indent) {
            return;
        }
        if content.trim_end() == "---" && self.open_yaml(indent) {
            return;
        }
        let depth = indent / INDENT;
        let fits = indent.is_multiple_of(INDENT) && depth <= self.levels.len() && depth < DEEPEST;
        match classify(content) {
            // It ends the whole run, wherever it is written.
            Line::BailOut(reason) => self.bail_out = Some(reason),
            Line::Comment => {}
            Line::Other => self.other(content),
            _ if !fits => self.other(content),
            kind => self.take(depth, kind),
        }
    }

    /// Handles a line if a block of diagnostics is open; false if it has to be looked at as any other.
    fn yaml_line(&mut self, line: &str, content: &str, indent: usize) -> bool {
        let Some(yaml) = &mut self.yaml else {
            return false;
        };
        if indent < yaml.indent && !content.trim().is_empty() {
            self.close_yaml();
            self.problem("a block of diagnostics is not closed by `...`".to_owned());
            return false;
        }
        if indent == yaml.indent && content.trim_end() == "..." {
            self.close_yaml();
        } else {
            yaml.text.push_str(line.get(yaml.indent..).unwrap_or(""));
            yaml.text.push('\n');
        }
        true
    }

    /// A block belongs to the last point of the innermost level, below which it is indented by two spaces.
    fn open_yaml(&mut self, indent: usize) -> bool {
        let depth = self.levels.len() - 1;
        let has_point = !self.innermost().stream.points.is_empty();
        if indent != depth * INDENT + 2 || !has_point {
            return false;
        }
        self.yaml = Some(Yaml {
            indent,
            text: String::new(),
        });
        true
    }

    fn close_yaml(&mut self) {
        let Some(yaml) = self.yaml.take() else { return };
        if let Some(point) = self.innermost().stream.points.last_mut() {
            if !point.diagnostics.is_empty() {
                point.diagnostics.push('\n');
            }
            point.diagnostics.push_str(yaml.text.trim_end());
        }
    }

    fn other(&mut self, content: &str) {
        if content.trim().is_empty() {
            return;
        }
        self.other_lines += 1;
        if self.strict {
            let line: String = content.chars().take(100).collect();
            self.problem(format!(
                "`{line}` is no TAP, and the producer asked to be strict"
            ));
        }
    }

    fn problem(&mut self, problem: String) {
        self.innermost().problem(problem);
    }

    fn innermost(&mut self) -> &mut Level {
        self.levels
            .last_mut()
            .expect("invariant: the outermost level is never closed")
    }

    /// Takes a line that belongs to the level at `depth`, which may be one deeper than there is yet.
    fn take(&mut self, depth: usize, line: Line) {
        if depth == self.levels.len() {
            self.levels.push(Level::default());
        }
        match line {
            Line::Point {
                ok,
                number,
                description,
                directive,
            } => {
                while self.levels.len() > depth + 2 {
                    self.abandon_innermost();
                }
                let subtest = (self.levels.len() == depth + 2)
                    .then(|| self.levels.pop())
                    .flatten();
                self.levels[depth].point(
                    Point {
                        ok,
                        number: number.unwrap_or(0),
                        description,
                        directive,
                        diagnostics: String::new(),
                        children: Vec::new(),
                    },
                    number.is_some(),
                    subtest,
                );
            }
            Line::Plan(plan) => self.levels[depth].plan(plan),
            Line::Version(version) => self.levels[depth].stream.version = Some(version),
            Line::Strict(strict) => self.strict = strict,
            Line::BailOut(_) | Line::Comment | Line::Other => {}
        }
    }

    /// Closes a subtest that no point sums up.
    fn abandon_innermost(&mut self) {
        let Some(level) = self.levels.pop() else {
            return;
        };
        let points = level.stream.points.len();
        if points > 0 && self.bail_out.is_none() {
            self.problem(format!("no point sums up a subtest of {points} points"));
        }
    }

    fn finish(mut self) -> TapStream {
        if self.yaml.is_some() {
            self.close_yaml();
            self.problem("a block of diagnostics is not closed by `...`".to_owned());
        }
        while self.levels.len() > 1 {
            self.abandon_innermost();
        }
        let mut level = self.levels.pop().unwrap_or_default();
        level.check_numbers();
        TapStream {
            bail_out: self.bail_out,
            other_lines: self.other_lines,
            ..level.stream
        }
    }
}

impl Level {
    fn problem(&mut self, problem: String) {
        if self.stream.problems.len() < MOST_PROBLEMS {
            self.stream.problems.push(problem);
        }
    }

    fn plan(&mut self, plan: Plan) {
        if self.stream.plan.is_some() {
            self.problem(format!("a second plan, 1..{}", plan.count));
            return;
        }
        self.before_plan = self.stream.points.len();
        self.stream.plan = Some(plan);
    }

    fn point(&mut self, mut point: Point, is_numbered: bool, subtest: Option<Self>) {
        if !is_numbered {
            point.number = self
                .stream
                .points
                .last()
                .map_or(0, |last| last.number)
                .saturating_add(1);
        }
        let number = point.number;
        if !self.numbers.insert(number) {
            self.problem(format!("point {number} comes twice"));
        }
        if self.stream.plan.is_some() && self.before_plan > 0 {
            self.problem(format!(
                "point {number} comes after the plan that ends the stream"
            ));
        }
        if let Some(mut subtest) = subtest {
            subtest.check_numbers();
            if let Some(problem) = subtest.stream.problem() {
                self.problem(format!("subtest of point {number}: {problem}"));
            }
            point.children = subtest.stream.points;
        }
        self.stream.points.push(point);
    }

    fn check_numbers(&mut self) {
        let Some(Plan { count, .. }) = self.stream.plan else {
            return;
        };
        let beyond = self
            .numbers
            .iter()
            .find(|&&number| number == 0 || number > count);
        if let Some(&number) = beyond {
            self.problem(format!("point {number} is not in the plan 1..{count}"));
        }
    }
}
