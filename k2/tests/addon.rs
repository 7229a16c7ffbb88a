//! `addon`: what is written, what is refused, and that what is written works.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use zaf_harness::CliHarness;

use crate::session::Session;

const KINDS: [&str; 7] = [
    "command",
    "framework",
    "components",
    "report",
    "test-kind",
    "suite",
    "product",
];

/// The workspace that these sources are.
fn sources() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A workspace that takes zaf and k2 from these sources.
fn workspace() -> Session {
    let session = Session::new();
    let root = sources().display();
    session.write(
        "Cargo.toml",
        &format!(
            "[workspace]\nresolver = \"3\"\n# Ours.\nmembers = []\n\n[workspace.dependencies]\n\
             k2 = {{ path = \"{root}/k2\" }}\nzaf-core = {{ path = \"{root}/zaf-core\" }}\n\
             zaf-harness = {{ path = \"{root}/harness\" }}\n\n[profile.dev]\ndebug = \"line-tables-only\"\n"
        ),
    );
    session
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_written_becomes_a_member_and_an_extension_of_the_product_and_passes_its_tests() {
    let session = workspace();
    let hostile = "Tests \"it\" [all] <of> `them` \\ b";
    create(
        &session,
        &["acme", "--type", "product", "--description", hostile],
    );
    for kind in KINDS.into_iter().filter(|kind| *kind != "product") {
        let name = format!("my_{}", kind.replace('-', "_"));
        let place = create(&session, &[&name, "--type", kind, "--description", hostile]);
        assert!(place.trim_end().ends_with(&format!("my-{kind}")), "{place}");
    }
    create(
        &session,
        &["other", "--type", "command", "--extends", "noop"],
    );
    let manifest = fs::read_to_string(session.path().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("# Ours.\n"), "{manifest}");
    let added = add_to_all(&session, hostile);
    let list = session.zk2(&["addon", "list", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    let packages: Vec<_> = list["addons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["package"].as_str().unwrap())
        .collect();
    assert_eq!(
        packages,
        [
            "my-command",
            "my-components",
            "my-framework",
            "my-report",
            "my-suite",
            "my-test-kind",
            "other"
        ]
    );
    let check = session.zk2(&["addon", "check"]);
    assert_eq!(
        (check.code, check.stdout.as_str()),
        (Some(0), ""),
        "{check:?}"
    );

    fs::copy(
        sources().join("Cargo.lock"),
        session.path().join("Cargo.lock"),
    )
    .unwrap();
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ];
    cargo(&session, &clippy);
    let tested = cargo(&session, &["test", "--workspace", "--quiet"]);
    let passed = tested.lines().filter_map(|line| {
        let (_, rest) = line.split_once("test result: ok. ")?;
        rest.split(' ').next()?.parse::<usize>().ok()
    });
    assert!(passed.sum::<usize>() >= 7 + added, "{tested}");
    // The product has the extensions and the cases of the suite.
    let acme = ["run", "--quiet", "-p", "acme", "--"];
    let listed = cargo(&session, &[&acme[..], &["list"]].concat());
    assert!(
        listed.contains("numbers_have_their_size[bits=16]"),
        "{listed}"
    );
    let run = ["run", "--reports-my-report", "true"];
    let report = cargo(&session, &[&acme[..], &run].concat());
    assert!(report.contains("my-report.txt"), "{report}");
    // And runs cases of the kind that is its own.
    session.write("sums", "same 4 4\n");
    let own = cargo(
        &session,
        &[&acme[..], &["run", "my-test-kind:sums"]].concat(),
    );
    assert!(own.contains("sums::same"), "{own}");
}

/// Adds options and messages of all sorts to all extensions; how many there are.
fn add_to_all(session: &Session, description: &str) -> usize {
    let options: [&[&str]; 8] = [
        &["title"],
        &["greeted", "--addon-option-default", "a \"b\" {}"],
        &[
            "on_top",
            "--addon-option-type",
            "flag",
            "--addon-option-default",
            "true",
        ],
        &[
            "limit",
            "--addon-option-type",
            "count",
            "--addon-option-default",
            "7",
        ],
        &["offset", "--addon-option-type", "integer"],
        &[
            "ratio",
            "--addon-option-type",
            "float",
            "--addon-option-default",
            "0.5",
        ],
        &["room", "--addon-option-type", "size"],
        &[
            "patience",
            "--addon-option-type",
            "duration",
            "--addon-option-default",
            "2m",
        ],
    ];
    let messages: [&[&str]; 5] = [
        &["happened"],
        &["over", "--addon-message-payload", "nothing"],
        &["ask", "--addon-message-kind", "request"],
        &[
            "count_it",
            "--addon-message-kind",
            "request",
            "--addon-message-payload",
            "count",
            "--addon-message-reply",
            "count",
        ],
        &[
            "rest",
            "--addon-message-kind",
            "request",
            "--addon-message-payload",
            "flag",
            "--addon-message-reply",
            "nothing",
        ],
    ];
    let packages = [
        "my-command",
        "my-framework",
        "my-report",
        "my-test-kind",
        "other",
    ];
    for package in packages {
        let commands = options.iter().map(|one| ("add-option", one));
        let commands = commands.chain(messages.iter().map(|one| ("add-message", one)));
        for (command, rest) in commands {
            let line = ["addon", command, package];
            let ended = session.zk2(&[&line, *rest, &["--description", description]].concat());
            assert_eq!(ended.code, Some(0), "{rest:?}: {ended:?}");
            assert!(ended.stdout.ends_with("/src/lib.rs\n"), "{ended:?}");
        }
    }
    packages.len() * (options.len() + messages.len())
}

#[test]
fn a_product_from_nothing_is_the_workspace_of_its_addons() {
    let session = Session::new();
    let origin = format!("path:{}", sources().display());
    create(
        &session,
        &["acme", "--type", "product", "--addon-origin", &origin],
    );
    let acme = session.path().join("acme");
    let in_acme = |line: &[&str]| {
        let mut command = session.command(line);
        let output = command.current_dir(&acme).output().unwrap();
        let problems = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{problems}");
        String::from_utf8(output.stdout).unwrap()
    };
    for name in ["alarm", "beacon"] {
        let line = [
            "addon", "create", "--yes", "--name", name, "--type", "command",
        ];
        let place = in_acme(&line);
        assert!(
            place
                .trim_end()
                .ends_with(&format!("/acme/extensions/{name}")),
            "{place}"
        );
    }
    let manifest = fs::read_to_string(acme.join("Cargo.toml")).unwrap();
    for part in [
        "# What `addon create` makes here becomes a member and is linked by this product.\n",
        "members = [\"extensions/alarm\", \"extensions/beacon\"]\n",
        "alarm = { path = \"extensions/alarm\" }\n",
        "beacon = { workspace = true }\n",
    ] {
        assert!(manifest.contains(part), "{part}: {manifest}");
    }
    let link = fs::read_to_string(acme.join("src/link.rs")).unwrap();
    assert!(
        link.ends_with("use alarm as _;\nuse beacon as _;\nuse k2 as _;\n"),
        "{link}"
    );
    assert_eq!(in_acme(&["addon", "check"]), "");
}

/// `addon create --name` and so on; what it prints.
fn create(session: &Session, rest: &[&str]) -> String {
    let line = [&["addon", "create", "--yes", "--name"], rest].concat();
    let ended = session.zk2(&line);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.stdout
}

/// Cargo in the workspace. What these sources have been built with is there, and most of what was built from it: nothing is fetched,
/// and little built.
fn cargo(session: &Session, arguments: &[&str]) -> String {
    let target = Path::new(env!("CARGO_BIN_EXE_zk2")).ancestors().nth(2);
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(session.path())
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TARGET_DIR", target.unwrap())
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let problems = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problems}");
    String::from_utf8(output.stdout).unwrap()
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    fn join(&mut self, all: &[&str], most: usize) -> String {
        (0..=self.below(most)).map(|_| self.pick(all)).collect()
    }
}

/// What means something to Rust, TOML, Markdown, the engine of the templates, a shell, or nobody.
const NASTY: [&str; 31] = [
    "\"", "'", "\\", "{", "}", "{}", "{0:?}", "{{", "}}", "{%", "%}", "{#", "#}", "*/", "/*", "//",
    "#", "r#\"", "\"\"\"", "'''", "`", "```", "[x](y)", "<b>", "$(x)", "; ", "größe ", "日本",
    "e\u{301}", "fn ", "a ",
];

#[test]
fn i4_fifty_addons_with_random_names_and_descriptions_compile() {
    let session = workspace();
    let mut dice = Dice(0x0123_4567_89ab_cdef);
    let syllables = [
        "a", "ka", "_", "__", "0", "7", "fn", "self", "zz", "mod_", "x_y", "q",
    ];
    let mut packages = std::collections::BTreeSet::new();
    while packages.len() < 50 {
        let name = format!(
            "{}{}",
            dice.pick(&["a", "k", "zz", "type"]),
            dice.join(&syllables, 8)
        );
        let description = format!("a{}", dice.join(&NASTY, 12));
        let package: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
        if name.len() > 64 || name == "type" || !packages.insert(package.join("-")) {
            continue;
        }
        let kind = KINDS[packages.len() % KINDS.len()];
        let author = dice.join(&NASTY, 5);
        let arguments = [&name, "--type", kind, "--description", &description];
        create(
            &session,
            &[
                &arguments[..],
                &["--author", &author, "--addon-product", "none"],
            ]
            .concat(),
        );
    }
    assert_eq!(names(&session.path()).len(), 50 + 1);
    fs::copy(
        sources().join("Cargo.lock"),
        session.path().join("Cargo.lock"),
    )
    .unwrap();
    cargo(
        &session,
        &["check", "--workspace", "--all-targets", "--quiet"],
    );
}

#[test]
fn a_dry_run_says_what_would_be_written_and_writes_nothing() {
    let session = workspace();
    session.zk2(&[
        "addon", "create", "--name", "acme", "--type", "product", "--yes",
    ]);
    let before = names(&session.path());
    let manifest = fs::read(session.path().join("Cargo.toml")).unwrap();
    let ended = session.zk2(&[
        "addon",
        "create",
        "--name",
        "probe",
        "--type",
        "command",
        "--dry-run",
        "--yes",
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for line in [
        "probe/src/lib.rs (",
        "+ probe = { path = \"probe\" }",
        "+ use probe as _;",
    ] {
        assert!(ended.stdout.contains(line), "{line}: {}", ended.stdout);
    }
    assert_eq!(names(&session.path()), before);
    assert_eq!(
        fs::read(session.path().join("Cargo.toml")).unwrap(),
        manifest
    );
}

#[test]
fn answers_come_from_a_file() {
    let session = workspace();
    session.write("answers.yaml", "addon:\n  name: probe\n  type: framework\n  description: From a file.\n  load_order: 300\n");
    let ended = session.zk2(&[
        "--additional-config-file-pattern",
        "answers.yaml",
        "addon",
        "create",
        "--yes",
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let text = fs::read_to_string(session.path().join("probe/src/lib.rs")).unwrap();
    assert!(
        text.contains("//! From a file.") && text.contains("load_order = 300"),
        "{text}"
    );
}

#[test]
fn i1_a_wrong_answer_is_refused_with_what_is_expected_and_nothing_is_written() {
    let session = workspace();
    let before = names(&session.path());
    for (arguments, expected) in [
        (&["--name", "../../x"][..], "it has `.` at its beginning"),
        (&["--name", "fn"], "`fn` is a word of Rust"),
        (
            &["--name", "p", "--type", "comand"],
            "did you mean `command`?",
        ),
        (
            &["--name", "p", "--type", "command", "--extends", "rum"],
            "perhaps `run`?",
        ),
        (
            &["--name", "p", "--addon-origin", "newest"],
            "`git:` and an address",
        ),
        (
            &["--name", "p", "--load-order", "7"],
            "a load order from 21 to 1000",
        ),
        (&["--name", "p", "--description", "a\nb"], r"without `\n`"),
        (
            &["--name", "p", "--addon-product", "acme"],
            "no package of the workspace has `src/link.rs`",
        ),
        (
            &["--name", "p", "--addon-templates", "none"],
            "there is no such directory",
        ),
        (&["--name", "p", "--addon-parent", "none"], "none"),
        (&[], "say `--name`"),
    ] {
        let mut line = vec!["addon", "create", "--yes", "--type", "suite"];
        if arguments.contains(&"--type") {
            line.truncate(3);
        }
        line.extend(arguments);
        let ended = session.zk2(&line);
        assert_eq!(ended.code, Some(2), "{line:?}: {ended:?}");
        assert!(
            ended.stderr.contains(expected),
            "{line:?}: {}",
            ended.stderr
        );
    }
    assert_eq!(names(&session.path()), before);
}

#[test]
fn m4_without_a_terminal_nothing_is_asked() {
    let session = workspace();
    let ended = session.zk2(&["addon", "create", "--name", "probe"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("say `--type`"), "{}", ended.stderr);
}

#[test]
fn i2_i3_what_is_in_the_place_stays_as_it_is() {
    let session = workspace();
    session.write("probe/mine", "mine");
    fs::create_dir(session.path().join("elsewhere")).unwrap();
    symlink("elsewhere", session.path().join("linked")).unwrap();
    symlink("nowhere", session.path().join("dangling")).unwrap();
    session.write("file", "mine");
    let manifest = fs::read(session.path().join("Cargo.toml")).unwrap();
    for name in ["probe", "linked", "dangling", "file"] {
        let ended = session.zk2(&[
            "addon", "create", "--name", name, "--type", "suite", "--yes",
        ]);
        assert_eq!(ended.code, Some(2), "{name}: {ended:?}");
        assert!(
            ended
                .stderr
                .contains("is there already; nothing was changed"),
            "{}",
            ended.stderr
        );
    }
    assert_eq!(
        names(&session.path().join("elsewhere")),
        Vec::<String>::new()
    );
    assert_eq!(names(&session.path().join("probe")), ["mine"]);
    assert_eq!(
        fs::read(session.path().join("Cargo.toml")).unwrap(),
        manifest
    );
}

#[test]
fn outside_a_workspace_it_is_a_package_of_its_own() {
    let session = Session::new();
    let ended = session.zk2(&[
        "addon",
        "create",
        "--name",
        "probe",
        "--type",
        "command",
        "--addon-origin",
        "git:https://host/k2",
        "--yes",
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains("No product links it yet"),
        "{}",
        ended.stderr
    );
    let manifest = fs::read_to_string(session.path().join("probe/Cargo.toml")).unwrap();
    assert!(
        manifest.contains("\n[workspace]\n")
            && manifest.contains("k2 = { git = \"https://host/k2\" }"),
        "{manifest}"
    );
    let list = session.zk2(&["addon", "list"]);
    assert_eq!(list.code, Some(2), "{list:?}");
}

#[test]
fn a_check_names_what_is_wrong_and_what_to_do() {
    let session = workspace();
    session.zk2(&[
        "addon", "create", "--name", "acme", "--type", "product", "--yes",
    ]);
    session.zk2(&[
        "addon", "create", "--name", "probe", "--type", "command", "--yes",
    ]);
    session.write("acme/src/link.rs", "//! Nothing.\n\nuse k2 as _;\n");
    let check = session.zk2(&["addon", "check"]);
    assert_eq!(check.code, Some(1), "{check:?}");
    assert!(
        check
            .stdout
            .contains("probe: `acme` depends on it and does not link it"),
        "{}",
        check.stdout
    );
    assert!(
        check
            .stdout
            .contains("add `use probe as _;` to its src/link.rs"),
        "{}",
        check.stdout
    );
}

#[test]
fn the_questions_are_asked_in_a_terminal() -> zaf_harness::TestResult {
    let cli = CliHarness::new(env!("CARGO_BIN_EXE_zk2"))?;
    let mut session = cli.command(["addon", "create"]).terminal(100, 30).start()?;
    session.wait_for("What is to be written?")?;
    session.type_in("suite\r")?;
    session.wait_for("What is it called?")?;
    session.type_in("Fn\r")?;
    session.wait_for("is no name")?;
    // Back to the first question, and forth again.
    session.type_in("\u{1b}")?;
    session.wait_for("(back)")?;
    session.type_in("\r")?;
    session.type_in("probe\r")?;
    session.wait_for("What is it for?")?;
    session.type_in("Probes.\r")?;
    session.wait_for("cargo test")?;
    let ended = session.wait()?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(cli.read("probe/src/lib.rs")?.contains("//! Probes."));
    Ok(())
}

#[test]
fn f35_breaking_off_ends_with_an_error_and_writes_nothing() -> zaf_harness::TestResult {
    let cli = CliHarness::new(env!("CARGO_BIN_EXE_zk2"))?;
    let mut session = cli.command(["addon", "create"]).terminal(100, 30).start()?;
    session.wait_for("What is to be written?")?;
    session.type_in("\u{3}")?;
    let ended = session.wait()?;
    assert_eq!((ended.code, ended.signal), (None, Some(2)), "{ended:?}");
    assert!(!ended.stdout.contains("cargo test"), "{ended:?}");
    assert_eq!(names(&cli.directory()), Vec::<String>::new());
    Ok(())
}
