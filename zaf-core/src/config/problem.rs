//! Problems with what a person wrote, each with the place and a picture of it.
//!
//! Loaders and the validation collect all problems instead of stopping at the first. A [`Problem`] prints itself as a picture
//! of the source line; where there is no line (environment, command line) it is plain text.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::secret::SECRET_SHOWN;
use super::source::Document;

/// How serious a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth saying; nothing stops.
    Warning,
    /// Nothing is run.
    Error,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    document: Arc<Document>,
    span: Range<usize>,
    label: String,
    /// Bytes of the document that are not shown.
    hidden: Vec<Range<usize>>,
}

/// Something wrong with what a person wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    severity: Severity,
    title: String,
    at: Option<Box<Mark>>,
    also: Option<Box<Mark>>,
    details: Vec<String>,
}

impl Problem {
    /// A problem that stops everything. The title is a lower-case sentence without a full stop.
    pub fn error(title: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            title: title.into(),
            at: None,
            also: None,
            details: Vec::new(),
        }
    }

    /// A problem that stops nothing.
    pub fn warning(title: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(title)
        }
    }

    /// Says where, as bytes of a document, and what was expected there.
    #[must_use]
    pub fn at(
        self,
        document: &Arc<Document>,
        span: Range<usize>,
        label: impl Into<String>,
    ) -> Self {
        let at = Some(Box::new(mark(document, span, label.into())));
        Self { at, ..self }
    }

    /// Says what other place of the same document belongs to it.
    #[must_use]
    pub fn also(
        self,
        document: &Arc<Document>,
        span: Range<usize>,
        label: impl Into<String>,
    ) -> Self {
        let also = Some(Box::new(mark(document, span, label.into())));
        Self { also, ..self }
    }

    /// Keeps these bytes of these documents out of the picture.
    #[must_use]
    pub(super) fn hiding(mut self, hidden: &[(Arc<Document>, Range<usize>)]) -> Self {
        for mark in [&mut self.at, &mut self.also].into_iter().flatten() {
            let of_document = hidden
                .iter()
                .filter(|(document, _)| Arc::ptr_eq(document, &mark.document));
            mark.hidden
                .extend(of_document.map(|(_, span)| span.clone()));
        }
        self
    }

    /// Adds a line that explains. Lines are shown in the order added.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    /// The same as a warning.
    #[must_use]
    pub fn into_warning(self) -> Self {
        Self {
            severity: Severity::Warning,
            ..self
        }
    }

    /// How serious it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Path, line and column, both from 1, if it is in a file.
    pub fn position(&self) -> Option<(&str, u32, u32)> {
        let at = self.at.as_ref()?;
        let (line, column) = at.document.position(at.span.start);
        Some((at.document.path().as_str(), line, column))
    }

    /// What was expected at the place; empty without a place.
    pub fn label(&self) -> &str {
        self.at.as_ref().map_or("", |at| &at.label)
    }

    /// The lines that explain, in order.
    pub fn details(&self) -> &[String] {
        &self.details
    }

    /// Draws it, with the source line if there is one. `styled` adds colours as ANSI sequences. No line break at the end.
    pub fn draw(&self, styled: bool) -> String {
        let level = match self.severity {
            Severity::Warning => Level::WARNING,
            Severity::Error => Level::ERROR,
        };
        let mut group = Group::with_title(level.primary_title(self.title.as_str()));
        // Both places go into one snippet if they are near, else each line into its own: a picture never shows more than it must.
        let excerpts: Vec<_> = self
            .also
            .iter()
            .chain(&self.at)
            .map(|mark| mark.excerpt())
            .collect();
        let mut excerpts_in_order: Vec<_> = excerpts.iter().enumerate().collect();
        excerpts_in_order.reverse();
        for (index, excerpt) in excerpts_in_order {
            let is_primary = index + 1 == excerpts.len();
            let kind = if is_primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            group = group.element(
                Snippet::source(excerpt.text.as_str())
                    .path(excerpt.path.as_str())
                    .line_start(excerpt.line)
                    .fold(false)
                    .annotation(kind.span(excerpt.span.clone()).label(excerpt.label)),
            );
        }
        for detail in &self.details {
            group = group.element(Level::NOTE.no_name().message(detail.as_str()));
        }
        let renderer = if styled {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.decor_style(DecorStyle::Unicode).render(&[group])
    }
}

