//! Components through their public interface: what is made, where it lives, when it is dropped, what errors say.

use std::any::{Any, TypeId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    ComponentDescriptor, ComponentError, ComponentRegistry, Requester, Requirement, Scope,
};
use crate::error::Result;

#[derive(Debug)]
struct Shell(&'static str);
#[derive(Debug)]
struct Session(Arc<Shell>);

type Made = Result<Arc<dyn Any + Send + Sync>>;

fn component<T: 'static>(
    name: &'static str,
    scope: &'static str,
    make: fn(&Scope) -> Made,
) -> ComponentDescriptor {
    ComponentDescriptor {
        name,
        description: "",
        scope,
        can: &[],
        priority: 0,
        type_id: TypeId::of::<T>,
        type_name: std::any::type_name::<T>,
        requirements: &[],
        make,
        teardown: None,
        entity: None,
        krate: "demo",
        file: "src/demo.rs",
        line: 7,
    }
}

const HOST: fn(&Scope) -> Made = |_| Ok(Arc::new(Shell("host")));
const REMOTE: fn(&Scope) -> Made = |_| Ok(Arc::new(Shell("remote")));
const SHELL: Requirement = Requirement::of::<Shell>("shell");

fn session(components: impl IntoIterator<Item = ComponentDescriptor>) -> Scope {
    Scope::root("session", &ComponentRegistry::new(components).unwrap())
}

#[test]
fn one_instance_for_each_scope_of_the_components_name() {
    let session = session([
        component::<Shell>("host", "test", HOST),
        component::<String>("text", "session", |_| Ok(Arc::new(String::from("one")))),
    ]);
    let text = Requirement::of::<String>("text");
    let (first, second) = (session.child("test"), session.child("test"));
    let inner = first.child("message");
    let shell = first.resolve::<Shell>(&SHELL).unwrap();
    assert!(Arc::ptr_eq(&shell, &inner.resolve(&SHELL).unwrap()));
    assert!(!Arc::ptr_eq(&shell, &second.resolve(&SHELL).unwrap()));
    let of_first = first.resolve::<String>(&text).unwrap();
    assert!(Arc::ptr_eq(&of_first, &second.resolve(&text).unwrap()));
    assert_eq!(first.check(&SHELL).unwrap(), "test");
    assert_eq!(first.check(&text).unwrap(), "session");
}

#[test]
fn capabilities_priority_and_names_decide() {
    let session = session([
        ComponentDescriptor {
            can: &["local", "fast"],
            ..component::<Shell>("zebra", "session", HOST)
        },
        ComponentDescriptor {
            can: &["remote"],
            priority: 1,
            ..component::<Shell>("yak", "session", REMOTE)
        },
        ComponentDescriptor {
            can: &["local"],
            ..component::<Shell>("ape", "session", |_| Ok(Arc::new(Shell("ape"))))
        },
    ]);
    let name = |requirement: Requirement| session.resolve::<Shell>(&requirement).unwrap().0;
    assert_eq!(name(SHELL), "remote");
    assert_eq!(name(SHELL.can(&["local"])), "ape");
    assert_eq!(name(SHELL.can(&["local", "fast"])), "host");
}

#[test]
fn what_was_provided_wins_and_the_nearest_and_latest_of_it() {
    let session = session([component::<Shell>("host", "session", HOST)]);
    session.provide(Arc::new(Shell("first"))).unwrap();
    session.provide(Arc::new(Shell("second"))).unwrap();
    session
        .provide_as(Arc::new(Shell("able")), &["remote"])
        .unwrap();
    let test = session.child("test");
    test.provide(Arc::new(Shell("near"))).unwrap();
    let name =
        |scope: &Scope, requirement: Requirement| scope.resolve::<Shell>(&requirement).unwrap().0;
    assert_eq!(name(&test, SHELL), "near");
    assert_eq!(name(&test, SHELL.in_scope("session")), "able");
    assert_eq!(name(&test, SHELL.can(&["remote"])), "able");
    assert_eq!(name(&session, SHELL), "able");
}

