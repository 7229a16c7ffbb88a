//! Where configuration files are when nobody names one. Pure.
//!
//! Source: XDG Base Directory Specification, for the user's directory.

use std::ffi::{OsStr, OsString};

use camino::{Utf8Path, Utf8PathBuf};

use crate::config::Priority;

/// The files of the machine, of the user and of the working directory that an application called `name` reads, in the
/// order read: later ones win. Most of them do not exist.
///
/// Without a home directory, or with one that is not UTF-8 or not absolute, the user has no files.
pub(super) fn default_files(
    name: &str,
    directory: &Utf8Path,
    environment: &[(OsString, OsString)],
) -> Vec<(Priority, Utf8PathBuf)> {
    let variable = |wanted: &str| {
        environment
            .iter()
            .find(|(key, _)| key == OsStr::new(wanted))
            .and_then(|(_, value)| value.to_str())
            .map(Utf8PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let home = variable("HOME");
    let user = variable("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
    let mut files = Vec::new();
    let mut add = |priority, stem: Utf8PathBuf| {
        for extension in ["yaml", "toml", "json"] {
            files.push((priority, Utf8PathBuf::from(format!("{stem}.{extension}"))));
        }
    };
    add(
        Priority::SYSTEM,
        Utf8PathBuf::from(format!("/etc/{name}/config")),
    );
    if let Some(user) = user {
        add(Priority::USER, user.join(name).join("config"));
    }
    if let Some(home) = home {
        add(Priority::USER, home.join(format!(".{name}")));
    }
    // As a person would write it: messages name `./k2.yaml` and not the whole path.
    let local = if directory == "" {
        Utf8PathBuf::from(name)
    } else {
        directory.join(name)
    };
    add(Priority::LOCAL, local);
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(environment: &[(&str, &str)]) -> Vec<String> {
        let environment: Vec<(OsString, OsString)> = environment
            .iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        default_files("demo", Utf8Path::new(""), &environment)
            .into_iter()
            .map(|(priority, path)| format!("{} {path}", priority.level()))
            .collect()
    }

    #[test]
    fn machine_user_and_working_directory_in_this_order() {
        assert_eq!(
            files(&[("HOME", "/home/me")]),
            [
                "10 /etc/demo/config.yaml",
                "10 /etc/demo/config.toml",
                "10 /etc/demo/config.json",
                "20 /home/me/.config/demo/config.yaml",
                "20 /home/me/.config/demo/config.toml",
                "20 /home/me/.config/demo/config.json",
                "20 /home/me/.demo.yaml",
                "20 /home/me/.demo.toml",
                "20 /home/me/.demo.json",
                "30 demo.yaml",
                "30 demo.toml",
                "30 demo.json",
            ]
        );
    }

    #[test]
    fn i8_odd_homes_are_as_good_as_none() {
        for environment in [&[][..], &[("HOME", "")], &[("HOME", "relative")]] {
            assert_eq!(files(environment).len(), 6, "{environment:?}");
        }
        let files = files(&[("XDG_CONFIG_HOME", "/x")]);
        assert_eq!(files[3], "20 /x/demo/config.yaml");
        assert_eq!(files.len(), 9);
    }
}
