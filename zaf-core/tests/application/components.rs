//! Components in an application: what is wrong with them is found before a command runs; who asks, entities, the end.

use std::any::{Any, TypeId};
use std::io::Write;
use std::sync::Arc;

use zaf_core::Result;
use zaf_core::application::{Application, Console, ExitCode};
use zaf_core::builtin;
use zaf_core::command::{CommandDescriptor, Invocation};
use zaf_core::component::{Asker, Askers, ComponentDescriptor, Requester, Requirement, Scope};
use zaf_core::extension::{Extension, ExtensionContext, ExtensionDescriptor};
use zaf_core::prelude::Error;

use super::recorder::{Ended, RECORDER, command, describe, run};

type Made = Result<Arc<dyn Any + Send + Sync>>;

fn component<T: 'static>(
    name: &'static str,
    requirements: &'static [Requirement],
    make: fn(&Scope) -> Made,
) -> ComponentDescriptor {
    ComponentDescriptor {
        name,
        description: "For tests.",
        scope: "session",
        can: &["serve"],
        priority: 0,
        entity: None,
        type_id: TypeId::of::<T>,
        type_name: std::any::type_name::<T>,
        requirements,
        make,
        teardown: None,
        krate: "demo",
        file: "src/parts.rs",
        line: 3,
    }
}

fn never(_: &Scope) -> Made {
    Err(Error::msg("not reached"))
}

struct Plain;

