//! Where values come from, and what happens to wrong ones.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;
use zaf_core::command::Invocation;

use super::recorder::{Ended, application, run};

/// A working directory with files, and a home next to it.
pub(crate) struct Machine {
    root: TempDir,
}

impl Machine {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().expect("a directory");
        for (path, content) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, content).expect("a file");
        }
        fs::create_dir_all(root.path().join("work")).expect("a directory");
        Self { root }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        let path: &Path = &self.root.path().join(name);
        path.to_str().expect("UTF-8").to_owned()
    }

    pub(crate) fn run_in(&self, environment: &[(&str, &str)], line: &[&str]) -> Ended {
        run(application([]), self.invocation(environment, line))
    }

    pub(crate) fn invocation(&self, environment: &[(&str, &str)], line: &[&str]) -> Invocation {
        let home = ("HOME".to_owned(), self.path("home"));
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .chain([home]);
        Invocation::new(line)
            .environment(environment)
            .directory(self.path("work"))
    }

    /// What `print` says about the output directory.
    fn output(&self, environment: &[(&str, &str)], line: &[&str]) -> String {
        let line: Vec<&str> = line.iter().copied().chain(["print"]).collect();
        let (code, stdout, stderr) = self.run_in(environment, &line);
        assert_eq!(code, 0, "{stderr}");
        let line = stdout
            .lines()
            .find_map(|line| line.strip_prefix("output "))
            .expect("a line about the output");
        let output = line.split(' ').next().expect("a word");
        Path::new(output)
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
            .to_owned()
    }
}

#[test]
fn each_source_wins_over_those_below_it() {
    let machine = Machine::new(&[
        ("home/.config/demo/config.yaml", "output.dir: user\n"),
        ("home/.demo.toml", "output.dir = \"dot\"\n"),
        ("work/demo.yaml", "output.dir: local\n"),
        ("more.yaml", "output.dir: additional\n"),
        ("explicit.toml", "output.dir = \"explicit\"\n"),
    ]);
    let additional = format!(
        "--additional-config-file-pattern={}",
        machine.path("more.yaml")
    );
    let explicit = format!("--config-file-pattern={}", machine.path("explicit.toml"));
    let environment = [("DEMO_OUTPUT_DIR", "environment")];

    assert_eq!(
        machine.output(&[], &["--disable-default-config-files"]),
        "output"
    );
    assert_eq!(machine.output(&[], &[]), "local");
    assert_eq!(machine.output(&[], &[&additional]), "additional");
    assert_eq!(machine.output(&[], &[&additional, &explicit]), "explicit");
    assert_eq!(machine.output(&environment, &[&explicit]), "environment");
    assert_eq!(
        machine.output(&environment, &[&explicit, "--output-dir", "line"]),
        "line"
    );
    fs::remove_file(machine.path("work/demo.yaml")).expect("a file");
    assert_eq!(machine.output(&[], &[]), "dot");
    fs::remove_file(machine.path("home/.demo.toml")).expect("a file");
    assert_eq!(machine.output(&[], &[]), "user");
}

#[test]
fn explicit_files_suppress_those_at_the_usual_places() {
    let machine = Machine::new(&[
        ("work/demo.yaml", "output.dir: local\n"),
        ("explicit.yaml", "words: [a]\n"),
    ]);
    let explicit = machine.path("explicit.yaml");
    assert_eq!(
        machine.output(&[("DEMO_CONFIG_FILE_PATTERN", &explicit)], &[]),
        "output"
    );
}

