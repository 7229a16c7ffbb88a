//! `addon`: what is written, what is refused, and that what is written works.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use zaf_harness::{CliHarness, CliSignal};

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
    session.builds_as_these_sources();
    let root = sources().display();
    session.write(
        "Cargo.toml",
        &format!(
            "[workspace]\nresolver = \"3\"\n# Ours.\nmembers = []\n\n[workspace.dependencies]\n\
             k2 = {{ path = \"{root}/k2\" }}\nzaf-core = {{ path = \"{root}/zaf-core\" }}\n\
             zaf-harness = {{ path = \"{root}/harness\" }}\n"
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
        let readme = fs::read_to_string(Path::new(place.trim_end()).join("README.md")).unwrap();
        assert!(readme.starts_with(&format!("# my-{kind}\n")), "{readme}");
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
    // Of two packages of one type one is enough here.
    let doc = [
        "doc",
        "--workspace",
        "--no-deps",
        "--exclude",
        "other",
        "--quiet",
    ];
    cargo(&session, &doc);
    let tested = cargo(&session, &["test", "--workspace"]);
    let passed = tested.lines().filter_map(|line| {
        let (_, rest) = line.split_once("test result: ok. ")?;
        rest.split(' ').next()?.parse::<usize>().ok()
    });
    assert!(passed.sum::<usize>() >= 9 + added, "{tested}");
    // Cases are no tests: the suite has one, too.
    assert!(tested.contains("the_cases_pass ... ok"), "{tested}");
    // The product has the extensions and the cases of the suite.
    let listed = acme(&session, &["list"]);
    assert!(
        listed.contains("numbers_have_their_size[bits=16]"),
        "{listed}"
    );
    let cases = acme(&session, &["list", "--tests-include", "my_suite"]);
    assert_eq!(cases.lines().count(), 4, "{cases}");
    let report = acme(&session, &["run", "--reports-my-report", "true"]);
    assert!(report.contains("my-report.txt"), "{report}");
    // And runs cases of the kind that is its own.
    session.write("sums", "same 4 4\n");
    let own = acme(&session, &["run", "my-test-kind:sums"]);
    assert!(own.contains("sums::same"), "{own}");
}

/// What the product prints that has been built for its tests.
fn acme(session: &Session, arguments: &[&str]) -> String {
    let program = target().join("debug/acme");
    let output = session
        .program(program.to_str().unwrap(), arguments)
        .output()
        .unwrap();
    let problems = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problems}");
    String::from_utf8(output.stdout).unwrap()
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
fn what_is_left_to_do_is_told() {
    let session = workspace();
    let told = |line: &[&str]| {
        let ended = session.zk2(&[&["addon", "create", "--yes", "--name"], line].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stderr
    };
    let alone = told(&["first", "--type", "suite"]);
    assert_eq!(
        alone,
        "Test it: cargo test -p first\nNo product links it yet: it needs the dependency `first`, and `use first as _;` in `src/link.rs`.\n"
    );
    told(&["acme", "--type", "product"]);
    let linked = told(&["second", "--type", "suite"]);
    assert_eq!(
        linked,
        "Test it: cargo test -p second\nRun its cases: cargo run -p acme -- run --tests-include second\n"
    );
    let other = told(&["third", "--type", "command"]);
    assert_eq!(other, "Test it: cargo test -p third\n");
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

/// Where these sources have been built.
fn target() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_zk2"))
        .ancestors()
        .nth(2)
        .unwrap()
}

/// Cargo in the workspace, to which a warning of rustdoc is an error. What these sources have been built with is there, and most of what was built from it: nothing is fetched,
/// and little built.
fn cargo(session: &Session, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(session.path())
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_INCREMENTAL", "0")
        .env("RUSTDOCFLAGS", "-D warnings")
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
            &["--name", "p", "--addon-origin", "path:none"],
            "none/k2/Cargo.toml`",
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
    for kind in KINDS {
        assert!(ended.stderr.contains(kind), "{kind}: {}", ended.stderr);
    }
}

/// In a registry k2 is somebody else's package: nothing is taken from there that was not asked for.
#[test]
fn k2_comes_from_the_sources_around_the_program_or_is_asked_for() {
    let session = Session::new();
    let line = ["addon", "create", "--type", "suite", "--yes", "--name"];
    let program = Path::new(env!("CARGO_BIN_EXE_zk2"));
    let copied_to = |place: &str| {
        let place = session.path().join(place);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(program, &place).unwrap();
        place.to_str().unwrap().to_owned()
    };
    let elsewhere = copied_to("bin/zk2");
    let output = session.program(&elsewhere, &line).arg("one").output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("where it gets k2 from was not said"),
        "{said}"
    );
    assert!(
        said.contains("say `--addon-origin path:DIRECTORY`"),
        "{said}"
    );
    assert!(!session.path().join("one").exists());

    for package in ["k2", "zaf-core", "harness"] {
        session.write(&format!("sources/{package}/Cargo.toml"), "");
    }
    let inside = copied_to("sources/target/release/zk2");
    let output = session.program(&inside, &line).arg("two").output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let manifest = fs::read_to_string(session.path().join("two/Cargo.toml")).unwrap();
    let expected = format!("{}/sources/k2", session.path().display());
    assert!(manifest.contains(&expected), "{manifest}");
}

/// What a terminal of this size shows, without blanks at the ends of lines.
fn screen(columns: u16, rows: u16, written: &str) -> String {
    let [rows, columns] = [rows, columns].map(|size| std::num::NonZero::new(size).expect("not 0"));
    let mut screen = vt100::Parser::new(rows, columns, 0);
    screen.process(written.as_bytes());
    let shown = screen.screen().contents();
    let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

/// Nothing is written into the lines of a question, whichever kind it is, and one line below tells of it.
#[test]
fn breaking_off_leaves_the_question_as_it_is_and_says_so_in_one_line() -> zaf_harness::TestResult {
    let cli = CliHarness::new(env!("CARGO_BIN_EXE_zk2"))?;
    let text = ["addon", "create", "--type", "suite"];
    for (line, typed, shown) in [
        (
            &text[..],
            "My",
            "? What is it called? My\n  my\n  not yet: ",
        ),
        (
            &text[..2],
            "repo",
            "? What is to be written? repo\n> report ",
        ),
    ] {
        let mut session = cli.command(line).terminal(80, 24).start()?;
        session.wait_for("Ctrl-C: write")?;
        session.type_in(typed)?;
        session.wait_for(&format!("? {typed}"))?;
        session.type_in("\u{3}")?;
        let ended = session.wait()?;
        assert_eq!(ended.signal, Some(2), "{ended:?}");
        let screen = screen(80, 24, &ended.stdout);
        assert!(screen.starts_with(shown), "{screen}");
        let (help, told) = screen.rsplit_once(")]\n").expect("help in brackets");
        assert!(help.contains("Ctrl-C: write"), "{screen}");
        assert_eq!(told, "error: broken off; nothing was changed", "{screen}");
    }
    assert_eq!(names(&cli.directory()), Vec::<String>::new());
    Ok(())
}

/// Who reads the keys does not hear of it: the cursor still stands in the question.
#[test]
fn a_signal_of_somebody_else_breaks_off_below_the_question() -> zaf_harness::TestResult {
    let cli = CliHarness::new(env!("CARGO_BIN_EXE_zk2"))?;
    let line = ["addon", "create", "--type", "suite"];
    let mut session = cli.command(line).terminal(80, 24).start()?;
    session.wait_for("Ctrl-C: write")?;
    session.type_in("My")?;
    session.wait_for("not yet: `My` is no name")?;
    // All is drawn, and the cursor is back behind what was typed.
    session.wait_for("\u{1b}[23C\u{1b}[?25h")?;
    session.signal(CliSignal::Interrupt)?;
    let ended = session.wait()?;
    let screen = screen(80, 24, &ended.stdout);
    assert_eq!(
        screen,
        "? What is it called? My\nerror: broken off; nothing was changed"
    );
    Ok(())
}

#[test]
fn a_list_that_nothing_is_left_of_says_so_and_comes_back() -> zaf_harness::TestResult {
    let cli = CliHarness::new(env!("CARGO_BIN_EXE_zk2"))?;
    let mut session = cli.command(["addon", "create"]).terminal(80, 24).start()?;
    let told = "no line has this in it: Enter shows all again, Backspace takes a letter away";
    session.wait_for("Ctrl-C: write")?;
    // No answer, however often Enter is pressed, and not that of the line that stood there.
    session.type_in("suitex")?;
    session.wait_for(told)?;
    session.type_in("\r")?;
    session.wait_for("(nothing fits)")?;
    session.wait_for("command      an extension")?;
    session.type_in("suitex")?;
    session.wait_for(told)?;
    session.type_in("\u{8}")?;
    session.wait_for("suite        test cases, to be linked")?;
    session.type_in("\r")?;
    session.wait_for("What is it called?")?;
    session.type_in("\u{3}")?;
    let ended = session.wait()?;
    assert_eq!(ended.signal, Some(2));
    let screen = screen(80, 24, &ended.stdout);
    assert!(
        screen.contains("> What is to be written? suite\n"),
        "{screen}"
    );
    Ok(())
}

#[test]
fn nothing_comes_before_the_first_question_and_keys_that_are_no_letters_are_named()
-> zaf_harness::TestResult {
    let cli = CliHarness::new(env!("CARGO_BIN_EXE_zk2"))?;
    let mut session = cli.command(["addon", "create"]).terminal(200, 30).start()?;
    session.wait_for(
        "(arrows or a part of a line, then Enter; ?: more help; Ctrl-C: write nothing)",
    )?;
    session.type_in("\u{1b}")?;
    session.wait_for("(no question before this one; Ctrl-C ends)")?;
    session.type_in("suite\r")?;
    session.wait_for("(?: more help; Escape: the question before; Ctrl-C: write nothing)")?;
    session.type_in("x\u{15}")?;
    session.wait_for("not yet: Ctrl-U is no letter; Tab takes it away")?;
    session.type_in("\t")?;
    session.type_in("y\r")?;
    session.wait_for("xy")?;
    session.wait_for("What is it for?")?;
    session.type_in("\u{3}")?;
    assert_eq!(session.wait()?.signal, Some(2));
    assert_eq!(names(&cli.directory()), Vec::<String>::new());
    Ok(())
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
    // Help stands below each question.
    session.wait_for("a product is a command of its own.")?;
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
    session.wait_for("Where does it get k2 from?")?;
    session.type_in("path:nowhere")?;
    session.wait_for("nowhere/k2/Cargo.toml`")?;
    session.type_in(&"\u{8}".repeat("path:nowhere".len()))?;
    session.type_in(&format!("path:{}\r", sources().display()))?;
    session.wait_for("cargo test")?;
    let ended = session.wait()?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(cli.read("probe/src/lib.rs")?.contains("//! Probes."));
    Ok(())
}

/// All answers are there before the second question is asked.
#[test]
fn what_is_typed_ahead_answers_the_questions_to_come() -> zaf_harness::TestResult {
    let cli = CliHarness::new(env!("CARGO_BIN_EXE_zk2"))?;
    let mut session = cli.command(["addon", "create"]).terminal(100, 30).start()?;
    session.wait_for("a product is a command of its own.")?;
    session.type_in("suite\rprobe\rProbes ahead.\rgit:https://host/k2\r")?;
    session.wait_for("cargo test")?;
    let ended = session.wait()?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(cli.read("probe/src/lib.rs")?.contains("//! Probes ahead."));
    let manifest = cli.read("probe/Cargo.toml")?;
    assert!(
        manifest.contains(r#"git = "https://host/k2""#),
        "{manifest}"
    );
    Ok(())
}

/// A shell below the command sees the terminal as it was before, whichever way the questions ended.
#[test]
fn the_terminal_is_given_back_as_it_was_found() -> zaf_harness::TestResult {
    let cli = CliHarness::new("/bin/sh")?;
    let program = env!("CARGO_BIN_EXE_zk2");
    for (options, asked) in [
        ("", "a product is a command of its own."),
        ("--type suite", "A small letter, then"),
    ] {
        let line = format!(
            "before=$(stty -g); trap : INT; {program} addon create {options}; [ \"$before\" = \"$(stty -g)\" ] && echo as-it-was"
        );
        let mut session = cli.command(["-c", &line]).terminal(100, 30).start()?;
        session.wait_for(asked)?;
        session.type_in("\u{3}")?;
        session.wait_for("as-it-was")?;
        assert_eq!(session.wait()?.code, Some(0));
    }
    Ok(())
}

#[test]
fn what_is_wrong_is_told_while_it_is_typed() -> zaf_harness::TestResult {
    let cli = CliHarness::new(env!("CARGO_BIN_EXE_zk2"))?;
    let line = [
        "addon",
        "create",
        "--type",
        "suite",
        "--description",
        "d",
        "--addon-origin",
        "1.0",
    ];
    let mut session = cli.command(line).terminal(100, 30).start()?;
    session.wait_for("What is it called?")?;
    session.wait_for("A small letter, then small letters, digits and `_`")?;
    session.type_in("My")?;
    session.wait_for("not yet: `My` is no name: it has `M` at its beginning")?;
    // What is near is taken by Tab.
    session.type_in("\t\r")?;
    session.wait_for("cargo test")?;
    let ended = session.wait()?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(cli.read("my/src/lib.rs")?.contains("//! d."));
    Ok(())
}

#[test]
fn a_question_mark_shows_more_help_and_nothing_that_was_typed_is_lost() -> zaf_harness::TestResult {
    let cli = CliHarness::new(env!("CARGO_BIN_EXE_zk2"))?;
    let mut session = cli.command(["addon", "create"]).terminal(100, 30).start()?;
    session.wait_for("?: more help;")?;
    // What has to be chosen says more about each choice, and what is typed behind it chooses.
    session.type_in("?")?;
    session.wait_for("begins as: an alarm if more cases fail than an option allows")?;
    session.wait_for("begins as: two test functions, one of them with parameters")?;
    session.type_in("suite\r")?;
    session.wait_for("What is it called?")?;
    session.type_in("pro?")?;
    session.wait_for("Of `my_probe` it becomes the package `my-probe` with cases")?;
    // It is no answer, and Tab takes it away; what was typed stays.
    session.type_in("\r")?;
    session.wait_for("an answer; `?` shows help, and Tab takes it away")?;
    session.type_in("\tbe\r")?;
    session.wait_for("(? in an empty line: more")?;
    session.type_in("?")?;
    session.wait_for("For example: Sounds an alarm if too many cases fail.")?;
    session.type_in("\u{8}Probes? It does.\rgit:https://host/?x\r")?;
    session.wait_for("cargo test")?;
    let ended = session.wait()?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        cli.read("probe/src/lib.rs")?
            .contains("//! Probes? It does.")
    );
    Ok(())
}

#[test]
fn in_a_narrow_terminal_lines_are_broken_between_words() -> zaf_harness::TestResult {
    let cli = CliHarness::new(env!("CARGO_BIN_EXE_zk2"))?;
    let mut session = cli.command(["addon", "create"]).terminal(40, 24).start()?;
    session.wait_for("v components ")?;
    session.type_in("report\r")?;
    session.wait_for("What is it called?")?;
    session.type_in("My")?;
    session.wait_for("not yet: `My` is no name: it has `M`")?;
    session.wait_for("    at its beginning, but a name is a")?;
    session.type_in("?")?;
    session.wait_for("    begin with `my.probe`, the extension")?;
    session.wait_for("    `myprobe`.")?;
    session.type_in("\u{3}")?;
    assert_eq!(session.wait()?.signal, Some(2));
    Ok(())
}

#[test]
fn what_a_command_extension_extends_is_completed_as_one_types() -> zaf_harness::TestResult {
    let cli = CliHarness::new(env!("CARGO_BIN_EXE_zk2"))?;
    let line = [
        "addon",
        "create",
        "--type",
        "command",
        "--name",
        "probe",
        "--description",
        "d",
        "--addon-origin",
        "1.0",
    ];
    let mut session = cli.command(line).terminal(100, 30).start()?;
    session.wait_for("Which command does it extend? (run)")?;
    session.type_in("noo")?;
    session.wait_for("noop")?;
    session.type_in("x")?;
    session.wait_for("not yet: a command or a capability of one; perhaps `noop`?")?;
    session.type_in("\u{8}\t\r")?;
    session.wait_for("cargo test")?;
    let ended = session.wait()?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        cli.read("probe/src/lib.rs")?
            .contains("extends = [\"noop\"]")
    );
    Ok(())
}

#[test]
fn the_templates_of_a_product_win() {
    let session = workspace();
    create(&session, &["acme", "--type", "product"]);
    session.write(
        "acme/addon-templates/suite/Cargo.toml.j2",
        "[package]\nname = {{ package | toml }}\n",
    );
    session.write(
        "acme/addon-templates/suite/src/lib.rs.j2",
        "//! A suite of Acme: {{ name }}.\n",
    );
    session.write("acme/addon-templates/every/OWNERS.j2", "acme\n");
    create(&session, &["own", "--type", "suite"]);
    let lib =
        |name: &str| fs::read_to_string(session.path().join(name).join("src/lib.rs")).unwrap();
    assert_eq!(lib("own"), "//! A suite of Acme: own.\n");
    assert_eq!(
        names(&session.path().join("own")),
        ["Cargo.toml", "OWNERS", "src"]
    );
    // Other kinds, and addons that it does not link, have those that come with k2; an option wins over both.
    create(&session, &["watch", "--type", "command"]);
    assert!(lib("watch").contains("#[command_extension("));
    create(
        &session,
        &["free", "--type", "suite", "--addon-product", "none"],
    );
    assert!(lib("free").contains("the_kernel_has_a_name"));
    session.write("others/suite/src/lib.rs.j2", "//! Of nobody.\n");
    create(
        &session,
        &["third", "--type", "suite", "--addon-templates", "others"],
    );
    assert_eq!(lib("third"), "//! Of nobody.\n");
}

#[test]
fn what_cannot_be_added_is_refused_and_nothing_is_changed() {
    let session = workspace();
    create(&session, &["probe", "--type", "command"]);
    create(&session, &["parts", "--type", "components"]);
    let path = session.path().join("probe/src/lib.rs");
    let before = fs::read_to_string(&path).unwrap();
    for (line, expected) in [
        (
            &["add-option", "prob", "limit"][..],
            "did you mean `probe`?",
        ),
        (
            &["add-option", "probe", "Limit"],
            "it has `L` at its beginning",
        ),
        (&["add-option", "probe", "fn"], "is a word of Rust"),
        (&["add-option", "probe", "a__b"], "more than once"),
        (
            &["add-option", "probe", "most"],
            "there is a `PROBE_MOST` already",
        ),
        (
            &[
                "add-option",
                "probe",
                "x",
                "--addon-option-type",
                "count",
                "--addon-option-default",
                "-1",
            ],
            "a whole number from 0",
        ),
        (
            &["add-option", "probe", "x", "--addon-option-type", "cuont"],
            "did you mean `count`?",
        ),
        (
            &["add-option", "probe", "x", "--addon-extension", "Prob"],
            "with one of `Probe`",
        ),
        (
            &["add-message", "probe", "alarm"],
            "there is a `PROBE_ALARM` already",
        ),
        (&["add-message", "parts", "x"], "an extension in"),
        (&["add-message", "probe"], "addon.what.name"),
    ] {
        let ended = session.zk2(&[&["addon"], line].concat());
        assert_eq!(ended.code, Some(2), "{line:?}: {ended:?}");
        assert!(
            ended.stderr.contains(expected),
            "{line:?}: {}",
            ended.stderr
        );
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    let shown = session.zk2(&["addon", "add-option", "probe", "limit", "--dry-run"]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(
        shown
            .stdout
            .contains("\n        + pub const PROBE_LIMIT: OptionId<String>"),
        "{}",
        shown.stdout
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    assert_eq!(names(&session.path().join("probe/src")), ["lib.rs"]);
}

/// All files below a directory, by path.
fn files(directory: &Path) -> std::collections::BTreeMap<String, String> {
    let mut all = std::collections::BTreeMap::new();
    for name in names(directory) {
        let path = directory.join(&name);
        if path.is_dir() {
            let inner = files(&path).into_iter();
            all.extend(inner.map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            all.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    all
}

/// A workspace with a product.
fn with_product() -> Session {
    let session = workspace();
    create(&session, &["acme", "--type", "product"]);
    session
}

/// Calls that write, apart from those with which every program starts.
const WRITING: &str = "/^(mkdir(at)?|rename(at2?)?|write|fsync|f?chmod(at)?|unlink(at)?|flock)$";

/// The command that writes most.
const CREATE: [&str; 7] = [
    "addon", "create", "--yes", "--name", "probe", "--type", "suite",
];

/// Runs a command of the extension while the `nth` writing call has this fate; whether there were so many.
fn run_with_fate(
    session: &Session,
    command: &[&str],
    fate: &str,
    nth: usize,
) -> (bool, crate::session::Ended) {
    let inject = format!("inject={WRITING}:{fate}:when={nth}");
    let trace = format!("trace={WRITING}");
    let line = [
        "120",
        "strace",
        "-f",
        "-qq",
        "-o",
        "../calls",
        "-e",
        &trace,
        "-e",
        &inject,
        env!("CARGO_BIN_EXE_zk2"),
    ];
    let line = [&line, command].concat();
    let ended = crate::session::wait(session.program("timeout", &line).spawn().unwrap());
    let calls = session.path().parent().unwrap().join("calls");
    let is_hit = fs::read_to_string(calls).unwrap_or_default();
    (
        is_hit.contains("(INJECTED)") || is_hit.contains("killed by SIGKILL"),
        ended,
    )
}

#[test]
fn i5_whatever_call_fails_all_is_written_or_nothing() {
    if !crate::nth_fault::can_inject() {
        return;
    }
    let untouched = files(&with_product().path());
    let complete = with_product();
    create(&complete, &["probe", "--type", "suite"]);
    let complete = files(&complete.path());
    for error in ["ENOSPC", "EIO"] {
        let hits = (1..200).find(|nth| {
            let session = with_product();
            let fate = format!("error={error}");
            let (is_hit, ended) = run_with_fate(&session, &CREATE, &fate, *nth);
            let left = files(&session.path());
            let context = format!("{error} {nth}: {ended:?}");
            assert!(
                left == untouched || left == complete,
                "{context}: {:?}",
                left.keys()
            );
            // The machine failed, not whoever asked.
            assert!(left == complete || ended.code == Some(6), "{context}");
            assert!(!ended.stderr.contains("panicked"), "{context}");
            !is_hit
        });
        assert!(hits.is_some_and(|hits| hits > 8), "{hits:?}");
    }
}

#[test]
fn i5_whenever_it_is_killed_no_file_is_half_and_the_next_one_cleans_up() {
    if !crate::nth_fault::can_inject() {
        return;
    }
    let untouched = files(&with_product().path());
    let complete = with_product();
    create(&complete, &["probe", "--type", "suite"]);
    let complete = files(&complete.path());
    let hits = (1..200).find(|nth| {
        let session = with_product();
        let (is_hit, ended) = run_with_fate(&session, &CREATE, "signal=KILL", *nth);
        let left = files(&session.path());
        let context = format!("{nth}: {ended:?}");
        let of_it = |path: &&String| path.starts_with("probe/");
        let made = left.keys().filter(of_it).count();
        assert!(
            made == 0 || made == complete.keys().filter(of_it).count(),
            "{context}: {:?}",
            left.keys()
        );
        for (path, text) in &left {
            let is_left_over = path.split('/').any(|part| part.starts_with(".addon-"));
            let known = [untouched.get(path), complete.get(path)];
            assert!(
                is_left_over || known.contains(&Some(text)),
                "{context}: {path}: {text}"
            );
        }
        // What is there can be used, and says what is missing.
        let check = session.zk2(&["addon", "check"]);
        assert!(matches!(check.code, Some(0 | 1)), "{context}: {check:?}");
        create(&session, &["second", "--type", "suite"]);
        let left = files(&session.path());
        assert!(
            !left.keys().any(|path| path.contains(".addon-")),
            "{context}: {:?}",
            left.keys()
        );
        !is_hit
    });
    assert!(hits.is_some_and(|hits| hits > 8), "{hits:?}");
}

#[test]
fn i5_whatever_happens_while_something_is_added_the_file_is_the_old_or_the_new_one() {
    if !crate::nth_fault::can_inject() {
        return;
    }
    let with_probe = || {
        let session = workspace();
        create(&session, &["probe", "--type", "command"]);
        session
    };
    for command in [
        ["addon", "add-option", "probe", "limit"],
        ["addon", "add-message", "probe", "happened"],
    ] {
        let session = with_probe();
        let untouched = files(&session.path());
        assert_eq!(session.zk2(&command).code, Some(0));
        let complete = files(&session.path());
        assert_ne!(complete, untouched);
        for fate in ["error=ENOSPC", "error=EIO", "signal=KILL"] {
            let hits = (1..100).find(|nth| {
                let session = with_probe();
                let (is_hit, ended) = run_with_fate(&session, &command, fate, *nth);
                let left = files(&session.path());
                let context = format!("{command:?} {fate} {nth}: {ended:?}");
                // What it has begun may lie beside it, under another name.
                let finished = |path: &String| !path.contains("/.addon-");
                let mut whole = left.clone();
                whole.retain(|path, _| finished(path));
                assert!(
                    whole == untouched || whole == complete,
                    "{context}: {left:?}"
                );
                let is_told = !is_hit || ended.code != Some(0);
                assert!(is_told || whole == complete, "{context}");
                assert!(!ended.stderr.contains("panicked"), "{context}");
                // Until somebody writes there again.
                let next = session.zk2(&["addon", "add-option", "probe", "next"]);
                assert_eq!(next.code, Some(0), "{context}: {next:?}");
                let left = files(&session.path());
                assert!(left.keys().all(finished), "{context}: {:?}", left.keys());
                assert!(left["probe/src/lib.rs"].contains("PROBE_NEXT"), "{context}");
                !is_hit
            });
            assert!(hits.is_some_and(|hits| hits > 3), "{fate}: {hits:?}");
        }
    }
}

#[test]
fn i3_nothing_is_written_through_links() {
    let session = workspace();
    create(&session, &["acme", "--type", "product"]);
    let outside = session.path().parent().unwrap().join("outside");
    fs::create_dir(&outside).unwrap();
    // The list of extensions is a link that leads out: it is replaced, what it led to is not.
    let list = session.path().join("acme/src/link.rs");
    let text = fs::read_to_string(&list).unwrap();
    fs::write(outside.join("link.rs"), &text).unwrap();
    fs::remove_file(&list).unwrap();
    symlink(outside.join("link.rs"), &list).unwrap();
    // Something that looks like what a killed process has left is a link, too.
    symlink(&outside, session.path().join(".addon-trap")).unwrap();
    create(&session, &["probe", "--type", "suite"]);
    assert_eq!(names(&outside), ["link.rs"]);
    assert_eq!(fs::read_to_string(outside.join("link.rs")).unwrap(), text);
    assert!(
        fs::read_to_string(&list)
            .unwrap()
            .contains("use probe as _;")
    );
    // Templates that are links are not followed.
    session.write("others/suite/src/lib.rs.j2", "//! x\n");
    symlink("/etc/passwd", session.path().join("others/suite/secret.j2")).unwrap();
    let line = [
        "addon",
        "create",
        "--yes",
        "--name",
        "next",
        "--type",
        "suite",
        "--addon-templates",
        "others",
    ];
    let ended = session.zk2(&line);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("secret.j2"), "{}", ended.stderr);
}

#[test]
fn words_in_front_of_a_colon_are_no_names() {
    use k2::finder::SourceKind;
    let session = workspace();
    for kind in SourceKind::PREFIXED {
        let line = [
            "addon",
            "create",
            "--yes",
            "--type",
            "test-kind",
            "--name",
            kind.prefix(),
        ];
        let ended = session.zk2(&line);
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
    let ended = session.zk2(&[
        "addon", "create", "--yes", "--type", "suite", "--name", "history",
    ]);
    assert!(
        ended
            .stderr
            .contains("the name of an extension that is there"),
        "{ended:?}"
    );
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