impl Extension for Plain {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

struct Tray(String);

/// Asks for the tray and says who it was made for.
const ASK: CommandDescriptor = CommandDescriptor {
    requirements: &[Requirement::of::<Tray>("tray")],
    ..command("ask", &[], |cx| {
        let console = cx.component::<Console>()?;
        let tray = cx.component::<Tray>()?;
        writeln!(console.stdout(), "tray of {}", tray.0)?;
        Ok(ExitCode::Success)
    })
};

const ASKING: ExtensionDescriptor = describe::<Plain>("asking", &[], &[&ASK]);

fn of(components: impl IntoIterator<Item = ComponentDescriptor>) -> Application {
    let extensions = builtin::EXTENSIONS
        .iter()
        .copied()
        .chain([RECORDER, ASKING]);
    Application::new("demo").made_of(extensions, [], components)
}

fn line(application: Application, line: &[&str]) -> Ended {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    run(application, Invocation::new(line).directory(path))
}

const NEEDS_B: &[Requirement] = &[Requirement::of::<u16>("b")];
const NEEDS_A: &[Requirement] = &[Requirement::of::<u8>("a")];
const CIRCLE: &str =
    "component needs itself: `a` (src/parts.rs:3) -> `b` (src/parts.rs:3) -> `a` (src/parts.rs:3)";

fn circle() -> [ComponentDescriptor; 2] {
    // Deep in a scope that nobody opens, and nobody asks for it.
    [
        component::<u8>("a", NEEDS_B, never),
        component::<u16>("b", NEEDS_A, never),
    ]
    .map(|one| ComponentDescriptor {
        scope: "message",
        ..one
    })
}

#[test]
fn f20_a_circle_of_components_that_nobody_asks_for_is_found_before_the_command_runs() {
    let (code, stdout, stderr) = line(of(circle()), &["pass"]);
    assert_eq!((code, &*stdout), (7, "destroyed\n"), "{stderr}");
    assert_eq!(stderr.matches(CIRCLE).count(), 1, "{stderr}");
}

#[test]
fn f20_what_shows_the_components_works_in_spite_of_a_circle() {
    let (code, stdout, stderr) = line(of(circle()), &["components"]);
    assert!(stdout.contains("a  "), "{code} {stdout} {stderr}");
    assert!(
        stderr.contains(CIRCLE) || stdout.contains(CIRCLE),
        "{stdout} {stderr}"
    );
}

#[test]
fn f20_a_circle_that_only_test_cases_could_enter_is_found_when_the_application_is_loaded() {
    fn askers() -> Vec<Asker> {
        const NEED: &[Requirement] = &[Requirement::of::<u8>("a").in_scope("test")];
        vec![Asker::new("test case", "net::ping".to_owned(), NEED)]
    }
    // In their own scope, the session, they cannot be made at all.
    const B: &[Requirement] = &[Requirement::of::<u16>("b").in_scope("test")];
    const A: &[Requirement] = &[Requirement::of::<u8>("a").in_scope("test")];
    let (a, b) = (
        component::<u8>("a", B, never),
        component::<u16>("b", A, never),
    );
    let askers = Askers::found_by(askers).in_scopes(&["session", "class", "test"]);
    let application = of([a, b]).provided(move |session| session.provide(Arc::new(askers)));
    let (code, _, stderr) = line(application, &["pass"]);
    assert_eq!(code, 7, "{stderr}");
    assert_eq!(stderr.matches(CIRCLE).count(), 1, "{stderr}");
}

#[test]
fn what_a_command_does_not_get_is_told_before_anything_starts() {
    let (code, stdout, stderr) = line(of([]), &["ask"]);
    assert_eq!((code, &*stdout), (7, "destroyed\n"), "{stderr}");
    assert!(stderr.contains("command `ask` ("), "{stderr}");
    assert!(stderr.contains("no component for `tray: "), "{stderr}");
    assert!(
        stderr.contains("- nothing makes or provides this type"),
        "{stderr}"
    );
}

fn tray() -> ComponentDescriptor {
    const WHO: Requirement = Requirement::of::<Requester>("who");
    component::<Tray>("tray", &[WHO], |scope| {
        let who = scope.resolve::<Requester>(&WHO)?;
        Ok(Arc::new(Tray(who.to_string())))
    })
}

#[test]
fn a_component_knows_which_command_it_is_made_for() {
    let (code, stdout, stderr) = line(of([tray()]), &["ask"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("tray of command `ask`\n"), "{stdout}");
}

#[test]
fn f37_a_teardown_that_fails_is_told_after_the_command_has_ended() {
    let broken = ComponentDescriptor {
        teardown: Some(|_| Err(Error::msg("it is glued to the table"))),
        ..tray()
    };
    let (code, stdout, stderr) = line(of([broken]), &["ask"]);
    assert_ne!(code, 0, "{stderr}");
    assert!(stdout.ends_with("after 0\ndestroyed\n"), "{stdout}");
    let text = "component `tray` could not be taken down at the end of scope `session`";
    assert!(
        stderr.contains(text) && stderr.contains("it is glued to the table"),
        "{stderr}"
    );
}

#[test]
fn the_list_of_components_shows_all_that_they_say() {
    const NEEDS: &[Requirement] = &[
        Requirement::of::<Requester>("who"),
        Requirement::of::<Console>("console")
            .uses(&["who"])
            .about_any_entity(),
    ];
    let shown = ComponentDescriptor {
        entity: Some("left"),
        teardown: Some(|_| Ok(())),
        requirements: NEEDS,
        ..tray()
    };
    let (code, stdout, stderr) = line(of([shown]), &["components"]);
    assert_eq!(code, 0, "{stderr}");
    for text in [
        "entity     left",
        "teardown   yes",
        "who: Requester",
        "console: Console that uses who about any entity",
        "command ask as tray",
    ] {
        assert!(stdout.contains(text), "no {text:?} in:\n{stdout}");
    }
    let (_, stdout, _) = line(of([shown]), &["components", "--format", "json"]);
    let list = stdout.trim_start_matches("before components\n");
    let list = list.split("after 0").next().expect("the list");
    let list: serde_json::Value = serde_json::from_str(list).expect("JSON");
    let tray = list["components"].as_array().expect("a list").iter();
    let tray = tray
        .clone()
        .find(|one| one["name"] == "tray")
        .expect("the tray");
    assert_eq!(tray["entity"], "left");
    assert_eq!(tray["teardown"], true);
    assert_eq!(tray["needs"][1]["uses"], serde_json::json!(["who"]));
    assert_eq!(tray["needs"][1]["fixate_entities"], false);
    assert_eq!(tray["needed_by"][0]["by"], "command");
}
