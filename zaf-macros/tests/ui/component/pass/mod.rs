//! Components that need components, made in scopes.

use std::any::TypeId;

use zaf_core::component::{ComponentDescriptor, ComponentRegistry, Requirement, Scope};
use zaf_core::prelude::*;
use zaf_core::private::ZAF_COMPONENTS;

#[derive(Debug)]
struct Host(&'static str);

#[derive(Debug)]
struct Shell {
    on: String,
}

/// This machine.
#[component(can = ["local"])]
fn local() -> Host {
    Host("local")
}

#[component(name = "remote-host", can = ["remote", "fast"], priority = -1)]
fn remote() -> Result<Host> {
    Ok(Host("remote"))
}

#[component(scope = "test")]
#[requires(host, can = ["remote"])]
fn shell(host: &Host) -> Result<Shell, std::io::Error> {
    Ok(Shell {
        on: host.0.to_owned(),
    })
}

#[derive(Debug)]
struct Unlucky;

#[component]
fn unlucky(shell: &Shell) -> Result<Unlucky> {
    Err(Error::msg(format_args!("no luck on {}", shell.on)))
}

fn descriptor(name: &str) -> ComponentDescriptor {
    *ZAF_COMPONENTS
        .iter()
        .find(|component| component.name == name)
        .expect("invariant: the macro registered it")
}

fn registry() -> ComponentRegistry {
    let names = ["local", "remote-host", "shell", "unlucky"];
    ComponentRegistry::new(names.map(descriptor)).expect("invariant: the names differ")
}

fn requirement<T: 'static>() -> Requirement {
    Requirement {
        parameter: "wanted",
        type_id: TypeId::of::<T>,
        type_name: std::any::type_name::<T>,
        can: &[],
        scope: None,
        component: None,
        uses: &[],
        fixate_entities: true,
    }
}

#[test]
fn every_key_is_in_the_descriptor() {
    let local = descriptor("local");
    assert_eq!(local.description, "This machine.");
    assert_eq!((local.scope, local.priority), ("session", 0));
    assert_eq!((local.type_id)(), TypeId::of::<Host>());
    let remote = descriptor("remote-host");
    assert_eq!(remote.can, ["remote", "fast"]);
    assert_eq!(remote.priority, -1);
    let shell = descriptor("shell");
    assert_eq!(shell.scope, "test");
    assert_eq!(shell.requirements.len(), 1);
    assert_eq!(shell.requirements[0].parameter, "host");
    assert_eq!(shell.requirements[0].can, ["remote"]);
}

#[test]
fn what_a_component_needs_is_made_first() -> Result<()> {
    let session = Scope::root("session", &registry());
    let test = session.child("test");
    assert_eq!(test.resolve::<Host>(&requirement::<Host>())?.0, "local");
    let shell = test.resolve::<Shell>(&requirement::<Shell>())?;
    assert_eq!(shell.on, "remote");
    Ok(())
}

#[test]
fn an_error_of_its_function_is_kept() {
    let session = Scope::root("session", &registry());
    let error = session
        .child("test")
        .resolve::<Unlucky>(&requirement::<Unlucky>())
        .expect_err("the function fails");
    let text = format!("{:#}", Error::from(error));
    assert!(text.contains("unlucky"), "{text}");
}
