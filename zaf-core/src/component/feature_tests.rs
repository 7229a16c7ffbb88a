//! What requirements and components can say beyond types: used siblings, entities, teardown, who asks; and circles.
//!
//! Long because each feature is tried with the same few components, which are declared once.

use std::any::{Any, TypeId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::{
    ComponentDescriptor, ComponentError, ComponentRegistry, Requester, Requirement, Scope,
    ScopeChain,
};
use crate::error::Result;
use crate::message::Entity;

type Made = Result<Arc<dyn Any + Send + Sync>>;

fn component<T: 'static>(
    name: &'static str,
    requirements: &[Requirement],
    make: fn(&Scope) -> Made,
) -> ComponentDescriptor {
    ComponentDescriptor {
        name,
        description: "",
        scope: "session",
        can: &[],
        priority: 0,
        entity: None,
        type_id: TypeId::of::<T>,
        type_name: std::any::type_name::<T>,
        requirements: requirements.to_vec().leak(),
        make,
        teardown: None,
        krate: "demo",
        file: "src/demo.rs",
        line: 7,
    }
}

fn session(components: impl IntoIterator<Item = ComponentDescriptor>) -> Scope {
    Scope::root("session", &ComponentRegistry::new(components).unwrap())
}

/// A machine to talk to.
#[derive(Debug)]
struct Host(&'static str);
/// A line to a host.
#[derive(Debug)]
struct Line(Arc<Host>);
/// Something on a line.
#[derive(Debug)]
struct Shell(Arc<Line>);

const HOST: Requirement = Requirement::of::<Host>("host");
const LINE: Requirement = Requirement::of::<Line>("line");

fn plain(name: &'static str) -> ComponentDescriptor {
    let make: fn(&Scope) -> Made = match name {
        "near" => |_| Ok(Arc::new(Host("near"))),
        _ => |_| Ok(Arc::new(Host("far"))),
    };
    component::<Host>(name, &[], make)
}

fn line(requirements: &[Requirement]) -> ComponentDescriptor {
    component::<Line>("line", requirements, |scope| {
        Ok(Arc::new(Line(scope.resolve(&HOST)?)))
    })
}

/// A host that can be called, of lower priority, and one that cannot; a line to any, and a shell that needs the line.
fn network(of_line: &[Requirement]) -> Scope {
    let near = ComponentDescriptor {
        priority: 1,
        ..plain("near")
    };
    let far = ComponentDescriptor {
        can: &["call"],
        ..plain("far")
    };
    let make: fn(&Scope) -> Made = if of_line.iter().any(|one| !one.can.is_empty()) {
        |scope| Ok(Arc::new(Line(scope.resolve(&HOST.can(&["call"]))?)))
    } else {
        |scope| Ok(Arc::new(Line(scope.resolve(&HOST)?)))
    };
    let line = component::<Line>("line", of_line, make);
    let shell = component::<Shell>("shell", &[LINE], |scope| {
        Ok(Arc::new(Shell(scope.resolve(&LINE)?)))
    });
    session([near, far, line, shell])
}

fn get<T: Send + Sync + 'static>(found: &[Arc<dyn Any + Send + Sync>], index: usize) -> Arc<T> {
    Arc::clone(&found[index]).downcast().unwrap()
}

#[test]
fn what_is_used_is_the_same_instance_however_far_below() {
    let scope = network(&[HOST]);
    let shell = Requirement::of::<Shell>("shell");
    let far = HOST.can(&["call"]);
    let found = scope
        .resolve_all(&[shell.uses(&["host"]), far], &[])
        .unwrap();
    let (own, host) = (get::<Shell>(&found, 0), get::<Host>(&found, 1));
    assert_eq!(host.0, "far");
    assert!(Arc::ptr_eq(&own.0.0, &host));
    // Who does not use it gets the best host, in a shell of its own.
    let other = scope.resolve::<Shell>(&shell).unwrap();
    assert_eq!(other.0.0.0, "near");
    assert!(!Arc::ptr_eq(&own, &other));
    // The same choice is the same instance.
    let again = scope
        .resolve_all(&[far, shell.uses(&["host"])], &[])
        .unwrap();
    assert!(Arc::ptr_eq(&own, &get::<Shell>(&again, 1)));
}

