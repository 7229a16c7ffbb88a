//! The definition of a test case.

use std::ffi::OsString;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Declaration, Outcome, Parameters, TestContext};
use crate::sut::Binding;

/// The name that identifies a case within a run: `source::module::case[parameter=value,…]`.
///
/// It is data, never part of a path: it may hold every character. [`CaseId::file_name`] makes a name for files.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(Arc<str>);

impl CaseId {
    /// An id as it stands.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id of one variant of a case. Commas, closing brackets and backslashes of values are escaped with a backslash,
    /// so that two rows of parameters never share an id.
    pub fn with_parameters(name: &str, parameters: &[(Arc<str>, Arc<str>)]) -> Self {
        if parameters.is_empty() {
            return Self::new(name);
        }
        let texts = |(key, value): &(Arc<str>, Arc<str>)| key.len() + value.len() + 2;
        let length = name.len() + 1 + parameters.iter().map(texts).sum::<usize>();
        let mut id = String::with_capacity(length);
        id.push_str(name);
        for (index, (key, value)) in parameters.iter().enumerate() {
            id.push(if index == 0 { '[' } else { ',' });
            id.push_str(key);
            id.push('=');
            for c in value.chars() {
                if matches!(c, ',' | ']' | '\\') {
                    id.push('\\');
                }
                id.push(c);
            }
        }
        id.push(']');
        Self::new(id)
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as a shared string, for records.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// A file name that is safe on every file system and different for different ids: at most 60 harmless characters of
    /// the id to recognise it by, and a hash of all of it.
    pub fn file_name(&self) -> String {
        let mut name = String::with_capacity(80);
        for c in self.0.chars() {
            if name.len() == 60 {
                break;
            }
            if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') {
                name.push(c);
            } else if !name.ends_with('.') && !name.is_empty() {
                name.push('.');
            }
        }
        let name = name.trim_end_matches('.');
        let hash = fnv1a_128(self.0.as_bytes());
        if name.is_empty() {
            format!("{hash:032x}")
        } else {
            // Ids that differ only in case must not meet on a file system that folds case: the hash tells them apart.
            format!("{name}-{hash:032x}")
        }
    }
}

/// FNV-1a with 128 bits: stable over releases and machines, which the standard hasher is not.
fn fnv1a_128(bytes: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(BASIS, |hash, &byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    })
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A test case: what it is called, what is known about it (see [`Declaration`], whose fields it has, too), and what running it means.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TestCase {
    /// Unique within a run.
    pub id: CaseId,
    /// Parameters of this variant: name and printed value.
    pub parameters: Parameters,
    /// The systems under test that it has got.
    pub binding: Binding,
    /// Cases with the same word share something that is costly to make: they run on the same worker, unless another one would be idle.
    pub affinity: Option<Arc<str>>,
    /// What running it means.
    pub action: CaseAction,
    declaration: Arc<Declaration>,
}

impl Deref for TestCase {
    type Target = Declaration;

    fn deref(&self) -> &Declaration {
        &self.declaration
    }
}

impl DerefMut for TestCase {
    fn deref_mut(&mut self) -> &mut Declaration {
        Arc::make_mut(&mut self.declaration)
    }
}

impl TestCase {
    /// Names of the parameters that stand for one variant for each component, or system under test, that fits.
    pub(crate) fn each_names(&self) -> impl Iterator<Item = &'static str> {
        let requirements = self.requirements;
        let needs = self.each.iter();
        let needs = needs.filter_map(|each| requirements.get(each.requirement));
        needs.map(|need| need.parameter)
    }

    /// A case of which nothing is known but its id and what to do.
    pub fn new(id: CaseId, action: CaseAction) -> Self {
        Self {
            id,
            parameters: Parameters::default(),
            binding: Binding::default(),
            affinity: None,
            action,
            declaration: Arc::default(),
        }
    }

    /// The id without parameters.
    pub fn name(&self) -> &str {
        let id = self.id.as_str();
        id.split_once('[').map_or(id, |(name, _)| name)
    }

    /// The part of the id that names its module: everything in front of the class, or of the last part. Empty if there is nothing.
    pub fn module(&self) -> &str {
        let outer = |name: &'_ str| name.rfind("::").unwrap_or(0);
        let name = self.name();
        let module = &name[..outer(name)];
        match &self.class {
            Some(class) if module == &**class => "",
            Some(class) => module
                .strip_suffix(&**class)
                .and_then(|module| module.strip_suffix("::"))
                .unwrap_or(module),
            None => module,
        }
    }

    /// Notes something else that it needs for itself.
    pub fn need(&mut self, resource: &str) {
        if let Err(place) = self
            .resources
            .binary_search_by(|known| known.as_str().cmp(resource))
        {
            self.resources.insert(place, resource.to_owned());
        }
    }

    /// True for what stands in for something that could not be loaded: filters must not remove it.
    pub fn is_load_failure(&self) -> bool {
        matches!(self.action, CaseAction::LoadFailure(_))
    }
}

/// Where a test function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// On a thread of the runner: quick, and with the components of the run.
    InProcess,
    /// In a process of its own, which may crash, and can be ended when its time is up.
    Process,
}

