//! Where plugins are looked for, and who says so. Pure, but for reading the store.
//!
//! A path of plugins is a right to run programs. The user has it, on the command line and in the user's own configuration; the
//! machine's owner has it. A file that lies in a repository and an environment variable have it not: what they name has to be
//! trusted by the user first (`trust`).

use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;
use zaf_core::config::{ConfigStore, Explained, Key, Kind, Outcome, Priority, Source, TypedValue};

use super::options::{ALLOW_INSECURE, PATHS};

/// A directory in which plugins are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// Absolute.
    pub(super) path: PathBuf,
    pub(super) source: Source,
    /// Whether whoever says so has no right to: each plugin in it must be trusted.
    pub(super) needs_trust: bool,
}

/// A setting that cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum SettingError {
    #[error("`plugins.paths` ({by}): `{path}` is no absolute path; plugins are not searched for")]
    Relative { path: String, by: String },
    #[error("`plugins.paths`: `{path}` refers to another option; write the path out")]
    Reference { path: Utf8PathBuf },
    #[error(
        "`{key}` is set by {by}, which may not say so; only the command line and the user's own configuration may"
    )]
    NoRight { key: &'static str, by: String },
}

/// The directories, in their order, each once; and what is wrong with others.
pub(super) fn paths(
    store: &ConfigStore,
    effective: &[Utf8PathBuf],
    directory: &Utf8Path,
) -> (Vec<Setting>, Vec<SettingError>) {
    let said = store.explain(&Key::of(&PATHS.descriptor(), None));
    let mut settings: Vec<Setting> = Vec::new();
    let mut errors = Vec::new();
    for path in effective {
        // Of several who say the same, one with the right to is enough, whoever counts most.
        let mut by: Vec<(&Explained, String)> = said
            .iter()
            .filter_map(|value| Some((value, says(value, path)?)))
            .collect();
        by.sort_by_key(|(value, _)| needs_trust(value));
        let Some((by, written)) = by.into_iter().next() else {
            errors.push(SettingError::Reference { path: path.clone() });
            continue;
        };
        let place = match &by.source {
            _ if Utf8Path::new(&written).is_absolute() => path.clone().into_std_path_buf(),
            // What a person types there starts where the person is.
            Source::CommandLine { .. } if !written.is_empty() => {
                let from = directory.join(path);
                std::path::absolute(&from).unwrap_or_else(|_| from.into_std_path_buf())
            }
            source => {
                errors.push(SettingError::Relative {
                    path: written,
                    by: source.to_string(),
                });
                continue;
            }
        };
        if !settings.iter().any(|setting| setting.path == place) {
            settings.push(Setting {
                path: place,
                source: by.source.clone(),
                needs_trust: needs_trust(by),
            });
        }
    }
    (settings, errors)
}

/// Whether files that others may write are accepted.
///
/// # Errors
/// If somebody says so who may not.
pub(super) fn allows_insecure(store: &ConfigStore, is_set: bool) -> Result<bool, SettingError> {
    let winner = store
        .explain(&Key::of(&ALLOW_INSECURE.descriptor(), None))
        .into_iter()
        .find(|value| value.outcome == Outcome::Wins);
    match winner {
        Some(winner) if is_set && needs_trust(&winner) => Err(SettingError::NoRight {
            key: ALLOW_INSECURE.key(),
            by: winner.source.to_string(),
        }),
        _ => Ok(is_set),
    }
}

/// The words of a value that stand for a path, if it has any. Relative ones in a file start at its directory.
fn says(value: &Explained, path: &Utf8Path) -> Option<String> {
    let Ok(TypedValue::List(items)) = value.value.read(Kind::Text, true) else {
        return None;
    };
    let base = match &value.source {
        Source::File { path, .. } => path.parent(),
        _ => None,
    };
    items.into_iter().find_map(|item| match item {
        TypedValue::Text(text) => {
            let meant = base.map_or_else(|| Utf8PathBuf::from(&text), |base| base.join(&text));
            (meant == path).then_some(text)
        }
        _ => None,
    })
}