#[test]
fn what_is_asked_of_the_used_one_below_counts_above_too() {
    let scope = network(&[HOST.can(&["call"])]);
    let shell = Requirement::of::<Shell>("shell").uses(&["host"]);
    let found = scope.resolve_all(&[HOST, shell], &[]).unwrap();
    // The first host is better, but no line can be made of it.
    assert_eq!(get::<Host>(&found, 0).0, "far");
    assert!(Arc::ptr_eq(&get::<Shell>(&found, 1).0.0, &get(&found, 0)));
    let error = scope
        .resolve_all(&[HOST.made_by("near"), shell], &[])
        .unwrap_err()
        .to_string();
    let (host, line) = (std::any::type_name::<Host>(), std::any::type_name::<Line>());
    assert!(
        error.ends_with(&format!(
            "\n  - `shell` (src/demo.rs:7) cannot be made:\n    no `line: {line}`\n      \
             - `line` (src/demo.rs:7) cannot be made:\n        no `host: {host}` that can `call`\n          \
             - what is used above cannot `call`"
        )),
        "{error}"
    );
}

#[test]
fn what_is_used_must_outlive_who_needs_it() {
    let host = ComponentDescriptor {
        scope: "test",
        ..plain("near")
    };
    let scope = session([host, line(&[HOST])]).child("test");
    let error = scope
        .resolve_all(&[HOST, LINE.uses(&["host"])], &[])
        .unwrap_err()
        .to_string();
    let end =
        "what is used above lives in scope `test`, which ends before `session`, where it is needed";
    assert!(error.ends_with(end), "{error}");
}

#[test]
fn what_the_asker_brings_along_is_used_as_it_is() {
    let of_test = ComponentDescriptor {
        scope: "test",
        ..line(&[HOST])
    };
    let scope = session([plain("near"), of_test]).child("test");
    let own = Arc::new(Host("own"));
    let brought: [Option<Arc<dyn Any + Send + Sync>>; 2] = [None, Some(own.clone())];
    let found = scope.resolve_all(&[LINE.uses(&["host"]), HOST], &brought);
    let found = found.unwrap();
    assert!(Arc::ptr_eq(&get::<Line>(&found, 0).0, &own));
    assert!(Arc::ptr_eq(&get::<Host>(&found, 1), &own));
}

#[test]
fn a_fixated_entity_counts_for_what_is_about_entities_and_for_nothing_else() {
    let (left, right) = (Entity::from("left"), Entity::from("right"));
    let scope = session([
        ComponentDescriptor {
            entity: Some("left"),
            ..plain("near")
        },
        line(&[HOST]),
    ]);
    scope
        .provide_about(&right, Arc::new(Host("right")), &[])
        .unwrap();
    scope
        .provide(Arc::new(String::from("about nothing")))
        .unwrap();
    let about = |entities: &[Entity]| {
        let child = scope.child("message");
        child.fixate(entities).unwrap();
        child
    };
    let host = |scope: &Scope| scope.resolve::<Host>(&HOST).unwrap().0;
    assert_eq!(host(&about(std::slice::from_ref(&left))), "near");
    assert_eq!(host(&about(std::slice::from_ref(&right))), "right");
    assert_eq!(host(&about(&["unknown".into()])), "right");
    assert_eq!(host(&about(&[])), "right");
    let any = HOST.about_any_entity();
    assert_eq!(
        about(std::slice::from_ref(&left))
            .resolve::<Host>(&any)
            .unwrap()
            .0,
        "right"
    );
    let text = Requirement::of::<String>("text");
    assert!(
        about(std::slice::from_ref(&left))
            .resolve::<String>(&text)
            .is_ok()
    );
    // What is made of them differs, too, in one and the same scope.
    let lines: Vec<Arc<Line>> = [&left, &right, &left]
        .map(|entity| about(std::slice::from_ref(entity)).resolve(&LINE).unwrap())
        .into();
    assert_eq!((lines[0].0.0, lines[1].0.0), ("near", "right"));
    assert!(Arc::ptr_eq(&lines[0], &lines[2]));
    // Further within comes first.
    let within = about(std::slice::from_ref(&left)).child("test");
    within.fixate(std::slice::from_ref(&right)).unwrap();
    assert_eq!(host(&within), "right");
    let error = scope.child("message").fixate(&[left, right]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("entities `right` and `left` cannot be fixated together"),
        "{error}"
    );
}

