//! What `commands`, `endpoints`, `messages`, `components`, `extensions` and `plugins` list.

use serde_json::{Value, json};

use super::kitchen::{GROUPED, REGISTERING, house, parsed, rows, run_wide, said};

/// The lists of an application, each with the name of its rows.
const LISTS: [(&str, &str); 6] = [
    ("commands", "commands"),
    ("endpoints", "endpoints"),
    ("messages", "messages"),
    ("extensions", "extensions"),
    ("plugins", "types"),
    ("components", "components"),
];

/// The row of this name in a list.
fn row<'a>(list: &'a Value, of: &str, name: &str) -> &'a Value {
    let rows = list[of].as_array().expect("a list");
    rows.iter()
        .find(|row| row["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {list:#}"))
}

/// Values of one field of all rows.
fn column(rows: &Value, field: &str) -> Vec<Value> {
    let rows = rows.as_array().expect("a list");
    rows.iter().map(|row| row[field].clone()).collect()
}

#[test]
fn messages_say_what_they_carry_and_who_listens() {
    let names = [
        "MEAL_IS_READY_TO_BE_SERVED",
        "PRICE_OF_A_MEAL",
        "PLATE_IS_EMPTY",
        "BEFORE_COMMAND",
    ];
    let narrow = rows(&said(80, &["messages"]), &names);
    insta::assert_snapshot!("messages_80", narrow);
    let wide = rows(
        &said(120, &["messages", "--target-command", "cook"]),
        &names,
    );
    insta::assert_snapshot!("messages_of_cook_120", wide);
}

#[test]
fn messages_of_a_command_are_those_of_its_extensions() {
    let of_cook = parsed(&["messages", "--target-command", "cook"]);
    assert_eq!(of_cook["target_command"], "cook");
    let meal = row(&of_cook, "messages", "MEAL_IS_READY_TO_BE_SERVED");
    assert_eq!(meal["kind"], "event");
    assert_eq!(meal["payload"], "alloc::vec::Vec<alloc::string::String>");
    assert_eq!(meal["reply"], Value::Null);
    assert_eq!(meal["portable"], true);
    assert_eq!(meal["endpoints"], json!(["hall", "kitchen-of-the-house"]));
    // Who is inactive does not listen; the highest priority comes first.
    assert_eq!(
        column(&meal["listeners"], "extension"),
        ["waiter", "kitchen"]
    );
    let waiter = &meal["listeners"][0];
    assert_eq!(waiter["kind"], "sequential");
    assert_eq!(waiter["priority"], 50);
    assert_eq!(waiter["endpoints"], json!(["hall"]));
    assert_eq!(waiter["state"], "active");
    let price = row(&of_cook, "messages", "PRICE_OF_A_MEAL");
    assert_eq!(price["reply"], "u32");
    assert_eq!(price["portable"], false);
    assert_eq!(price["formats"], json!([]));

    // Another command has none of the extensions of `cook`, but the framework extensions.
    let of_noop = parsed(&["messages", "--target-command", "noop"]);
    let meal = row(&of_noop, "messages", "MEAL_IS_READY_TO_BE_SERVED");
    assert_eq!(column(&meal["listeners"], "extension"), ["kitchen"]);
    let names = column(&of_noop["messages"], "name");
    assert!(!names.contains(&json!("PLATE_IS_EMPTY")), "{names:?}");

    // Without a command, inactive ones are listed with their reason.
    let all = parsed(&["messages"]);
    let meal = row(&all, "messages", "MEAL_IS_READY_TO_BE_SERVED");
    let smoker = &meal["listeners"][2];
    assert_eq!(smoker["extension"], "smoker");
    assert_eq!(smoker["state"], "inactive");
    assert_eq!(smoker["reason"], "smoke.allowed is false");
}