/// A test function with everything it needs; never panics when made by a finder of this crate.
pub type CaseFunction = Arc<dyn Fn(&TestContext) -> Outcome + Send + Sync>;

/// What running a case means.
#[derive(Clone)]
#[non_exhaustive]
pub enum CaseAction {
    /// Call a function in this process.
    Function(CaseFunction),
    /// Start a process and read its end.
    Process(Box<ProcessCase>),
    /// Nothing: the case could not be loaded, which ends as error with this reason.
    LoadFailure(String),
}

impl fmt::Debug for CaseAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(_) => f.write_str("Function(..)"),
            Self::Process(process) => f.debug_tuple("Process").field(process).finish(),
            Self::LoadFailure(reason) => f.debug_tuple("LoadFailure").field(reason).finish(),
        }
    }
}

/// A case that is a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessCase {
    /// Program; absolute, or relative to the directory that the run was started in.
    pub program: PathBuf,
    /// Arguments without the program's name.
    pub arguments: Vec<OsString>,
    /// Variables in addition to those that the run passes on.
    pub environment: Vec<(OsString, OsString)>,
    /// Working directory instead of that of the run.
    pub directory: Option<PathBuf>,
    /// How its end and its output are read.
    pub protocol: Protocol,
}

/// How the end and the output of a process are turned into a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Protocol {
    /// 0 has passed, a skip code is skipped, everything else has failed.
    ExitCode,
    /// Test Anything Protocol, version 13 or 14, on standard output.
    Tap,
    /// A Rust test binary that runs one test.
    Libtest,
    /// A `GoogleTest` binary that runs one test.
    GoogleTest,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(values: &[&str]) -> Parameters {
        values
            .iter()
            .zip(["a", "b", "c"])
            .map(|(value, key)| (key, *value))
            .collect()
    }

    #[test]
    fn an_id_shows_the_parameters() {
        let id = CaseId::with_parameters("m::case", &row(&["-s", "x y"]));
        assert_eq!(id.as_str(), "m::case[a=-s,b=x y]");
        assert_eq!(CaseId::with_parameters("m::case", &[]).as_str(), "m::case");
    }

    #[test]
    fn the_module_is_what_stands_in_front_of_class_and_name() {
        let module = |id: &str, class: Option<&str>| {
            let mut case = TestCase::new(CaseId::new(id), CaseAction::LoadFailure(String::new()));
            case.class = class.map(Into::into);
            case.module().to_owned()
        };
        assert_eq!(module("a::b::c", None), "a::b");
        assert_eq!(module("a::b::c[x=1::2]", None), "a::b");
        assert_eq!(module("c", None), "");
        assert_eq!(module("a::Login::c[x=1]", Some("Login")), "a");
        assert_eq!(module("Login::c", Some("Login")), "");
        assert_eq!(module("a::b::c", Some("x")), "a::b");
    }

    #[test]
    fn the_file_name_keeps_what_is_readable() {
        let name = CaseId::new("suite/a.sh::b c[x=1]").file_name();
        assert!(name.starts_with("suite.a.sh.b.c.x.1-"), "{name}");
    }

    proptest! {
        #[test]
        fn different_rows_have_different_ids(
            a in prop::collection::vec("[,\\]\\[=ab\\\\]{0,4}", 2),
            b in prop::collection::vec("[,\\]\\[=ab\\\\]{0,4}", 2),
        ) {
            let rows = [&a, &b].map(|values| row(&values.iter().map(String::as_str).collect::<Vec<_>>()));
            let ids = rows.each_ref().map(|row| CaseId::with_parameters("m", row));
            prop_assert_eq!(a == b, ids[0] == ids[1]);
        }

        #[test]
        fn a_file_name_is_harmless_whatever_the_id_is(id in ".{0,200}") {
            let name = CaseId::new(id).file_name();
            prop_assert!(!name.is_empty() && name.len() <= 100);
            prop_assert!(!name.starts_with('.'));
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)));
            prop_assert!(name != "." && name != "..");
        }

        #[test]
        fn i10_a_file_name_leads_nowhere_whatever_the_id_is(
            id in r"(\.\./|\.\.|/|~|\\|\x00|\n|:|-|[a-z]|ü|\$\{case\}){0,30}",
            value in r"(\.\./|/|\.\.|~|a){0,10}",
        ) {
            let id = CaseId::with_parameters(&id, &row(&[&value]));
            let file = std::path::Path::new("output/run").join(id.file_name());
            prop_assert_eq!(file.components().count(), 3, "{:?}", file);
            prop_assert_eq!(file.parent(), Some(std::path::Path::new("output/run")));
            prop_assert!(!file.ends_with(".."));
        }

        #[test]
        fn different_ids_have_different_file_names(a in ".{0,20}", b in ".{0,20}") {
            prop_assert_eq!(a == b, CaseId::new(a).file_name() == CaseId::new(b).file_name());
        }
    }

    #[test]
    fn a_long_id_has_a_short_file_name() {
        let long = "x".repeat(4096);
        assert!(CaseId::new(long).file_name().len() <= 100);
    }
}
