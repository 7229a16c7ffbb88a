//! Sources, files and the ends of cases, with real files and processes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::case::{CaseAction, Protocol, TestCase, Verdict};
use crate::parameter::GivenParameters;
use crate::supervisor::fixture::fixture;
use crate::supervisor::{Cancellation, ProcessSpec, prepare, run};

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn find(&self, prefix: &str, name: &str) -> Found {
        let source = format!("{prefix}{}", self.path(name).display());
        find_source(&source)
    }

    /// Ids below this directory, without the directory.
    fn ids(&self, found: &Found) -> Vec<String> {
        let root = self.0.path().display().to_string();
        found
            .cases
            .iter()
            .map(|case| case.id.as_str().replace(&root, ""))
            .collect()
    }
}

/// What the finders find together, without a bus between them.
fn find(sources: &[SourceSpec], options: &FindOptions, cancellation: &Cancellation) -> Found {
    let (request, problems) = FindTestCases::of(sources);
    let units = request.units.iter().enumerate();
    let answers = units.filter_map(|(position, unit)| {
        let found = match unit {
            Unit::File(file) => cases_of_file(file, options, cancellation),
            Unit::Linked(source) => linked::of_source(&[], source),
            Unit::Recipe(_) => return None,
        };
        Some(FoundUnit { position, found })
    });
    match request.merge(answers.collect(), problems, &GivenParameters::default()) {
        Ok(expanded) => Found {
            cases: expanded.cases,
            problems: vec![],
        },
        Err(problems) => Found {
            cases: vec![],
            problems,
        },
    }
}

fn find_source(source: &str) -> Found {
    let cancellation = Cancellation::new().unwrap();
    find(
        &[source.parse().unwrap()],
        &FindOptions::default(),
        &cancellation,
    )
}

fn problem(found: &Found) -> String {
    assert_eq!(found.problems.len(), 1, "{found:?}");
    found.problems[0].to_string()
}

#[test]
fn a_directory_is_searched_in_order() {
    let tree = Tree::new();
    tree.file("b.sh", "#!/bin/sh\n# Second.\n", 0o755);
    tree.file("a.t", "#!/bin/sh\n", 0o755);
    tree.file("sub/c", "#!/bin/sh\n", 0o700);
    tree.file("data.txt", "x", 0o644);
    tree.file(".hidden", "#!/bin/sh\n", 0o755);
    tree.file(".git/hook", "#!/bin/sh\n", 0o755);
    tree.file("lib.so", "x", 0o755);
    tree.file("lib.so.1", "x", 0o755);
    let found = tree.find("", "");
    assert_eq!(found.problems, []);
    assert_eq!(tree.ids(&found), ["::a.t", "::b.sh", "/sub::c"]);
    assert_eq!(found.cases[1].description, "Second.");
    let protocols: Vec<_> = found
        .cases
        .iter()
        .map(|case| process(case).protocol)
        .collect();
    assert_eq!(
        protocols,
        [Protocol::Tap, Protocol::ExitCode, Protocol::ExitCode]
    );
}

fn process(case: &TestCase) -> &crate::case::ProcessCase {
    match &case.action {
        CaseAction::Process(process) => process,
        other => panic!("{other:?}"),
    }
}

#[test]
fn links_in_circles_are_survived() {
    let tree = Tree::new();
    tree.file("sub/a.sh", "#!/bin/sh\n", 0o755);
    symlink(tree.path(""), tree.path("sub/up")).unwrap();
    symlink(tree.path("self"), tree.path("self")).unwrap();
    symlink(tree.path("nowhere"), tree.path("dangling")).unwrap();
    let found = tree.find("", "");
    assert_eq!(tree.ids(&found), ["/sub::a.sh"]);
    assert_eq!(found.problems, []);
}

#[test]
fn what_cannot_be_used_is_a_problem_with_a_way_out() {
    let tree = Tree::new();
    tree.file("plain.sh", "#!/bin/sh\n", 0o644);
    tree.file("good.sh", "#!/bin/sh\n", 0o755);
    let text = problem(&tree.find("", "plain.sh"));
    assert!(text.contains("is not executable (chmod +x "), "{text}");
    let text = problem(&tree.find("", "goood.sh"));
    assert!(text.contains("does not exist (did you mean `"), "{text}");
    assert!(text.contains("/good.sh`"), "{text}");
    let text = problem(&tree.find("", "no/such/directory"));
    assert!(text.contains("does not exist"), "{text}");
    let text = problem(&tree.find("tpa:", "good.sh"));
    assert!(text.contains("did you mean `tap:"), "{text}");
    let text = problem(&find_source("/dev/null"));
    assert!(text.contains("neither a file nor a directory"), "{text}");
    assert!(problem(&find_source("tap:")).contains("no path"));
    let text = problem(&tree.find("", "good.sh/below"));
    assert!(text.contains("cannot look at"), "{text}");
}