#[test]
fn what_is_registered_in_code_is_listed_as_a_listener_of_the_moment() {
    let line = ["messages", "--format", "json"];
    let (code, stdout, stderr) = run_wide(house([REGISTERING]), 80, &line);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let list: Value = serde_json::from_str(&stdout).expect("JSON");
    let meal = row(&list, "messages", "MEAL_IS_READY_TO_BE_SERVED");
    let listeners = meal["listeners"].as_array().expect("a list");
    let of_code: Vec<&Value> = listeners
        .iter()
        .filter(|one| one["extension"].is_null())
        .collect();
    assert_eq!(of_code.len(), 2, "{of_code:#?}");
    assert_eq!(of_code[0]["handler"], "guest");
    assert_eq!(of_code[0]["kind"], "sequential");
    assert_eq!(of_code[0]["priority"], 7);
    assert_eq!(
        of_code[0]["endpoints"],
        json!(["kitchen-of-the-house", "hall"])
    );
    assert_eq!(of_code[0]["file"], Value::Null);
    assert_eq!(of_code[1]["handler"], "queue of MEAL_IS_READY_TO_BE_SERVED");
    assert_eq!(of_code[1]["endpoints"], json!(["hall"]));
    // What is declared is listed once, although it is registered too.
    let kitchen = listeners.iter().filter(|one| one["handler"] == "on_meal");
    assert_eq!(kitchen.count(), 1);
    let abort = row(&list, "messages", "ABORT");
    assert_eq!(abort["listeners"][0]["handler"], "application.abort");

    let (_, stdout, _) = run_wide(house([REGISTERING]), 80, &["endpoints", "--format", "json"]);
    let list: Value = serde_json::from_str(&stdout).expect("JSON");
    let hall = row(&list, "endpoints", "hall");
    assert_eq!(hall["messages"][0]["listeners"], 5);
}

#[test]
fn f46_endpoints_of_extensions_and_of_the_application_are_listed() {
    let names = ["kitchen-of-the-house", "hall", "application"];
    insta::assert_snapshot!("endpoints_80", rows(&said(80, &["endpoints"]), &names[..2]));
    let all = parsed(&["endpoints"]);
    for name in names {
        row(&all, "endpoints", name);
    }
    let application = row(&all, "endpoints", "application");
    assert_eq!(application["defined_by"][0]["extension"], Value::Null);
    let messages = column(&application["messages"], "name");
    for name in ["ABORT", "AFTER_COMMAND", "BEFORE_COMMAND", "HANDLER_FAILED"] {
        assert!(messages.contains(&json!(name)), "{name}: {messages:?}");
    }
    let hall = row(&all, "endpoints", "hall");
    assert_eq!(
        hall["defined_by"],
        json!([{"extension": "kitchen", "crate": "house", "file": "src/kitchen.rs", "line": 10}])
    );
    // Three dispatchers listen at the hall, two of them wherever the message is defined.
    assert_eq!(hall["messages"][0]["listeners"], 3);
    let kitchen = row(&all, "endpoints", "kitchen-of-the-house");
    assert_eq!(kitchen["messages"][0]["listeners"], 2);
}

#[test]
fn commands_are_a_tree_with_what_extends_each_and_why() {
    let names = ["cook", "soup"];
    insta::assert_snapshot!("commands_80", rows(&said(80, &["commands"]), &names));
    insta::assert_snapshot!(
        "commands_cook_120",
        said(120, &["commands", "--target-command", "cook"])
    );
    let all = parsed(&["commands"]);
    let cook = row(&all, "commands", "cook");
    assert_eq!(cook["uses"], json!(["cook", "heat", "serve"]));
    assert_eq!(cook["extension"], "kitchen");
    let because: Vec<(Value, Value)> = column(&cook["extended_by"], "extension")
        .into_iter()
        .zip(column(&cook["extended_by"], "because"))
        .collect();
    assert_eq!(
        because,
        [
            (json!("cashier"), json!("command")),
            (json!("oven"), json!("capabilities")),
            (json!("smoker"), json!("capabilities")),
            (json!("waiter"), json!("capabilities")),
        ]
    );
    assert_eq!(
        cook["extended_by"][3]["capabilities"],
        json!(["heat", "serve"])
    );
    assert_eq!(cook["extended_by"][2]["state"], "inactive");
    let options = column(&cook["options"], "key");
    assert_eq!(options, ["guests.number", "smoke.allowed"]);
    assert_eq!(cook["options"][0]["required"], true);
    assert_eq!(cook["options"][1]["default"], "false");
    let soup = row(&all, "commands", "soup");
    assert_eq!(soup["parent"], "cook");
    assert_eq!(soup["path"], "cook soup");
    assert_eq!(soup["hidden"], true);
}

