//! What `docs` writes and `help` shows.

use std::collections::BTreeMap;
use std::path::Path;

use zaf_core::application::{Application, ExitCode};
use zaf_core::builtin;
use zaf_core::extension::ExtensionDescriptor;

use super::kitchen::{Cook, house, run_wide, said};
use super::recorder::{Ended, describe};

/// Runs `docs` of an application in a directory.
fn docs_of(application: Application, directory: &Path, more: &[&str]) -> Ended {
    let directory = directory.to_str().unwrap();
    run_wide(
        application,
        80,
        &[&["docs", "--dir", directory], more].concat(),
    )
}

fn docs(directory: &Path, more: &[&str]) -> Ended {
    docs_of(house([]), directory, more)
}

fn pages(directory: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// The parts of a page about these names.
fn sections(page: &str, names: &[&str]) -> String {
    let parts = page.split("\n## ").skip(1);
    let meant = parts.filter(|part| {
        let name = part.strip_prefix('`').and_then(|rest| rest.split_once('`'));
        name.is_some_and(|(name, _)| names.contains(&name))
    });
    let meant: Vec<String> = meant
        .map(|part| format!("## {}\n", part.trim_end()))
        .collect();
    meant.concat()
}

#[test]
fn the_pages_say_what_is_declared() {
    let directory = tempfile::tempdir().unwrap();
    let (code, _, stderr) = docs(directory.path(), &[]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let pages = pages(directory.path());
    let of = |page: &str, names: &[&str]| format!("==== {page}\n{}", sections(&pages[page], names));
    let text = [
        of("commands.md", &["cook", "cook soup"]),
        of(
            "options.md",
            &["guests.number", "smoke.allowed", "ext.<all>.enabled"],
        ),
        of(
            "extensions.md",
            &["kitchen", "waiter", "smoker", "gardener"],
        ),
        of(
            "messages.md",
            &[
                "MEAL_IS_READY_TO_BE_SERVED",
                "PRICE_OF_A_MEAL",
                "PLATE_IS_EMPTY",
            ],
        ),
        of("endpoints.md", &["kitchen-of-the-house", "application"]),
        of("components.md", &["tray_of_silver"]),
    ];
    insta::assert_snapshot!("reference_pages", text.concat());
}

#[test]
fn links_lead_to_what_they_name() {
    let directory = tempfile::tempdir().unwrap();
    docs(directory.path(), &[]);
    let pages = pages(directory.path());
    let mut count = 0;
    for (name, page) in &pages {
        if name == "summary.md" {
            continue;
        }
        for link in page.split("](").skip(1) {
            let (address, _) = link.split_once(')').unwrap();
            let (file, anchor) = address.split_once('#').unwrap_or((address, ""));
            let target = if file.is_empty() { page } else { &pages[file] };
            assert!(
                anchor.is_empty() || target.contains(&format!(" {{#{anchor}}}\n")),
                "{name} links to {address}"
            );
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn the_pages_depend_on_nothing_but_what_is_linked() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    docs(one.path(), &[]);
    let other = two.path().join(one.path().file_name().unwrap());
    let (code, ..) = docs(
        &other,
        &["--no-ext-gardener@enabled", "--output-dir", "elsewhere"],
    );
    assert_eq!(code, 0);
    assert_eq!(pages(one.path()), pages(&other));
    for (name, page) in pages(one.path()) {
        for machine in [env!("CARGO_MANIFEST_DIR"), ".rs", "1.2.3"] {
            assert!(!page.contains(machine), "{name} has {machine}");
        }
    }
}

#[test]
fn a_reference_that_is_out_of_date_is_an_error_that_says_where() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (code, stdout, _) = docs(path, &["--check"]);
    assert_eq!(code, 1);
    assert!(stdout.contains("/commands.md: is missing\n"), "{stdout}");
    assert!(pages(path).is_empty(), "a check writes nothing");

    docs(path, &[]);
    let before = pages(path);
    let (code, stdout, _) = docs(path, &["--check"]);
    assert_eq!((code, stdout.as_str()), (0, "12 pages are up to date\n"));

    let page = path.join("options.md");
    std::fs::write(&page, before["options.md"].replacen("option", "other", 1)).unwrap();
    std::fs::write(path.join("old.md"), &before["README.md"]).unwrap();
    let (code, stdout, _) = docs(path, &["--check"]);
    assert_eq!(code, 1);
    let shown = stdout.replace(path.to_str().unwrap(), "DIR");
    let line = 1 + before["options.md"]
        .lines()
        .take_while(|line| !line.contains("option"))
        .count();
    assert_eq!(
        shown,
        format!(
            "DIR/options.md:{line}: differs\nDIR/old.md: is stale\n\
             the reference is out of date: `demo docs --dir DIR` writes it\n"
        )
    );

    let (code, stdout, _) = docs(path, &[]);
    assert_eq!(code, 0);
    assert!(
        stdout.contains("rewritten") && stdout.contains("removed"),
        "{stdout}"
    );
    assert_eq!(pages(path), before);
}

#[test]
fn files_of_others_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let mine = directory.path().join("options.md");
    std::fs::write(&mine, "# Mine\n").unwrap();
    let (code, _, stderr) = docs(directory.path(), &[]);
    assert_eq!(code, 2);
    assert!(stderr.contains("options.md` is in the way"), "{stderr}");
    assert_eq!(pages(directory.path()).len(), 1);
}

#[test]
fn f2_a_directory_that_cannot_be_written_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "").unwrap();
    let (code, _, stderr) = docs(&directory.path().join("file/below"), &[]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("file/below"), "{stderr}");
}

