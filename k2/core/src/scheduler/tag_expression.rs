//! Which cases a tag expression selects: `smoke and not (slow or net)`.
//!
//! A word is true for a case that has that tag. `not` binds closer than `and`, `and` closer than `or`.

use std::fmt;

use thiserror::Error;

/// Deepest nesting of parentheses and `not`; deeper ones are refused, so that no text exhausts the stack.
const DEEPEST: usize = 64;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagExpression {
    /// The case has this tag.
    Tag(String),
    /// It is false.
    Not(Box<Self>),
    /// All are true.
    And(Vec<Self>),
    /// At least one is true.
    Or(Vec<Self>),
}

/// A text that is no tag expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what} at `{rest}`; expected something like `smoke and not (slow or net)`")]
pub struct TagExpressionError {
    what: &'static str,
    rest: String,
}

impl TagExpression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, TagExpressionError> {
        let mut parser = Parser { rest: text };
        let expression = parser.any_of(0)?;
        match parser.peek() {
            None => Ok(expression),
            Some(")") => Err(parser.wrong("a parenthesis too many")),
            Some(_) => Err(parser.wrong("`and` or `or` is missing")),
        }
    }

    /// The tags that it names, in its order.
    pub(super) fn tags(&self) -> Vec<&str> {
        match self {
            Self::Tag(tag) => vec![tag],
            Self::Not(inner) => inner.tags(),
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::tags).collect(),
        }
    }

    /// Whether it is true for a case with these tags.
    pub fn matches(&self, tags: &[String]) -> bool {
        match self {
            Self::Tag(tag) => tags.contains(tag),
            Self::Not(inner) => !inner.matches(tags),
            Self::And(all) => all.iter().all(|one| one.matches(tags)),
            Self::Or(any) => any.iter().any(|one| one.matches(tags)),
        }
    }
}

impl fmt::Display for TagExpression {
    /// With no more parentheses than it needs: what was read is not nested more deeply when it is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Not(inner) => {
                f.write_str("not ")?;
                inner.fmt_within(f, matches!(**inner, Self::And(_) | Self::Or(_)))
            }
            Self::And(parts) => {
                let binds_less = |part: &Self| matches!(part, Self::And(_) | Self::Or(_));
                joined(f, parts, " and ", binds_less)
            }
            Self::Or(parts) => joined(f, parts, " or ", |part| matches!(part, Self::Or(_))),
        }
    }
}

impl TagExpression {
    fn fmt_within(&self, f: &mut fmt::Formatter<'_>, in_parentheses: bool) -> fmt::Result {
        if in_parentheses {
            write!(f, "({self})")
        } else {
            write!(f, "{self}")
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[TagExpression],
    word: &str,
    in_parentheses: impl Fn(&TagExpression) -> bool,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        part.fmt_within(f, in_parentheses(part))?;
    }
    Ok(())
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn any_of(&mut self, depth: usize) -> Result<TagExpression, TagExpressionError> {
        let mut parts = vec![self.all_of(depth)?];
        while self.take("or") {
            parts.push(self.all_of(depth)?);
        }
        Ok(single_or(parts, TagExpression::Or))
    }

    fn all_of(&mut self, depth: usize) -> Result<TagExpression, TagExpressionError> {
        let mut parts = vec![self.one(depth)?];
        while self.take("and") {
            parts.push(self.one(depth)?);
        }
        Ok(single_or(parts, TagExpression::And))
    }

    fn one(&mut self, depth: usize) -> Result<TagExpression, TagExpressionError> {
        if depth > DEEPEST {
            return Err(self.wrong("nested too deeply"));
        }
        if self.take("not") {
            return Ok(TagExpression::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take("(") {
            let inner = self.any_of(depth + 1)?;
            if !self.take(")") {
                return Err(self.wrong("`)` is missing"));
            }
            return Ok(inner);
        }
        match self.peek() {
            Some(word) if !matches!(word, "and" | "or" | ")") => {
                let tag = word.to_owned();
                self.skip(word);
                Ok(TagExpression::Tag(tag))
            }
            _ => Err(self.wrong("a tag is missing")),
        }
    }

    /// The next word or parenthesis.
    fn peek(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        if matches!(first, '(' | ')') {
            return Some(&self.rest[..1]);
        }
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
        Some(&self.rest[..end.unwrap_or(self.rest.len())])
    }

    fn skip(&mut self, word: &str) {
        self.rest = &self.rest[word.len()..];
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        if found {
            self.skip(word);
        }
        found
    }

    fn wrong(&mut self, what: &'static str) -> TagExpressionError {
        let rest = match self.peek() {
            Some(_) => self.rest.to_owned(),
            None => "the end".to_owned(),
        };
        TagExpressionError { what, rest }
    }
}

fn single_or(
    mut parts: Vec<TagExpression>,
    several: impl FnOnce(Vec<TagExpression>) -> TagExpression,
) -> TagExpression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            several(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(expression: &str, tags: &[&str]) -> bool {
        let tags: Vec<String> = tags.iter().map(|&tag| tag.to_owned()).collect();
        TagExpression::parse(expression).unwrap().matches(&tags)
    }

    #[test]
    fn not_binds_closest_and_or_least() {
        assert!(matches("smoke", &["smoke"]) && !matches("smoke", &["smokes"]));
        assert!(matches("not slow", &[]));
        assert!(matches("a or b and c", &["a"]));
        assert!(!matches("(a or b) and c", &["a"]));
        assert!(!matches("not a and b", &["a", "b"]));
        assert!(matches("not (a and b)", &["a"]));
        assert!(matches("board:v2 and not(net)", &["board:v2"]));
    }

    #[test]
    fn what_is_wrong_is_shown_with_its_place() {
        let wrong = |text: &str| TagExpression::parse(text).unwrap_err().to_string();
        assert!(wrong("").starts_with("a tag is missing at `the end`;"));
        assert!(wrong("a b").starts_with("`and` or `or` is missing at `b`;"));
        assert!(wrong("a and or b").starts_with("a tag is missing at `or b`;"));
        assert!(wrong("(a or b").starts_with("`)` is missing at `the end`;"));
        assert!(wrong("a) or b").starts_with("a parenthesis too many at `) or b`;"));
        assert!(wrong(&"(".repeat(100_000)).starts_with("nested too deeply"));
    }

    fn expressions() -> impl Strategy<Value = TagExpression> {
        let tag = "[a-d]".prop_map(TagExpression::Tag);
        tag.prop_recursive(4, 24, 3, |inner| {
            let several = prop::collection::vec(inner.clone(), 2..4);
            prop_oneof![
                inner.prop_map(|one| TagExpression::Not(Box::new(one))),
                several.clone().prop_map(TagExpression::And),
                several.prop_map(TagExpression::Or),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_as_the_same(expression in expressions(), tags in "[a-d]{0,4}") {
            let again = TagExpression::parse(&expression.to_string()).unwrap();
            let tags: Vec<String> = tags.chars().map(String::from).collect();
            prop_assert_eq!(again.matches(&tags), expression.matches(&tags));
            prop_assert_eq!(again.to_string(), expression.to_string());
        }

        #[test]
        fn no_text_does_harm(text in "\\PC{0,40}") {
            TagExpression::parse(&text).ok();
        }
    }
}