#[test]
fn a_component_takes_what_it_needs_from_the_scope_it_lives_in() {
    const NEEDS: &[Requirement] = &[SHELL];
    let make: fn(&Scope) -> Made = |scope| Ok(Arc::new(Session(scope.resolve(&NEEDS[0])?)));
    let of_session = ComponentDescriptor {
        requirements: NEEDS,
        ..component::<Session>("login", "session", make)
    };
    let wanted = Requirement::of::<Session>("login");
    let shells = session([of_session, component::<Shell>("host", "session", HOST)]);
    let login = shells.child("test").resolve::<Session>(&wanted).unwrap();
    assert_eq!(login.0.0, "host");

    // The shell of a test dies before the session does.
    let too_short = session([of_session, component::<Shell>("host", "test", HOST)]);
    let error = too_short
        .child("test")
        .resolve::<Session>(&wanted)
        .unwrap_err();
    let name = std::any::type_name::<Session>();
    let shell = std::any::type_name::<Shell>();
    assert_eq!(
        error.to_string(),
        format!(
            "no component for `login: {name}`\n  \
             - `login` (src/demo.rs:7) cannot be made:\n    \
             no `shell: {shell}`\n      \
             - `host` (src/demo.rs:7) lives in scope `test`, which ends before `session`, where it is needed"
        )
    );
}

#[test]
fn what_is_missing_is_drawn_with_the_nearest_candidates() {
    mod other {
        #[derive(Debug)]
        pub(super) struct Shell;
    }
    let none = session([]).resolve::<Shell>(&SHELL).unwrap_err();
    assert!(
        none.to_string().ends_with(
            "- nothing makes or provides this type: no function with `#[component]` returns it"
        ),
        "{none}"
    );

    let alike = session([component::<other::Shell>("other", "session", |_| {
        Ok(Arc::new(other::Shell))
    })]);
    let error = alike.resolve::<Shell>(&SHELL).unwrap_err().to_string();
    assert!(
        error.contains("`other` (src/demo.rs:7) looks alike but makes"),
        "{error}"
    );

    let unable = session([ComponentDescriptor {
        can: &["local"],
        ..component::<Shell>("host", "session", HOST)
    }]);
    let error = unable
        .resolve::<Shell>(&SHELL.can(&["remote"]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("that can `remote`"), "{error}");
    assert!(
        error.ends_with("cannot `remote`; it can [local]"),
        "{error}"
    );
}

#[test]
fn c10_a_component_that_needs_itself_is_found_with_its_path() {
    const A: Requirement = Requirement::of::<Shell>("a");
    const B: Requirement = Requirement::of::<Session>("b");
    let declared = session([
        ComponentDescriptor {
            requirements: &[B],
            ..component::<Shell>("a", "session", HOST)
        },
        ComponentDescriptor {
            requirements: &[A],
            ..component::<Session>("b", "session", |_| Err(crate::Error::msg("not reached")))
        },
    ]);
    let error = declared.resolve::<Shell>(&A).unwrap_err();
    assert_eq!(
        error.to_string(),
        "component needs itself: `a` (src/demo.rs:7) -> `b` (src/demo.rs:7) -> `a` (src/demo.rs:7)"
    );

    // Not declared, so it is found only when it happens.
    let hidden = session([component::<Shell>("a", "session", |scope| {
        Ok(scope.resolve::<Shell>(&A)?)
    })]);
    let error = hidden.resolve::<Shell>(&A).unwrap_err();
    let ComponentError::Make { cause, .. } = error else {
        panic!("expected the error of the function, not {error}");
    };
    assert!(
        cause.to_string().starts_with("component needs itself"),
        "{cause}"
    );
}

#[test]
fn a_failure_or_a_panic_names_the_component_and_is_not_kept() {
    static TRIES: AtomicUsize = AtomicUsize::new(0);
    let session = session([component::<Shell>("host", "session", |_| {
        match TRIES.fetch_add(1, Ordering::Relaxed) {
            0 => Err(crate::Error::msg("no terminal")),
            1 => panic!("boom"),
            _ => HOST_MADE(),
        }
    })]);
    let error = crate::Error::from(session.resolve::<Shell>(&SHELL).unwrap_err());
    let text = format!("{error:#}");
    assert!(
        text.starts_with("component `host` (src/demo.rs:7) for `shell: "),
        "{text}"
    );
    assert!(text.ends_with("could not be made: no terminal"), "{text}");
    let text = session.resolve::<Shell>(&SHELL).unwrap_err().to_string();
    assert!(text.ends_with("panicked: boom"), "{text}");
    assert_eq!(session.resolve::<Shell>(&SHELL).unwrap().0, "host");
}

const HOST_MADE: fn() -> Made = || Ok(Arc::new(Shell("host")));

#[test]
fn all_threads_get_the_one_instance() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let session = session([component::<Shell>("host", "session", |_| {
        MADE.fetch_add(1, Ordering::Relaxed);
        std::thread::yield_now();
        HOST_MADE()
    })]);
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| assert!(session.resolve::<Shell>(&SHELL).is_ok()));
        }
    });
    assert_eq!(MADE.load(Ordering::Relaxed), 1);
}