const HOSTILE: ExtensionDescriptor = ExtensionDescriptor {
    description: "# Not a heading\n\n<script>alert(1)</script> {{#include /etc/passwd}} `{{#include x}}` [x](javascript:y) | a\n\n- no item",
    ..describe::<Cook<9>>("hostile", &[], &[])
};

#[test]
fn descriptions_cannot_be_anything_but_text() {
    let directory = tempfile::tempdir().unwrap();
    docs_of(house([HOSTILE]), directory.path(), &[]);
    let page = sections(&pages(directory.path())["extensions.md"], &["hostile"]);
    for active in ["<script", "{{", "](java", "\n# ", "\n- no", " | "] {
        assert!(!page.contains(active), "{active} in {page}");
    }
    let (_, stdout, _) = run_wide(house([HOSTILE]), 80, &["help", "hostile"]);
    assert!(stdout.contains("<script>alert(1)</script>"), "{stdout}");
}

#[test]
fn a_product_has_a_reference_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let product = Application::new("acme")
        .command_name("acmetest")
        .environment_prefix("AC")
        .made_of(builtin::EXTENSIONS.iter().copied(), [], []);
    let (code, ..) = docs_of(product, directory.path(), &[]);
    assert_eq!(code, ExitCode::Success.code());
    let pages = pages(directory.path());
    assert!(pages["README.md"].contains("# Reference of `acmetest`\n"));
    assert!(pages["options.md"].contains("`AC_LOG_LEVEL`"));
    assert!(!pages["commands.md"].contains("cook"));
}

#[test]
fn help_explains_every_kind_of_name() {
    for (name, kind) in [
        ("kitchen", "extension kitchen\n"),
        ("guests.number", "option guests.number\n"),
        ("guests-number", "option guests.number\n"),
        ("DEMO_GUESTS_NUMBER", "option guests.number\n"),
        ("PRICE_OF_A_MEAL", "message PRICE_OF_A_MEAL\n"),
        ("price_of_a_meal", "message PRICE_OF_A_MEAL\n"),
        ("kitchen-of-the-house", "endpoint kitchen-of-the-house\n"),
        ("tray_of_silver", "component tray_of_silver\n"),
    ] {
        let text = said(80, &["help", name]);
        assert!(text.starts_with(kind), "{text}");
    }
    insta::assert_snapshot!(
        "help_of_a_message_80",
        said(80, &["help", "MEAL_IS_READY_TO_BE_SERVED"])
    );
    insta::assert_snapshot!("help_of_an_option_40", said(40, &["help", "log.level"]));
    let both = said(80, &["help", "kitchen", "hall"]);
    assert!(both.contains("\n\nendpoint hall\n"), "{both}");
}

#[test]
fn help_of_a_command_is_its_help() {
    let (code, stdout, _) = run_wide(house([]), 80, &["help", "cook", "soup"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("Usage: demo cook soup"), "{stdout}");
    let (_, with_flag, _) = run_wide(house([]), 80, &["cook", "soup", "--help"]);
    assert_eq!(stdout, with_flag);
}

#[test]
fn help_alone_says_what_can_be_explained() {
    let (code, stdout, _) = run_wide(house([]), 80, &["help"]);
    assert_eq!(code, 0);
    assert!(
        stdout.contains("option, extension, message, endpoint or component"),
        "{stdout}"
    );
}

#[test]
fn a_name_that_nothing_has_is_refused_with_the_nearest() {
    for (name, hint) in [
        ("kitchne", "did you mean `kitchen`?"),
        ("price_of_a_maal", "did you mean `PRICE_OF_A_MEAL`?"),
        ("log.levle", "did you mean `log.level`?"),
        ("cooc", "did you mean `cook`?"),
        ("qqqqqqqqqqqq", "list what there is"),
    ] {
        let (code, stdout, stderr) = run_wide(house([]), 80, &["help", name]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{name}");
        assert!(
            stderr.contains(&format!("nothing is called `{name}`")),
            "{stderr}"
        );
        assert!(stderr.contains(hint), "{stderr}");
    }
}

#[test]
fn the_value_of_an_option_may_be_called_help() {
    let (code, stdout, stderr) =
        run_wide(house([]), 80, &["--output-dir", "help", "help", "kitchen"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.starts_with("extension kitchen\n"), "{stdout}");
}