#[test]
fn all_problems_are_shown_at_once_and_nothing_is_run() {
    let machine = Machine::new(&[(
        "work/demo.yaml",
        "outputt.dir: x\nlog.level: loud\nneeded.number: many\n",
    )]);
    let (code, stdout, stderr) =
        machine.run_in(&[("DEMO_APPLICATION_ABORT_GRACE", "soon")], &["needy"]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    for text in [
        "did you mean `output.dir`",
        "`log.level`",
        "`needed.number`",
        "DEMO_APPLICATION_ABORT_GRACE",
        "demo.yaml:1:1",
        "4 problems in the configuration; nothing was run (exit 2)",
    ] {
        assert!(stderr.contains(text), "{text} is missing:\n{stderr}");
    }
    assert!(!stderr.contains("configvalidator"), "{stderr}");
}

#[test]
fn a_missing_required_option_of_the_command_is_a_problem() {
    let machine = Machine::new(&[]);
    let (code, stdout, stderr) = machine.run_in(&[], &["needy"]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(stderr.contains("--needed-number"), "{stderr}");
    let (code, stdout, _) = machine.run_in(&[("DEMO_NEEDED_NUMBER", "7")], &["needy"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("needed 7\n"), "{stdout}");
}

#[test]
fn h21_an_explicit_file_must_be_readable_a_usual_one_need_not() {
    let machine = Machine::new(&[]);
    symlink("demo.yaml", machine.path("work/demo.yaml")).expect("a link to itself");
    let (code, _, stderr) = machine.run_in(&[], &["pass"]);
    assert_eq!(code, 0, "{stderr}");
    let named = machine.path("work/demo.yaml");
    for named in [named.as_str(), "missing.yaml", "*.nothing"] {
        let (code, stdout, stderr) = machine.run_in(&[], &["pass", "--config-file-pattern", named]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    }
}

#[test]
fn help_is_shown_in_spite_of_a_broken_file() {
    let machine = Machine::new(&[("work/demo.yaml", "[\n")]);
    let (code, stdout, stderr) = machine.run_in(&[], &["--help"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("Usage: demo"), "{stdout}");
    assert_eq!(machine.run_in(&[], &["pass"]).0, 2);
}

#[test]
fn h9_keys_of_what_is_switched_off_are_known() {
    let machine = Machine::new(&[("work/demo.yaml", "break.before: true\n")]);
    let (code, _, stderr) = machine.run_in(&[], &["noop", "--ext-recorder@enabled=false"]);
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn h18_of_two_files_the_later_one_wins() {
    let machine = Machine::new(&[
        ("conf/2.yaml", "output.dir: two\nwords: [c]\n"),
        ("conf/1.yaml", "output.dir: one\nwords: [a, b]\n"),
    ]);
    let pattern = machine.path("conf/*.yaml");
    assert_eq!(
        machine.output(&[], &["--config-file-pattern", &pattern]),
        "two"
    );
}

#[test]
fn values_of_multiple_options_are_taken_once() {
    let machine = Machine::new(&[("work/demo.yaml", "words: [file]\n")]);
    let (_, stdout, stderr) = machine.run_in(
        &[("DEMO_WORDS", "env 'two words'")],
        &["print", "--words", "x", "--words=y"],
    );
    let line = stdout
        .lines()
        .find(|line| line.starts_with("output "))
        .expect(&stderr);
    let words = line.split_once("words ").expect("words").1;
    let mut words: Vec<&str> = words.split(',').collect();
    words.sort_unstable();
    assert_eq!(words, ["env", "file", "two words", "x", "y"]);
}

#[test]
fn a_wrong_value_is_shown_once_whoever_else_stumbles_over_it() {
    let machine = Machine::new(&[]);
    let environment = [("DEMO_LOG_LEVEL", "loud")];
    for (environment, line) in [
        (&environment[..], &["pass"][..]),
        (&[], &["pass", "--log-level", "loud"]),
        (&[], &["pass", "--break-before=perhaps"]),
    ] {
        let (code, _, stderr) = machine.run_in(environment, line);
        assert_eq!(code, 2, "{stderr}");
        assert_eq!(stderr.matches("error:").count(), 1, "{stderr}");
        assert!(stderr.contains("1 problem in the configuration; nothing was run (exit 2)"));
    }
}

#[test]
fn a_wrong_line_is_shown_without_what_follows_from_it() {
    let machine = Machine::new(&[]);
    for line in [
        &["pass", "--output-dir="][..],
        &["needy", "--bogus"],
        &["pass", "--log-level=loud", "--log-level=loud"],
    ] {
        let (code, stdout, stderr) = machine.run_in(&[], line);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert_eq!(stderr.matches("error:").count(), 1, "{stderr}");
    }
}

#[test]
fn included_files_count_less_than_the_file_that_includes_them() {
    let machine = Machine::new(&[
        (
            "work/demo.yaml",
            "include.files: [parts/base.yaml]\nwords: [local]\n",
        ),
        ("work/parts/base.yaml", "words: [base]\nlog.level: loud\n"),
    ]);
    let (code, _, stderr) = machine.run_in(&[], &["print"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("parts/base.yaml:2:12"), "{stderr}");
    assert!(stderr.contains("set by the included file"), "{stderr}");
}

#[test]
fn all_problems_of_all_sources_are_one_list_each_once() {
    let machine = Machine::new(&[
        ("work/demo.yaml", "nobody: 1\n"),
        ("home/.demo.yaml", "a: [\n"),
    ]);
    let (code, _, stderr) = machine.run_in(&[("DEMO_WORDS", "'open")], &["pass"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.ends_with("\n2 problems in the configuration; nothing was run (exit 2)\n"),
        "{stderr}"
    );
    for expected in ["`DEMO_WORDS` cannot be read", ".demo.yaml:1:4"] {
        assert_eq!(stderr.matches(expected).count(), 1, "{stderr}");
    }
}
