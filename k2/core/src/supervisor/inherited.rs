//! Variables of this process that the processes of cases inherit: a list of those that programs need anywhere, what the configuration
//! adds, and what belongs to the application itself.
//!
//! What else happens to be set on one machine does not decide about a test on another: no `LD_PRELOAD`, `PYTHONPATH` or `RUST_LOG`
//! that nobody thought of. Source: reliability.md I7; the same choice as that of tox.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use zaf_core::config::{ConfigError, ConfigView, OptionId};

/// Whether test programs, and commands that cases and hooks run, inherit all variables of the environment.
///
/// CLI `--env-inherit`, environment `K2_ENV_INHERIT`, default false: then they inherit those that programs need anywhere, and what
/// [`ENV_ALLOW`] names. Secrets are withheld all the same, see [`SECRETS`](super::SECRETS).
pub const ENV_INHERIT: OptionId<bool> = OptionId::flag("env.inherit")
    .describe(
        "Whether test programs inherit all environment variables, not only those that are allowed",
    )
    .default(false);

/// Variables that test programs, and commands that cases and hooks run, inherit in addition to those that programs need anywhere.
///
/// CLI `--env-allow NAME`, environment `K2_ENV_ALLOW`, repeatable; `*` stands for any letters, `?` for one: `--env-allow 'AWS_*'`.
pub const ENV_ALLOW: OptionId<Vec<String>> = OptionId::text("env.allow")
    .describe("Name of a variable that test programs inherit as well, for example DATABASE_URL or 'AWS_*'")
    .transform(pattern)
    .multiple();

/// What programs need on any machine: where things are, who somebody is, how to write for them, and how to reach others.
const ANYWHERE: [&str; 40] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PWD",
    "TMPDIR",
    "TMP",
    "TEMP",
    "XDG_*",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TERM",
    "COLORTERM",
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSH_AUTH_SOCK",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CI",
    "SOURCE_DATE_EPOCH",
    "RUST_BACKTRACE",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
];

/// Longest name of a variable that anybody may mean.
const LONGEST_NAME: usize = 256;

/// Refuses what can be no name, so that a slip is not a variable that is missing later.
fn pattern(text: String) -> Result<String, String> {
    let is_letter =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '*' | '?');
    let expected = "the name of a variable: letters, digits and `_`, and `*` or `?` for others";
    if text.is_empty()
        || text.len() > LONGEST_NAME
        || text.starts_with(|first: char| first.is_ascii_digit())
    {
        return Err(expected.to_owned());
    }
    match text.chars().find(|letter| !is_letter(*letter)) {
        None => Ok(text),
        Some('=') => Err(format!("{expected}; the value is that of the environment")),
        Some(_) => Err(expected.to_owned()),
    }
}

/// Which variables are inherited.
#[derive(Debug)]
pub(super) struct Inherited {
    all: bool,
    /// What the names of variables of the application begin with.
    prefixes: [String; 2],
    allowed: Vec<String>,
}

impl Inherited {
    /// As it is configured; `prefix` is that of the variables of the application.
    ///
    /// # Errors
    /// If the options were not asked for.
    pub(super) fn read(config: &ConfigView, prefix: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            all: config.get(ENV_INHERIT)?,
            prefixes: ["K2_".to_owned(), format!("{prefix}_")],
            allowed: config.get_optional(ENV_ALLOW)?.unwrap_or_default(),
        })
    }

    /// Those of the names that are not inherited.
    pub(super) fn left_out<'a>(&self, names: impl Iterator<Item = &'a OsStr>) -> Vec<OsString> {
        names
            .filter(|name| !self.has(name.as_bytes()))
            .map(OsStr::to_owned)
            .collect()
    }

    fn has(&self, name: &[u8]) -> bool {
        let is_ours = |prefix: &String| name.starts_with(prefix.as_bytes());
        let configured = self.allowed.iter().map(String::as_str);
        self.all
            || self.prefixes.iter().any(is_ours)
            || ANYWHERE
                .into_iter()
                .chain(configured)
                .any(|pattern| matches(pattern.as_bytes(), name))
    }
}