#[test]
fn what_is_about_another_entity_is_in_the_tree() {
    let scope = session([ComponentDescriptor {
        entity: Some("left"),
        can: &["call"],
        ..plain("near")
    }]);
    scope.provide(Arc::new(Host("nobody's"))).unwrap();
    scope
        .provide_about(&"right".into(), Arc::new(Host("right")), &["cal"])
        .unwrap();
    let child = scope
        .on_behalf_of(Requester::new("handler", "cook.on_ordered"))
        .child("message");
    child.fixate(&["right".into()]).unwrap();
    let error = child
        .resolve::<Host>(&HOST.can(&["call"]))
        .unwrap_err()
        .to_string();
    let host = std::any::type_name::<Host>();
    assert_eq!(
        error,
        format!(
            "no component for `host: {host}` that can `call`, asked for by handler `cook.on_ordered`\n  \
             - the `Host` that was put into scope `session` cannot `call`; it can [cal]: did you mean `call`?\n  \
             - the `Host` that was put into scope `session` cannot `call`; it can []\n  \
             - `near` (src/demo.rs:7) is about entity `left`, and `right` is fixated"
        )
        .replace("did you mean `call`?", "did you mean `cal`?")
    );
}

#[test]
fn who_asks_is_a_component_and_makes_no_difference_between_instances() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    struct For(String);
    let session = session([component::<For>(
        "greeting",
        &[Requirement::of::<Requester>("who")],
        |scope| {
            MADE.fetch_add(1, Ordering::Relaxed);
            let who = scope.resolve::<Requester>(&Requirement::of::<Requester>("who"))?;
            Ok(Arc::new(For(who.to_string())))
        },
    )]);
    let wanted = Requirement::of::<For>("greeting");
    let first = session.on_behalf_of(Requester::new("command", "run"));
    let second = session
        .on_behalf_of(Requester::new("test case", "net::ping"))
        .child("test");
    assert_eq!(first.resolve::<For>(&wanted).unwrap().0, "command `run`");
    assert_eq!(second.resolve::<For>(&wanted).unwrap().0, "command `run`");
    assert_eq!(MADE.load(Ordering::Relaxed), 1);
    let who = Requirement::of::<Requester>("who");
    let asker = second.resolve::<Requester>(&who).unwrap();
    assert_eq!((asker.kind(), asker.name()), ("test case", "net::ping"));
    let asker = session.child("test").resolve::<Requester>(&who).unwrap();
    assert_eq!(asker.to_string(), "scope `test`");
}

#[test]
fn a_teardown_that_fails_or_panics_is_told_and_the_others_still_run_last_made_first() {
    static ENDED: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
    struct Step<const N: usize>;
    impl<const N: usize> Drop for Step<N> {
        fn drop(&mut self) {
            ENDED.lock().push(["first", "second", "third"][N]);
        }
    }
    fn step<const N: usize>(name: &'static str) -> ComponentDescriptor {
        ComponentDescriptor {
            teardown: Some(|_| {
                ENDED.lock().push("down");
                match N {
                    0 => Ok(()),
                    1 => Err(crate::Error::msg("still in use")),
                    _ => panic!("out of luck"),
                }
            }),
            ..component::<Step<N>>(name, &[], |_| Ok(Arc::new(Step::<N>)))
        }
    }
    let scope = session([step::<0>("first"), step::<1>("second"), step::<2>("third")]);
    scope
        .resolve::<Step<0>>(&Requirement::of::<Step<0>>("it"))
        .unwrap();
    scope
        .resolve::<Step<1>>(&Requirement::of::<Step<1>>("it"))
        .unwrap();
    scope
        .resolve::<Step<2>>(&Requirement::of::<Step<2>>("it"))
        .unwrap();
    let errors: Vec<String> = scope
        .end()
        .into_iter()
        .map(|error| format!("{:#}", crate::Error::from(error)))
        .collect();
    assert_eq!(
        errors,
        [
            "taking component `third` down at the end of scope `session` panicked: out of luck",
            "component `second` could not be taken down at the end of scope `session`: still in use",
        ]
    );
    assert_eq!(
        *ENDED.lock(),
        ["down", "third", "down", "second", "down", "first"]
    );
    assert!(scope.end().is_empty());
}

/// Called nearly as what there is.
#[derive(Debug)]
struct Hosts;