fn needs_trust(value: &Explained) -> bool {
    match value.source {
        Source::File { .. } => value.priority.level() > Priority::USER.level(),
        Source::Environment { .. } => true,
        // The user at the terminal, and what is linked into the program.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use zaf_core::config::{ConfigLayer, Value};

    use super::*;

    fn file(priority: Priority, path: &str, values: &[&str]) -> ConfigLayer {
        let source = Source::File {
            path: Arc::from(Utf8Path::new(path)),
            line: 3,
            column: 5,
        };
        layer(priority, source, values)
    }

    fn layer(priority: Priority, source: Source, values: &[&str]) -> ConfigLayer {
        let values = values.iter().map(|value| Value::Text((*value).to_owned()));
        ConfigLayer::new(priority, source).with("plugins.paths", Value::List(values.collect()))
    }

    fn typed(values: &[&str]) -> ConfigLayer {
        let flag = "--plugins-paths".into();
        layer(Priority::COMMAND_LINE, Source::CommandLine { flag }, values)
    }

    fn variable(values: &[&str]) -> ConfigLayer {
        let name = "DEMO_PLUGINS_PATHS".into();
        layer(Priority::ENVIRONMENT, Source::Environment { name }, values)
    }

    fn of(layers: Vec<ConfigLayer>) -> (Vec<String>, Vec<String>) {
        let mut store = ConfigStore::new();
        store.define(&PATHS.descriptor(), "test").unwrap();
        for layer in layers {
            store.add(layer);
        }
        let effective = store.get(PATHS).unwrap();
        let (settings, errors) = paths(&store, &effective, Utf8Path::new("/here"));
        let settings = settings.iter().map(|setting| {
            let trust = if setting.needs_trust {
                " if trusted"
            } else {
                ""
            };
            format!("{} {}{trust}", setting.path.display(), setting.source)
        });
        (
            settings.collect(),
            errors.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn s1_only_the_user_and_the_machines_owner_may_say_where_plugins_are() {
        for (layer, expected) in [
            (typed(&["/a"]), "/a --plugins-paths"),
            (
                file(Priority::USER, "/home/me/.demo.yaml", &["/a"]),
                "/a /home/me/.demo.yaml:3:5",
            ),
            (
                file(Priority::USER.included(), "/home/me/more.yaml", &["/a"]),
                "/a /home/me/more.yaml:3:5",
            ),
            (
                file(Priority::SYSTEM, "/etc/demo/config.yaml", &["/a"]),
                "/a /etc/demo/config.yaml:3:5",
            ),
            (
                file(Priority::LOCAL, "demo.yaml", &["/a"]),
                "/a demo.yaml:3:5 if trusted",
            ),
            (
                file(Priority::ADDITIONAL, "ci.yaml", &["/a"]),
                "/a ci.yaml:3:5 if trusted",
            ),
            (
                file(Priority::EXPLICIT, "ci.yaml", &["/a"]),
                "/a ci.yaml:3:5 if trusted",
            ),
            (
                file(Priority::ENTITY_INCLUDE, "sut.yaml", &["/a"]),
                "/a sut.yaml:3:5 if trusted",
            ),
            (variable(&["/a"]), "/a DEMO_PLUGINS_PATHS if trusted"),
        ] {
            assert_eq!(of(vec![layer]), (vec![expected.to_owned()], vec![]));
        }
    }

    #[test]
    fn s1_the_user_may_say_what_a_repository_says_too() {
        let layers = vec![
            file(Priority::USER, "/home/me/.demo.yaml", &["/a"]),
            file(Priority::LOCAL, "demo.yaml", &["/a", "/b"]),
        ];
        let (settings, _) = of(layers);
        assert_eq!(
            settings,
            ["/a /home/me/.demo.yaml:3:5", "/b demo.yaml:3:5 if trusted"]
        );
    }

    #[test]
    fn s3_nothing_is_searched_for() {
        let (settings, errors) = of(vec![typed(&["plugins", "./more", "/a"])]);
        assert_eq!(
            settings,
            [
                "/here/plugins --plugins-paths",
                "/here/more --plugins-paths",
                "/a --plugins-paths"
            ]
        );
        assert!(errors.is_empty());
        for layer in [
            file(Priority::USER, "/home/me/.demo.yaml", &["."]),
            variable(&["plugins"]),
        ] {
            let (settings, errors) = of(vec![layer]);
            assert!(settings.is_empty(), "{settings:?}");
            assert!(errors[0].ends_with("is no absolute path; plugins are not searched for"));
        }
    }

    #[test]
    fn s1_a_path_is_not_composed_of_what_others_say() {
        let mut store = ConfigStore::new();
        store.define(&PATHS.descriptor(), "test").unwrap();
        store.add(typed(&["${output.dir}/plugins"]));
        let replaced = [Utf8PathBuf::from("/tmp/plugins")];
        let (settings, errors) = paths(&store, &replaced, Utf8Path::new("/here"));
        assert!(settings.is_empty());
        assert_eq!(
            errors[0].to_string(),
            "`plugins.paths`: `/tmp/plugins` refers to another option; write the path out"
        );
    }
}
