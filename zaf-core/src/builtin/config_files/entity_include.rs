//! Files that somebody includes for one entity on the command line or in the environment: `--suts-box@include-files box.yaml`.
//!
//! Every entity option has an option `include.files` at it, of which nobody need ask. What stands in a file is read together with
//! that file, see [`super::include`]; only what stands elsewhere gets here. The included files count more than all other files
//! and less than the environment and the command line.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::include::Includes;
use super::pattern;
use crate::config::{ConfigLayer, Key, Priority, Problem, Problems, Source, TypedValue};
use crate::extension::{Catalog, ENTITY_INCLUDE_FILES};

/// The files of all entities that are not read yet.
///
/// # Errors
/// Everything that is wrong with any of them.
pub(super) fn layers(
    catalog: &Catalog,
    directory: &Utf8Path,
    secrets: BTreeSet<String>,
) -> Result<Vec<ConfigLayer>, Problems> {
    let store = catalog.store();
    let mut includes = Includes::new(secrets);
    let options = catalog
        .options()
        .map(|entry| entry.option)
        .filter(|option| option.key == ENTITY_INCLUDE_FILES && option.at.is_some());
    for option in options {
        let Some(at) = option.at else { continue };
        // Values that cannot be read are a problem that the validation finds.
        for entity in store.entities(at).unwrap_or_default() {
            let key = Key::of(&option, Some(&entity));
            let Some(prefix) = key
                .as_str()
                .strip_suffix(ENTITY_INCLUDE_FILES)
                .and_then(|prefix| prefix.strip_suffix('.'))
            else {
                continue;
            };
            let Ok(Some(TypedValue::List(patterns))) = store.read(&option, Some(&entity)) else {
                continue;
            };
            let taken = |path: &Utf8Path| is_read(catalog, prefix, path);
            for pattern in patterns {
                let TypedValue::Text(pattern) = pattern else {
                    continue;
                };
                include(&mut includes, &pattern, directory, prefix, &key, &taken);
            }
        }
    }
    includes.finish()
}

fn include(
    includes: &mut Includes,
    pattern: &str,
    directory: &Utf8Path,
    prefix: &str,
    key: &Key,
    is_read: &dyn Fn(&Utf8Path) -> bool,
) {
    let refuse = |includes: &mut Includes, problems: Problems| {
        let named = |problem: Problem| match problem.position() {
            Some(_) => problem,
            None => problem.detail(format!("named by `{key}`")),
        };
        for problem in problems.into_list() {
            includes.refuse(named(problem).into());
        }
    };
    let paths = match pattern::expand(pattern, directory) {
        Ok(paths) => paths,
        Err(problems) => return refuse(includes, problems),
    };
    for path in paths.iter().filter(|path| !is_read(path)) {
        match includes.load(path, Priority::ENTITY_INCLUDE) {
            Ok(layer) => includes.add_below(prefix, layer),
            Err(error) => refuse(includes, error.into_problems()),
        }
    }
}

/// Whether an earlier pass read the file for the entity: the same is never in the store twice.
fn is_read(catalog: &Catalog, prefix: &str, path: &Utf8Path) -> bool {
    let store = catalog.store();
    let below = format!("{prefix}.");
    let is_of_file =
        |source: &Source| matches!(source, Source::File { path: read, .. } if **read == *path);
    store
        .keys()
        .filter(|key| key.as_str().starts_with(&below))
        .any(|key| store.has_value_from(key, is_of_file))
}
