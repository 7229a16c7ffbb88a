//! The values of parameters that one variant of a case has.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Name and printed value of each parameter, in the order of the declaration.
///
/// Shared: a clone costs a counter, however many there are; so what is said of a case has those of its definition, and variants
/// with the same value have one text of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Parameters(Arc<[(Arc<str>, Arc<str>)]>);

impl Parameters {
    /// The value of the parameter with that name.
    pub fn value(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        let found = pairs.find(|(key, _)| **key == *name);
        found.map(|(_, value)| &**value)
    }

    /// The same with more parameters behind them.
    #[must_use]
    pub fn and(&self, more: impl IntoIterator<Item = (Arc<str>, Arc<str>)>) -> Self {
        self.0.iter().cloned().chain(more).collect()
    }

    /// The same with another one at this place; behind them if there is no such place.
    #[must_use]
    pub fn with_inserted(&self, place: usize, parameter: (Arc<str>, Arc<str>)) -> Self {
        let (before, behind) = self.0.split_at(place.min(self.0.len()));
        let pairs = before.iter().cloned().chain([parameter]);
        pairs.chain(behind.iter().cloned()).collect()
    }
}

impl Deref for Parameters {
    type Target = [(Arc<str>, Arc<str>)];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<N: Into<Arc<str>>, V: Into<Arc<str>>> FromIterator<(N, V)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Self(
            pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl<N: Into<Arc<str>>, V: Into<Arc<str>>, const COUNT: usize> From<[(N, V); COUNT]>
    for Parameters
{
    fn from(pairs: [(N, V); COUNT]) -> Self {
        pairs.into_iter().collect()
    }
}

impl From<Vec<(String, String)>> for Parameters {
    fn from(pairs: Vec<(String, String)>) -> Self {
        pairs.into_iter().collect()
    }
}

impl<'a> IntoIterator for &'a Parameters {
    type Item = &'a (Arc<str>, Arc<str>);
    type IntoIter = std::slice::Iter<'a, (Arc<str>, Arc<str>)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_of_them_leave_those_that_others_have_as_they_were() {
        let one = Parameters::from([("a", "1")]);
        let two = one.and([("c".into(), "3".into())]);
        let three = two.with_inserted(1, ("b".into(), "2".into()));
        assert_eq!(three, [("a", "1"), ("b", "2"), ("c", "3")].into());
        assert_eq!(three.value("c"), Some("3"));
        assert_eq!(one.with_inserted(9, ("c".into(), "3".into())), two);
        assert_eq!((one.len(), one.value("c")), (1, None));
    }

    #[test]
    fn none_at_all_can_be_said_without_their_types() {
        fn count(own: impl Into<Parameters>) -> usize {
            own.into().len()
        }
        assert_eq!(count(Vec::new()), count(Parameters::default()));
    }

    #[test]
    fn they_are_pairs_in_records() {
        let own = Parameters::from([("a", "1"), ("b", "")]);
        let text = serde_json::to_string(&own).unwrap();
        assert_eq!(text, r#"[["a","1"],["b",""]]"#);
        assert_eq!(serde_json::from_str::<Parameters>(&text).unwrap(), own);
    }
}