/// Writes its name into the shared list when dropped.
struct Tracked(&'static str, Arc<parking_lot::Mutex<Vec<&'static str>>>);

impl Drop for Tracked {
    fn drop(&mut self) {
        self.1.lock().push(self.0);
        assert!(self.0 != "bomb", "bomb");
    }
}

#[test]
fn f37_a_scope_ends_last_made_first_children_before_it_and_is_dead_then() {
    let log = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let session = session([component::<Shell>("host", "session", HOST)]);
    let tracked = |scope: &Scope, name| {
        scope
            .provide(Arc::new(Tracked(name, Arc::clone(&log))))
            .unwrap();
    };
    tracked(&session, "first");
    let (older, younger) = (session.child("a"), session.child("b"));
    tracked(&older, "older");
    tracked(&younger, "younger");
    tracked(&session, "bomb");
    tracked(&session, "last");

    let errors: Vec<String> = session.end().iter().map(ToString::to_string).collect();
    assert_eq!(*log.lock(), ["younger", "older", "last", "bomb", "first"]);
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].ends_with("at the end of scope `session` panicked: bomb"),
        "{errors:?}"
    );

    assert!(session.end().is_empty());
    for scope in [&session, &older, &session.child("late")] {
        assert!(matches!(
            scope.resolve::<Shell>(&SHELL),
            Err(ComponentError::Ended { .. })
        ));
        assert!(scope.provide(Arc::new(Shell("late"))).is_err());
    }
    assert_eq!(log.lock().len(), 5);
}

#[test]
fn a_scope_is_empty_as_long_as_nothing_lives_in_it_or_in_its_children() {
    let session = session([component::<Shell>("host", "test", HOST)]);
    let test = session.child("test");
    assert!(session.is_empty() && test.is_empty());
    drop(test.resolve::<Shell>(&SHELL).unwrap());
    assert!(!session.is_empty() && !test.is_empty());
    assert!(test.end().is_empty());
    assert!(session.is_empty() && test.is_empty());
    drop(session.provide(Arc::new(1_u8)));
    assert!(!session.is_empty());
}

#[test]
fn f39_two_applications_share_nothing() {
    let registry = ComponentRegistry::new([component::<Shell>("host", "session", HOST)]).unwrap();
    let (one, two) = (
        Scope::root("session", &registry),
        Scope::root("session", &registry),
    );
    let shell = one.resolve::<Shell>(&SHELL).unwrap();
    assert!(!Arc::ptr_eq(&shell, &two.resolve(&SHELL).unwrap()));
}