/// Whether a name fits a pattern. Takes the product of both lengths at most.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    // Where to go on if what follows the last `*` does not fit: behind it, one letter later.
    let mut star = None;
    while read < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(&letter) if letter == b'?' || letter == name[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((last, taken)) = star else {
                    return false;
                };
                star = Some((last, taken + 1));
                at = last + 1;
                read = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|&letter| letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inherited(all: bool, allowed: &[&str]) -> Inherited {
        Inherited {
            all,
            prefixes: ["K2_".to_owned(), "ACME_".to_owned()],
            allowed: allowed.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn left_out(inherited: &Inherited, names: &[&str]) -> Vec<OsString> {
        inherited.left_out(names.iter().map(OsStr::new))
    }

    #[test]
    fn i7_what_is_not_allowed_is_left_out() {
        let names = [
            "PATH",
            "HOME",
            "LC_ALL",
            "LC_",
            "XDG_RUNTIME_DIR",
            "K2_TESTS_TIMEOUT",
            "ACME_PORT",
            "K2",
            "LD_PRELOAD",
            "PYTHONPATH",
            "RUST_LOG",
            "IFS",
            "PATHS",
            "path",
            "AWS_REGION",
            "PORT1",
            "PORT12",
            "",
        ];
        assert_eq!(
            left_out(&inherited(false, &[]), &names),
            [
                "K2",
                "LD_PRELOAD",
                "PYTHONPATH",
                "RUST_LOG",
                "IFS",
                "PATHS",
                "path",
                "AWS_REGION",
                "PORT1",
                "PORT12",
                ""
            ]
        );
        assert_eq!(
            left_out(&inherited(false, &["AWS_*", "PORT?", "IFS"]), &names),
            [
                "K2",
                "LD_PRELOAD",
                "PYTHONPATH",
                "RUST_LOG",
                "PATHS",
                "path",
                "PORT12",
                ""
            ]
        );
        assert_eq!(left_out(&inherited(false, &["*"]), &names), [""; 0]);
        assert_eq!(left_out(&inherited(true, &[]), &names), [""; 0]);
    }

    #[test]
    fn i7_a_name_that_is_no_utf_8_is_matched_like_any_other() {
        let name = OsStr::from_bytes(b"ODD_\xff");
        let left_out = |allowed| inherited(false, allowed).left_out([name].into_iter());
        assert_eq!(left_out(&[]), [name]);
        assert_eq!(left_out(&["ODD_?"]), [""; 0]);
    }

    #[test]
    fn a_pattern_fits_what_it_should_and_ends() {
        for (pattern, name, fits) in [
            ("", "", true),
            ("A", "", false),
            ("", "A", false),
            ("*", "", true),
            ("?", "", false),
            ("**", "ABC", true),
            ("A*C", "ABC", true),
            ("A*C", "ABCD", false),
            ("*AB", "AAB", true),
            ("*A?C*", "XABAXCY", true),
            ("*A?C*", "XABAXXY", false),
        ] {
            let found = matches(pattern.as_bytes(), name.as_bytes());
            assert_eq!(found, fits, "{pattern} {name}");
        }
        let stars = "A*".repeat(100);
        assert!(!matches(stars.as_bytes(), "A".repeat(99).as_bytes()));
    }

    #[test]
    fn i7_what_can_be_no_name_is_refused() {
        for name in ["AWS_*", "?", "*", "a", "_x1", &"X".repeat(LONGEST_NAME)] {
            assert_eq!(pattern(name.to_owned()).as_deref(), Ok(name));
        }
        for name in [
            "",
            "A=b",
            "A B",
            "1A",
            "[AB]",
            "Ä",
            "A\n",
            "A-B",
            &"X".repeat(LONGEST_NAME + 1),
        ] {
            let expected = pattern(name.to_owned()).unwrap_err();
            assert!(expected.starts_with("the name of a variable"), "{expected}");
        }
    }
}
