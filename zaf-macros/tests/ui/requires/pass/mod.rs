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
