//! `#[requires]` on either side of the attribute that it belongs to.

use zaf_core::prelude::*;
use zaf_core::private::ZAF_COMPONENTS;

#[derive(Debug)]
struct Board;

#[derive(Debug)]
struct Below;

#[derive(Debug)]
struct Above;

#[component]
#[requires(board, can = ["serial", "power"], scope = "session")]
fn requires_below(board: &Board, other: &String) -> Below {
    let _ = (board, other);
    Below
}

#[requires(board, can = ["serial"])]
#[component]
fn requires_above(board: &Board) -> Above {
    let _ = board;
    Above
}

fn demands(component: &str) -> Vec<(&'static str, Vec<&'static str>, Option<&'static str>)> {
    ZAF_COMPONENTS
        .iter()
        .find(|descriptor| descriptor.name == component)
        .expect("invariant: the macro registered it")
        .requirements
        .iter()
        .map(|need| (need.parameter, need.can.to_vec(), need.scope))
        .collect()
}

#[test]
fn only_the_named_parameter_is_refined() {
    assert_eq!(
        demands("requires_below"),
        [
            ("board", vec!["serial", "power"], Some("session")),
            ("other", vec![], None)
        ]
    );
}

#[test]
fn the_order_of_the_attributes_does_not_matter() {
    assert_eq!(demands("requires_above"), [("board", vec!["serial"], None)]);
}

#[derive(Debug)]
struct Rack;

#[component(entity = "left", teardown = switch_off)]
#[requires(board, can = ["power"])]
#[requires(port, uses = [board], fixate_entities = false)]
fn rack(board: &Board, port: &u16) -> Rack {
    let _ = (board, port);
    Rack
}

fn switch_off(rack: &Rack) -> std::io::Result<()> {
    Err(std::io::Error::other(format!("{rack:?} has no switch")))
}

#[test]
fn used_parameters_entities_and_teardowns_are_in_the_descriptor() {
    let rack = ZAF_COMPONENTS.iter().find(|one| one.name == "rack");
    let rack = rack.expect("invariant: the macro registered it");
    let [board, port] = rack.requirements else {
        panic!("two parameters")
    };
    assert_eq!((board.uses, board.fixate_entities), (&[][..], true));
    assert_eq!((port.uses, port.fixate_entities), (&["board"][..], false));
    assert_eq!(rack.entity, Some("left"));
    let teardown = rack.teardown.expect("it has one");
    let error = teardown(&Rack).expect_err("it fails");
    assert_eq!(error.to_string(), "Rack has no switch");
    assert!(teardown(&Board).is_err(), "of another type");
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "components are asked for by reference"
)]
#[command(name = "rack")]
#[requires(board, can = ["power"])]
fn with_components(cx: &CommandContext<'_>, board: &Board, port: &u16) -> Result<()> {
    let _ = (cx, board, port);
    Ok(())
}

#[test]
fn a_command_asks_for_components_behind_its_context() {
    let [board, port] = WITH_COMPONENTS_COMMAND.requirements else {
        panic!("two parameters")
    };
    assert_eq!((board.parameter, board.can), ("board", &["power"][..]));
    assert_eq!(port.parameter, "port");
}
