//! What is said about one thing, before it is known whether on a page or in a terminal.

/// What there is to be explained, in the order of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TopicKind {
    Command,
    Option,
    Extension,
    Message,
    Endpoint,
    Component,
}

impl TopicKind {
    pub(super) const ALL: [Self; 6] = [
        Self::Command,
        Self::Option,
        Self::Extension,
        Self::Message,
        Self::Endpoint,
        Self::Component,
    ];

    /// "command".
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Option => "option",
            Self::Extension => "extension",
            Self::Message => "message",
            Self::Endpoint => "endpoint",
            Self::Component => "component",
        }
    }

    /// "Commands".
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Command => "Commands",
            Self::Option => "Options",
            Self::Extension => "Extensions",
            Self::Message => "Messages",
            Self::Endpoint => "Endpoints",
            Self::Component => "Components",
        }
    }

    /// Name of the page.
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Command => "commands.md",
            Self::Option => "options.md",
            Self::Extension => "extensions.md",
            Self::Message => "messages.md",
            Self::Endpoint => "endpoints.md",
            Self::Component => "components.md",
        }
    }
}

/// One thing that is explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Topic {
    pub(super) kind: TopicKind,
    pub(super) name: String,
    /// As its author wrote it; may be empty.
    pub(super) description: String,
    pub(super) facts: Vec<Fact>,
}

/// A label, and what stands behind it: one item or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) items: Vec<Item>,
}

/// A line of text.
pub(super) type Item = Vec<Span>;

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Span {
    Text(String),
    /// What is typed or stands in code.
    Code(String),
    /// Another topic, shown by its name.
    Topic(TopicKind, String),
}

impl Topic {
    pub(super) fn new(kind: TopicKind, name: impl Into<String>, description: &str) -> Self {
        Self {
            kind,
            name: name.into(),
            description: description.trim().to_owned(),
            facts: Vec::new(),
        }
    }

    /// Adds a fact, unless it has no items.
    pub(super) fn fact(&mut self, label: &'static str, items: impl IntoIterator<Item = Item>) {
        let items: Vec<Item> = items.into_iter().filter(|item| !item.is_empty()).collect();
        if !items.is_empty() {
            self.facts.push(Fact { label, items });
        }
    }

    /// The paragraphs of the description.
    pub(super) fn paragraphs(&self) -> impl Iterator<Item = String> {
        let mut paragraphs: Vec<String> = vec![String::new()];
        for line in self.description.lines().map(str::trim) {
            let Some(last) = paragraphs.last_mut() else {
                continue;
            };
            match (line.is_empty(), last.is_empty()) {
                (true, false) => paragraphs.push(String::new()),
                (true, true) => {}
                (false, true) => last.push_str(line),
                (false, false) => last.extend([" ", line]),
            }
        }
        paragraphs.into_iter().filter(|text| !text.is_empty())
    }
}

/// Plain text.
pub(super) fn text(text: impl Into<String>) -> Span {
    Span::Text(text.into())
}

/// Code.
pub(super) fn code(code: impl Into<String>) -> Span {
    Span::Code(code.into())
}

/// An item of one span.
pub(super) fn only(span: Span) -> Item {
    vec![span]
}

/// All in one item, with commas between.
pub(super) fn listed(spans: impl IntoIterator<Item = Span>) -> Item {
    let mut item = Item::new();
    for span in spans {
        if !item.is_empty() {
            item.push(text(", "));
        }
        item.push(span);
    }
    item
}