#[test]
fn two_components_of_one_name_and_type_are_refused() {
    let twice = [
        component::<Shell>("host", "session", HOST),
        ComponentDescriptor {
            krate: "other",
            ..component::<Shell>("host", "test", REMOTE)
        },
    ];
    let text = ComponentRegistry::new(twice).unwrap_err()[0].to_string();
    assert!(
        text.contains("in crate `demo` (src/demo.rs:7) and in crate `other` (src/demo.rs:7)"),
        "{text}"
    );
}

#[test]
fn f35_a_component_is_asked_for_by_its_type_not_by_a_name_that_fits() {
    let session = session([component::<Shell>("text", "session", HOST)]);
    // The parameter is called as the component is; its type is another.
    let error = session.resolve::<String>(&Requirement::of::<String>("text"));
    assert!(error.is_err(), "{error:?}");
    // And what it is called does not matter where the type fits.
    let shell = session.resolve::<Shell>(&Requirement::of::<Shell>("anything"));
    assert_eq!(shell.unwrap().0, "host");
}

#[test]
fn f38_capabilities_and_scope_are_asked_of_provided_instances_too() {
    let session = session([]);
    session.provide(Arc::new(Shell("plain"))).unwrap();
    let able = SHELL.can(&["remote"]);
    assert!(session.resolve::<Shell>(&able).is_err());
    assert!(session.check(&able).is_err());
    let test = session.child("test");
    test.provide_as(Arc::new(Shell("able")), &["remote"])
        .unwrap();
    assert_eq!(test.resolve::<Shell>(&able).unwrap().0, "able");
    // What lives in an inner scope is not what the outer one has.
    assert!(test.resolve::<Shell>(&able.in_scope("session")).is_err());
}

#[test]
fn f36_every_child_scope_shares_the_one_instance_however_many_there_are() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let session = session([component::<Shell>("host", "session", |_| {
        MADE.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(Shell("host")))
    })]);
    let children: Vec<Scope> = (0..1000).map(|_| session.child("test")).collect();
    let first = session.resolve::<Shell>(&SHELL).unwrap();
    for child in &children {
        assert!(Arc::ptr_eq(&first, &child.resolve(&SHELL).unwrap()));
    }
    assert_eq!(MADE.load(Ordering::Relaxed), 1);
}

#[test]
fn the_tree_of_what_is_missing_is_the_one_in_the_book() {
    mod shop {
        #[derive(Debug)]
        pub(super) struct Login;
        #[derive(Debug)]
        pub(super) struct Shell;
    }
    const NEEDS: &[Requirement] = &[Requirement {
        type_name: || "shop::Shell",
        ..Requirement::of::<shop::Shell>("shell").can(&["remote"])
    }];
    let shell = |name, scope, line| ComponentDescriptor {
        file: "src/shell.rs",
        line,
        ..component::<shop::Shell>(name, scope, |_| Ok(Arc::new(shop::Shell)))
    };
    let session = session([
        ComponentDescriptor {
            requirements: NEEDS,
            file: "src/login.rs",
            line: 12,
            ..component::<shop::Login>("login", "session", |_| Ok(Arc::new(shop::Login)))
        },
        ComponentDescriptor {
            can: &["local"],
            ..shell("local_shell", "session", 4)
        },
        ComponentDescriptor {
            can: &["remote"],
            ..shell("remote_shell", "test", 9)
        },
    ]);
    let wanted = Requirement {
        type_name: || "shop::Login",
        ..Requirement::of::<shop::Login>("login")
    };
    let asker = Requester::new("test case", "shop::a_customer_logs_in");
    let test = session.on_behalf_of(asker).child("test");
    let error = test.resolve::<shop::Login>(&wanted).unwrap_err();
    let page = include_str!("../../../docs/src/components.md");
    assert!(
        page.contains(&format!("\n```text\n{error}\n```\n")),
        "{error}"
    );
}