#[test]
fn all_that_is_missing_is_told_at_once_with_the_nearest_names() {
    let scope = session([ComponentDescriptor {
        scope: "sesion",
        ..plain("near")
    }]);
    let error = scope
        .resolve_all(&[HOST, Requirement::of::<u8>("number")], &[])
        .unwrap_err()
        .to_string();
    let host = std::any::type_name::<Host>();
    assert_eq!(
        error,
        format!(
            "no component for `host: {host}`\n  \
             - `near` (src/demo.rs:7) lives in scope `sesion`; the scopes here are `session`: did you mean `session`?\n\
             no component for `number: u8`\n  \
             - nothing makes or provides this type: no function with `#[component]` returns it"
        )
    );
    let scope = session([plain("near")]);
    let error = scope
        .resolve::<Hosts>(&Requirement::of::<Hosts>("all"))
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("`near` (src/demo.rs:7) looks alike but makes"),
        "{text}"
    );
}

fn circles(scope: &Scope, chains: &[ScopeChain]) -> Vec<String> {
    let circles = scope.circles(chains);
    circles.iter().map(ToString::to_string).collect()
}

#[test]
fn f20_circles_of_components_are_found_before_anything_is_made_each_once() {
    fn never(_: &Scope) -> Made {
        Err(crate::Error::msg("not reached"))
    }
    let in_test = |component| ComponentDescriptor {
        scope: "test",
        ..component
    };
    let scope = session([
        in_test(component::<u8>("a", &[Requirement::of::<u16>("b")], never)),
        in_test(component::<u16>("b", &[Requirement::of::<u32>("c")], never)),
        in_test(component::<u32>("c", &[Requirement::of::<u16>("b")], never)),
        component::<u64>("alone", &[Requirement::of::<u64>("me")], never),
        component::<i8>("fine", &[Requirement::of::<i16>("missing")], never),
        ComponentDescriptor {
            scope: "nowhere",
            ..component::<i32>("far", &[Requirement::of::<i32>("me")], never)
        },
    ]);
    let expected = [
        "component needs itself: `alone` (src/demo.rs:7) -> `alone` (src/demo.rs:7)",
        "component needs itself: `b` (src/demo.rs:7) -> `c` (src/demo.rs:7) -> `b` (src/demo.rs:7)",
        "component needs itself: `far` (src/demo.rs:7) -> `far` (src/demo.rs:7)",
    ];
    let chain = ScopeChain::new(&["session", "runner", "test"], []);
    assert_eq!(circles(&scope, std::slice::from_ref(&chain)), expected);
    // The order of scopes is not needed to find them.
    assert_eq!(circles(&scope, &[chain.clone(), chain]), expected);
    assert_eq!(circles(&scope, &[]), expected);
}

#[test]
fn f20_a_circle_that_only_an_asker_can_enter_is_found() {
    const A: Requirement = Requirement::of::<u8>("a").in_scope("test");
    const B: Requirement = Requirement::of::<u16>("b").in_scope("test");
    const DEMAND: &[Requirement] = &[A];
    // In their own scope, the session, they cannot be made at all.
    let scope = session([
        component::<u8>("a", &[B], |_| Ok(Arc::new(1_u8))),
        component::<u16>("b", &[A], |_| Ok(Arc::new(1_u16))),
    ]);
    let chain = |demands| ScopeChain::new(&["session", "test"], demands);
    assert_eq!(circles(&scope, &[chain(None)]), [""; 0]);
    assert_eq!(
        circles(&scope, &[chain(Some(DEMAND))]),
        [
            "component needs itself: `a` (src/demo.rs:7) -> `b` (src/demo.rs:7) -> `a` (src/demo.rs:7)"
        ]
    );
}

#[test]
fn f20_what_was_put_into_the_session_breaks_a_circle() {
    let own = Requirement::of::<u8>("inner");
    let scope = session([component::<u8>("outer", &[own], |_| Ok(Arc::new(1_u8)))]);
    assert_eq!(circles(&scope, &[]).len(), 1);
    scope.provide(Arc::new(7_u8)).unwrap();
    assert_eq!(circles(&scope, &[]), [""; 0]);
}

#[test]
fn a_type_that_is_not_what_was_declared_is_an_error_with_the_place() {
    let wrong = component::<Host>("wrong", &[], |_| Ok(Arc::new(1_u8)));
    let error = session([wrong]).resolve::<Host>(&HOST).unwrap_err();
    assert!(matches!(error, ComponentError::WrongType { .. }), "{error}");
    assert!(error.to_string().contains("src/demo.rs:7"), "{error}");
}