#[test]
fn an_unreadable_directory_is_a_problem() {
    let tree = Tree::new();
    tree.file("closed/a.sh", "#!/bin/sh\n", 0o755);
    tree.file("open/b.sh", "#!/bin/sh\n", 0o755);
    let closed = tree.path("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let found = tree.find("", "");
    // Nothing is closed to the superuser.
    if !rustix::process::geteuid().is_root() {
        let text = problem(&found);
        assert!(text.contains("cannot read the directory"), "{text}");
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn e22_the_same_source_twice_is_refused() {
    let tree = Tree::new();
    tree.file("a.sh", "#!/bin/sh\n", 0o755);
    let source = SourceSpec::path(tree.path("a.sh"));
    let cancellation = Cancellation::new().unwrap();
    let found = find(
        &[source.clone(), source],
        &FindOptions::default(),
        &cancellation,
    );
    let text = problem(&found);
    assert!(text.contains("named more than once"), "{text}");
}

#[test]
fn e23_hostile_names_are_data() {
    let tree = Tree::new();
    let name = "a\n<&\"'>\u{202e} $(x)].sh";
    tree.file(name, "#!/bin/sh\nexit 3\n", 0o755);
    let found = tree.find("", "");
    assert_eq!(tree.ids(&found), [format!("::{name}")]);
    let file_name = found.cases[0].id.file_name();
    assert!(!file_name.contains(['/', '\n', '<']), "{file_name}");
    assert_eq!(
        execute(&found.cases[0], &[]).reason.as_deref(),
        Some("exit code 3")
    );
}

/// Runs a case as the runner does and reads its end.
fn execute(case: &TestCase, skip_codes: &[i32]) -> Interpretation {
    prepare().unwrap();
    let process = process(case);
    let execution = format!("find-{}-{}", std::process::id(), case.id.file_name());
    let spec = ProcessSpec::for_case(process, &case.id, execution).timeout(Duration::from_mins(1));
    let end = run(&spec, &Cancellation::new().unwrap()).unwrap();
    interpret_end(process.protocol, &end, skip_codes)
}

fn fixture_file(kind: SourceKind) -> SourceFile {
    let source = SourceSpec {
        kind,
        path: fixture(),
    };
    SourceFile {
        path: fixture(),
        kind,
        source,
    }
}

fn cases_of_fixture(kind: SourceKind) -> Vec<TestCase> {
    let cancellation = Cancellation::new().unwrap();
    cases_of_file(&fixture_file(kind), &FindOptions::default(), &cancellation).cases
}

fn last_part(case: &TestCase) -> &str {
    let id = case.id.as_str();
    id.split_once("fixture::").unwrap().1
}

#[test]
fn a_rust_test_binary_is_listed_and_its_tests_are_run() {
    let cases = cases_of_fixture(SourceKind::Libtest);
    let names: Vec<_> = cases.iter().map(last_part).collect();
    assert_eq!(names, ["tests::passes", "tests::fails", "tests::left_out"]);
    assert_eq!(cases[2].disabled.as_deref(), Some("#[ignore]"));
    assert_eq!(execute(&cases[0], &[]).verdict, Verdict::Passed);
    assert_eq!(execute(&cases[1], &[]).verdict, Verdict::Failed);
}

#[test]
fn this_very_test_binary_is_recognised_and_runs_one_of_its_tests() {
    let own = std::env::current_exe().unwrap();
    let found = find_source(&own.display().to_string());
    assert_eq!(found.problems, []);
    let case = found
        .cases
        .iter()
        .find(|case| case.id.as_str().ends_with("prefixes_force_the_kind"))
        .unwrap();
    // The hash that Cargo adds to the name is not part of the id.
    assert!(
        case.id.as_str().contains("::k2_core::finder::source::"),
        "{}",
        case.id
    );
    assert_eq!(execute(case, &[]).verdict, Verdict::Passed);
    let mut missing = case.clone();
    if let CaseAction::Process(process) = &mut missing.action {
        process.arguments[0] = "no::such::test".into();
    }
    assert_eq!(execute(&missing, &[]).verdict, Verdict::Error);
}

#[test]
fn a_googletest_binary_is_listed_and_its_tests_are_run() {
    let cases = cases_of_fixture(SourceKind::GoogleTest);
    let names: Vec<_> = cases.iter().map(last_part).collect();
    assert_eq!(
        names,
        [
            "Plain.Passes",
            "Plain.Fails",
            "Plain.DISABLED_LeftOut",
            "Plain.Skips",
            "Values/Many.Case/0"
        ]
    );
    assert!(cases[2].disabled.is_some());
    assert_eq!(cases[4].description, "GetParam() = 1");
    assert_eq!(execute(&cases[0], &[]).verdict, Verdict::Passed);
    assert_eq!(execute(&cases[1], &[]).verdict, Verdict::Failed);
    let skipped = execute(&cases[3], &[]);
    assert_eq!(skipped.verdict, Verdict::Skipped);
    assert_eq!(skipped.reason.as_deref(), Some("no board"));
}

#[test]
fn a_binary_that_cannot_be_listed_is_a_case_that_says_so() {
    let tree = Tree::new();
    tree.file("fails", "#!/bin/sh\necho broken >&2\nexit 9\n", 0o755);
    tree.file("talks", "#!/bin/sh\necho hello\n", 0o755);
    tree.file("hangs", "#!/bin/sh\nexec sleep 300\n", 0o755);
    let mut options = FindOptions::default();
    for (name, words, limit) in [
        ("fails", "exit code 9: broken", 60_000),
        ("talks", "expected `name: test`, found `hello`", 60_000),
        ("hangs", "took longer than", 100),
    ] {
        options.list_timeout = Duration::from_millis(limit);
        let source = format!("libtest:{}", tree.path(name).display());
        let found = find(
            &[source.parse().unwrap()],
            &options,
            &Cancellation::new().unwrap(),
        );
        let CaseAction::LoadFailure(reason) = &found.cases[0].action else {
            panic!("{found:?}");
        };
        assert!(reason.contains(words), "{reason}");
        assert!(found.cases[0].is_load_failure());
    }
}

#[test]
fn exit_codes_are_read() {
    let tree = Tree::new();
    for (name, text) in [
        ("0", "exit 0"),
        ("1", "exit 1"),
        ("77", "echo no network; exit 77"),
        ("term", "kill -TERM $$; sleep 5"),
    ] {
        tree.file(name, &format!("#!/bin/sh\n{text}\n"), 0o755);
    }
    let read = |name: &str| {
        let end = execute(&tree.find("", name).cases[0], &[77]);
        (end.verdict, end.reason.unwrap_or_default())
    };
    assert_eq!(read("0"), (Verdict::Passed, String::new()));
    assert_eq!(read("1"), (Verdict::Failed, "exit code 1".to_owned()));
    assert_eq!(read("77"), (Verdict::Skipped, "no network".to_owned()));
    assert_eq!(
        read("term"),
        (Verdict::Failed, "ended by signal 15 SIGTERM".to_owned())
    );
}

fn fixture_end(arguments: &[&str], timeout: Duration) -> crate::supervisor::ProcessEnd {
    let spec = ProcessSpec::new(fixture())
        .arguments(arguments.iter().copied())
        .timeout(timeout);
    run(&spec, &Cancellation::new().unwrap()).unwrap()
}

#[test]
fn tap_is_read_with_its_steps() {
    let limit = Duration::from_mins(1);
    let end = fixture_end(&["tap"], limit);
    let tap = interpret_end(Protocol::Tap, &end, &[]);
    assert_eq!(tap.verdict, Verdict::Passed);
    assert_eq!(tap.steps.len(), 2);
    let end = fixture_end(&["partial-tap"], limit);
    let tap = interpret_end(Protocol::Tap, &end, &[]);
    assert_eq!(tap.verdict, Verdict::Error);
    assert!(
        tap.reason
            .unwrap()
            .contains("3 points were planned, 2 came")
    );
    assert_eq!(tap.steps.len(), 2);
    let end = fixture_end(&["tap-exit", "2"], limit);
    assert_eq!(
        interpret_end(Protocol::Tap, &end, &[]).verdict,
        Verdict::Failed
    );
    // More than what is kept, without a file.
    let end = fixture_end(&["flood", "1000000"], limit);
    let tap = interpret_end(Protocol::Tap, &end, &[]);
    assert_eq!(tap.verdict, Verdict::Error);
}

#[test]
fn e15_what_was_ended_by_us_never_passes() {
    for protocol in [
        Protocol::ExitCode,
        Protocol::Tap,
        Protocol::Libtest,
        Protocol::GoogleTest,
    ] {
        let mut end = fixture_end(&["exit", "0"], Duration::from_mins(1));
        end.ended_by = crate::supervisor::EndedBy::Timeout(Duration::from_secs(5));
        let read = interpret(protocol, &end, "1..1\nok\n", &[0]);
        assert_eq!(read.verdict, Verdict::TimedOut);
        assert_eq!(
            read.reason.as_deref(),
            Some("not done after 5s, ended by TERM")
        );
        end.ended_by = crate::supervisor::EndedBy::Cancellation;
        assert_eq!(
            interpret(protocol, &end, "1..1\nok\n", &[0]).verdict,
            Verdict::Aborted
        );
        end.unkillable = Some(7);
        assert_eq!(interpret(protocol, &end, "", &[]).verdict, Verdict::Error);
    }
}

#[test]
fn e24_an_empty_directory_has_no_cases_and_no_problems() {
    let tree = Tree::new();
    let found = tree.find("", "");
    assert!(found.cases.is_empty() && found.problems.is_empty());
}

#[test]
fn a_program_of_the_working_directory_is_not_looked_up_in_path() {
    let process = executable::process(Path::new("true"), Protocol::ExitCode);
    assert_eq!(process.program, Path::new("./true"));
}