#[test]
fn components_say_where_they_come_from_and_who_asks_for_them() {
    let names = ["tray_of_silver", "tray_of_wood", "Console"];
    insta::assert_snapshot!("components_80", rows(&said(80, &["components"]), &names));
    let of_cook = parsed(&["components", "--target-command", "cook"]);
    let tray = row(&of_cook, "components", "tray_of_silver");
    assert_eq!(tray["can"], json!(["carry", "shine"]));
    assert_eq!(tray["scope"], "session");
    assert_eq!(tray["priority"], 5);
    assert_eq!(
        (&tray["crate"], &tray["file"], &tray["line"]),
        (&json!("house"), &json!("src/staff.rs"), &json!(70))
    );
    let carry = |first_choice: bool| {
        json!([{
            "by": "handler", "name": "waiter.carry", "parameter": "tray", "first_choice": first_choice
        }])
    };
    assert_eq!(tray["needed_by"], carry(true));
    let other = row(&of_cook, "components", "tray_of_wood");
    assert_eq!(other["needed_by"], carry(false));
    let console = row(&of_cook, "components", "Console");
    assert_eq!(
        column(&console["needed_by"], "name"),
        ["tray_of_silver", "tray_of_wood"]
    );
    assert_eq!(console["priority"], Value::Null);

    // The waiter has nothing to do with another command.
    let of_noop = parsed(&["components", "--target-command", "noop"]);
    let tray = row(&of_noop, "components", "tray_of_silver");
    assert_eq!(tray["needed_by"], json!([]));
}

#[test]
fn extensions_say_what_they_replace_and_who_decided() {
    let all = parsed(&["extensions", "--target-command", "cook"]);
    let cashier = row(&all, "extensions", "cashier");
    assert_eq!(cashier["state"], "active");
    assert_eq!(cashier["replaces"], json!(["honesty"]));
    assert_eq!(cashier["extends_commands"], json!(["cook"]));
    assert_eq!(cashier["decided_by"], "default");
    let honesty = row(&all, "extensions", "honesty");
    assert_eq!(honesty["state"], "replaced");
    assert_eq!(honesty["replaced_by"], "cashier");
    assert_eq!(honesty["reason"], "replaced by cashier");
    let gardener = row(&all, "extensions", "gardener");
    assert_eq!(gardener["state"], "inactive");
    assert_eq!(gardener["reason"], "does not extend cook");
    let kitchen = row(&all, "extensions", "kitchen");
    assert_eq!(kitchen["kind"], "framework");
    assert_eq!(kitchen["commands"], json!(["cook", "cook soup"]));
    assert_eq!(row(&all, "extensions", "cli")["decided_by"], "always");
}

#[test]
fn plugins_are_listed_by_type_with_all_states() {
    let text = said(80, &["plugins", "--target-command", "cook"]);
    let blocks: Vec<&str> = text
        .split("\n\n")
        .filter(|block| !block.contains("(framework):") && !block.contains("(command):"))
        .collect();
    insta::assert_snapshot!("plugins_of_cook_80", blocks.join("\n\n"));
    let all = parsed(&["plugins"]);
    let types = column(&all["types"], "type");
    assert_eq!(
        types,
        ["framework", "command", "cook", "dig", "heat", "heat.serve"]
    );
    assert_eq!(
        column(&all["types"][4]["plugins"], "fully_qualified_name"),
        ["heat.oven", "heat.smoker"]
    );
    // Parts of one extension that are loaded at several orders are one plugin.
    let names = column(&all["types"][0]["plugins"], "name");
    assert_eq!(names.iter().filter(|name| **name == "cli").count(), 1);
}

#[test]
fn every_list_fits_the_terminal_and_ends_no_line_in_blanks() {
    for (list, _) in LISTS {
        for width in [80, 120] {
            for target in [&[][..], &["--target-command", "cook"]] {
                let line = [&[list], target].concat();
                let text = said(width, &line);
                for line in text.lines() {
                    assert!(line.chars().count() <= width, "{list} {width}: {line}");
                    assert_eq!(line, line.trim_end(), "{list}");
                }
                assert!(!text.contains('\u{1b}'), "{list} has colours: {text}");
            }
        }
    }
}

#[test]
fn every_list_says_the_same_again_and_has_the_documented_fields() {
    for (list, rows) in LISTS {
        let one = said(80, &[list, "--format", "json"]);
        assert_eq!(one, said(120, &[list, "--format", "json"]), "{list}");
        let parsed: Value = serde_json::from_str(&one).expect("JSON");
        assert_eq!(parsed["schema"], "1.2");
        assert_eq!(parsed["target_command"], Value::Null);
        assert_eq!(parsed["problems"], json!([]));
        let book = include_str!("../../../docs/src/introspection.md");
        let fields = parsed[rows][0].as_object().expect("a row");
        assert!(!fields.is_empty());
        for field in fields.keys().map(String::as_str).chain([rows]) {
            assert!(book.contains(&format!("`{field}`")), "{list}: `{field}`");
        }
    }
}