fn mark(document: &Arc<Document>, span: Range<usize>, label: String) -> Mark {
    Mark {
        document: Arc::clone(document),
        span,
        label,
        hidden: document.hidden().to_vec(),
    }
}

struct Excerpt<'a> {
    path: String,
    text: String,
    line: usize,
    span: Range<usize>,
    label: &'a str,
}

/// Longest part of a line that is drawn, in bytes before and after the beginning of the mark: machines write lines of
/// megabytes, people do not read them.
const DRAWN: usize = 200;

impl Mark {
    /// The one line that the mark starts in, cut if it is very long.
    fn excerpt(&self) -> Excerpt<'_> {
        let text = self.document.text();
        let start = text.floor_char_boundary(self.span.start.min(text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..]
            .find(['\n', '\r'])
            .map_or(text.len(), |length| start + length);
        let from = text
            .ceil_char_boundary(line_start.max(start.saturating_sub(DRAWN)))
            .min(start);
        let to = text
            .floor_char_boundary(line_end.min(start + DRAWN))
            .max(start);
        let end = text.floor_char_boundary(self.span.end.min(to)).max(start);
        // What cannot be printed would shift the caret or command the terminal.
        let visible = |part: &str| part.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}");
        let (before, marked, after) = (
            visible(&self.shown(from..start)),
            visible(&self.shown(start..end)),
            visible(&self.shown(end..to)),
        );
        let (line, _) = self.document.position(start);
        let span = before.len()..before.len() + marked.len();
        Excerpt {
            path: self.document.path().to_string(),
            text: format!("{before}{marked}{after}"),
            line: usize::try_from(line).unwrap_or(usize::MAX),
            span,
            label: &self.label,
        }
    }
}

impl Mark {
    /// A part of the text without what is hidden. Bounds are those of characters.
    fn shown(&self, part: Range<usize>) -> String {
        let text = self.document.text();
        let mut hidden: Vec<_> = self
            .hidden
            .iter()
            .map(|hidden| hidden.start.max(part.start)..hidden.end.min(part.end))
            .filter(|hidden| hidden.start < hidden.end)
            .collect();
        hidden.sort_by_key(|hidden| hidden.start);
        let mut shown = String::new();
        let mut at = part.start;
        for hidden in hidden {
            if hidden.end <= at {
                continue;
            }
            shown.push_str(&text[at..text.floor_char_boundary(hidden.start.max(at))]);
            shown.push_str(SECRET_SHOWN);
            at = text.ceil_char_boundary(hidden.end);
        }
        shown.push_str(&text[at.min(part.end)..part.end]);
        shown
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.draw(false))
    }
}

/// All problems that were found; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

/// Most problems that are drawn; who has more will fix these first.
const MOST_DRAWN: usize = 50;

impl Problems {
    /// All of them, or none if the list is empty.
    pub fn from_list(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// The problems, in the order found.
    pub fn list(&self) -> &[Problem] {
        &self.0
    }

    /// The problems, in the order found.
    pub fn into_list(self) -> Vec<Problem> {
        self.0
    }

    /// Draws all of them with a line between, and says how many there are. No line break at the end.
    pub fn draw(&self, styled: bool) -> String {
        let mut drawn: Vec<_> = self
            .0
            .iter()
            .take(MOST_DRAWN)
            .map(|problem| problem.draw(styled))
            .collect();
        let count = self.0.len();
        let more = match count.saturating_sub(MOST_DRAWN) {
            0 => String::new(),
            more => format!(" ({more} more than shown)"),
        };
        let problems = if count == 1 { "problem" } else { "problems" };
        drawn.push(format!("{count} {problems} in the configuration{more}"));
        drawn.join("\n\n")
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.draw(false))
    }
}

impl std::error::Error for Problems {}