#[test]
fn a_command_that_nobody_knows_is_refused_with_the_nearest() {
    for (list, _) in LISTS {
        let line = [list, "--target-command", "cokk"];
        let (code, stdout, stderr) = run_wide(house([]), 80, &line);
        assert_eq!((code, stdout.as_str()), (2, ""), "{list}");
        assert!(stderr.contains("there is no command `cokk`"), "{stderr}");
        assert!(stderr.contains("did you mean `cook`?"), "{stderr}");
    }
}

#[test]
fn why_says_for_each_capability_whether_it_is_used() {
    let text = said(80, &["why", "waiter", "--target-command", "cook"]);
    insta::assert_snapshot!(text, @r"
    waiter (house 1.0.0, load order 1000) is active for `cook`
      extends     heat, serve                matches cook
      capability  heat                       used by cook
      capability  serve                      used by cook
      enabled     ext.waiter.enabled = true  default
    ");
    let text = said(80, &["why", "gardener", "--target-command", "cook"]);
    insta::assert_snapshot!(text, @r"
    gardener (house 1.0.0, load order 1000) is loaded but inactive for `cook`: does
    not extend cook
      extends     dig                          ◀ does not match cook
      capability  dig                          ◀ not used by cook
      enabled     ext.gardener.enabled = true  default
    ");
}

#[test]
fn why_names_the_key_and_the_place_that_switch_an_extension_off() {
    let of = |line: &[&str]| {
        let (code, stdout, stderr) = run_wide(house([GROUPED]), 80, line);
        assert_eq!((code, stderr.as_str()), (0, ""), "{line:?}");
        stdout
    };
    let list = ["--plugins-disable", "heat.oven"];
    let text = of(&[&["why", "oven", "--target-command", "cook"], &list[..]].concat());
    insta::assert_snapshot!(text, @r"
    oven (house 1.0.0, load order 1000) is not loaded: disabled by --plugins-disable
      extends     heat                      matches cook
      capability  heat                      used by cook
      enabled     plugins.disable names it  ◀ --plugins-disable
    ");
    let group = [
        "--no-ext-groups-staff@enabled",
        "--plugins-disable",
        "dig.groom",
    ];
    let text = of(&[&["why", "groom"], &group[..]].concat());
    insta::assert_snapshot!(text, @r"
    groom (house 1.0.0, load order 1000) is not loaded: disabled by
    --plugins-disable
      extends  dig                               --target-command says whether it
                                                 matches
      enabled  plugins.disable names it          ◀ --plugins-disable
      enabled  ext.groups.staff.enabled = false  --no-ext-groups-staff@enabled; does
                                                 not count
    ");
    // The same for programs.
    let text = of(&[&["why", "groom", "--format", "json"], &group[..]].concat());
    let parsed: Value = serde_json::from_str(&text).expect("JSON");
    let groom = row(&parsed, "extensions", "groom");
    assert_eq!(groom["state"], "disabled");
    assert_eq!(groom["reason"], "disabled by --plugins-disable");
    let steps = groom["steps"].as_array().expect("a list");
    let hindering: Vec<&Value> = steps
        .iter()
        .filter(|step| step["hinders"] == true)
        .collect();
    assert_eq!(hindering.len(), 1, "{steps:#?}");
    assert_eq!(hindering[0]["outcome"], "--plugins-disable");
    let all = of(&[&["extensions", "--format", "json"], &group[..]].concat());
    let all: Value = serde_json::from_str(&all).expect("JSON");
    let groom = row(&all, "extensions", "groom");
    assert_eq!(groom["decided_by"], "--plugins-disable");
    assert_eq!(groom["decided_by_key"], "plugins.disable");
    assert_eq!(groom["types"], json!(["dig"]));
    assert_eq!(groom["groups"], json!(["staff"]));
}

#[test]
fn plugins_can_be_listed_as_they_are_loaded() {
    let names = |line: &[&str]| {
        let all = parsed(&[&["plugins"], line].concat());
        let heat = all["types"].as_array().expect("a list");
        let heat = heat
            .iter()
            .find(|one| one["type"] == "heat")
            .expect("a type");
        column(&heat["plugins"], "name")
    };
    let order = ["--plugins-heat-order", "smoker"];
    assert_eq!(names(&[]), ["oven", "smoker"]);
    assert_eq!(names(&order), ["oven", "smoker"]);
    assert_eq!(
        names(&[&order[..], &["--ordered"]].concat()),
        ["smoker", "oven"]
    );
}
