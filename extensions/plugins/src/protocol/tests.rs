//! Every frame through both codecs, and the published schema beside the types.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use zaf_core::message::{EncodedMessage, EncodedPayload, MessageKind, WireFormat};

use super::*;

const SCHEMA: &str = include_str!("../../../../docs/src/schemas/plugin-protocol-1.json");

fn payload() -> EncodedPayload {
    EncodedPayload::new(WireFormat::Json, *br#"{"a":[1,"\n"]}"#)
}

fn message() -> EncodedMessage {
    EncodedMessage::new("MESSAGE", payload())
        .at("endpoint")
        .about("one")
}

/// One of each, with all of its fields.
fn to_plugin() -> Vec<ToPlugin<'static>> {
    let message = |kind| ToPlugin::Message {
        id: 3,
        kind,
        dispatcher: "main".into(),
        message: Cow::Owned(message()),
    };
    vec![
        ToPlugin::Describe {
            id: 1,
            protocol: PROTOCOL,
            host: HostName {
                name: "zk2".to_owned(),
                version: "1".to_owned(),
            },
            codecs: vec![Codec::Json, Codec::Binary],
        },
        ToPlugin::Start {
            id: 2,
            config: Cow::Owned(BTreeMap::from([("my.key".to_owned(), json!(["a", 1]))])),
            entity: Some("one".into()),
        },
        message(MessageKind::Event),
        message(MessageKind::Request),
        ToPlugin::Replies {
            id: 1,
            replies: vec![
                ReplyEntry {
                    handler: "a".to_owned(),
                    result: Ok(payload()),
                },
                ReplyEntry {
                    handler: "b".to_owned(),
                    result: Err(CallError::new("abandoned", "never answered")),
                },
            ],
        },
        ToPlugin::Done { id: 2 },
        ToPlugin::Error {
            id: 3,
            error: CallError::new("unknown-message", "no"),
        },
        ToPlugin::Stop { id: 4 },
    ]
}

/// One of each, with all of its fields.
fn from_plugin() -> Vec<FromPlugin> {
    vec![
        FromPlugin::Description {
            id: 1,
            plugin: Box::new(description()),
        },
        FromPlugin::Done { id: 2 },
        FromPlugin::Reply {
            id: 3,
            payload: payload(),
        },
        FromPlugin::Error {
            id: Some(4),
            text: "no".to_owned(),
            causes: vec!["why".to_owned()],
        },
        FromPlugin::Trigger {
            id: Some(1),
            during: Some(3),
            message: message(),
        },
        FromPlugin::Send {
            id: 2,
            during: Some(3),
            message: message(),
            timeout: Some(Duration::from_millis(1500)),
        },
        FromPlugin::Log {
            level: LogLevel::Warn,
            text: "a\nb".to_owned(),
        },
        FromPlugin::Stopped { id: 5 },
    ]
}

/// With every field, and nothing that is left out when it is written.
fn description() -> Description {
    let text = json!({
        "protocol": 1, "codec": "binary", "name": "example", "version": "1", "description": "An example.",
        "kind": {"command": {"extends": ["run"]}},
        "options": [
            {"name": "a.choice", "type": "choice", "description": "One.", "choices": ["x", "y"], "default": "x",
             "required": true, "short": "c", "at": "ids"},
            {"name": "ids", "type": "entity", "description": "Several.", "multiple": true, "instantiate_on": true},
        ],
        "endpoints": [{"name": "endpoint", "description": "Where.", "messages": [
            {"name": "MESSAGE", "kind": "event", "description": "What."},
        ]}],
        "dispatchers": [{"name": "main", "messages": ["MESSAGE"], "endpoints": ["endpoint"], "priority": 5,
            "threads": "concurrent", "optional": true, "entity": true, "format": "postcard"}],
        "groups": ["group"], "default_enabled": false, "activate_on": [["ids"]], "deactivate_on": [["a.choice"]],
        "replaces": ["other"], "concurrent": true, "samples": {"MESSAGE": null},
    });
    let mut description: Description = serde_json::from_value(text).unwrap();
    assert_eq!(description.problems(false), [""; 0]);
    description.source = None;
    description
}

#[test]
fn every_frame_is_read_as_it_was_written() {
    for frame in to_plugin() {
        let mut line = Vec::new();
        json::write_to_plugin(&frame, &mut line).unwrap();
        assert_eq!(json::read_to_plugin(&line).as_ref(), Ok(&frame));
        assert_eq!(
            line.iter().position(|&byte| byte == b'\n'),
            Some(line.len() - 1)
        );
        let mut bytes = Vec::new();
        match binary::write_to_plugin(&frame, &mut bytes) {
            Ok(()) => assert_eq!(binary::read_to_plugin(&bytes[binary::LENGTH..]), Ok(frame)),
            Err(_) => assert!(matches!(frame, ToPlugin::Describe { .. })),
        }
    }
    for frame in from_plugin() {
        let mut line = Vec::new();
        json::write_from_plugin(&frame, &mut line).unwrap();
        let mut read = json::read_from_plugin(&line).unwrap();
        if let FromPlugin::Description { plugin, .. } = &mut read {
            plugin.source = None;
        }
        assert_eq!(read, frame);
        let mut bytes = Vec::new();
        match binary::write_from_plugin(&frame, &mut bytes) {
            Ok(()) => assert_eq!(
                binary::read_from_plugin(&bytes[binary::LENGTH..]),
                Ok(frame)
            ),
            Err(_) => assert!(matches!(frame, FromPlugin::Description { .. })),
        }
    }
}

#[test]
fn a_binary_frame_that_is_cut_anywhere_is_refused() {
    for frame in from_plugin().into_iter().skip(1) {
        let mut bytes = Vec::new();
        binary::write_from_plugin(&frame, &mut bytes).unwrap();
        let body = &bytes[binary::LENGTH..];
        let carries_text_last = !matches!(
            frame,
            FromPlugin::Reply { .. }
                | FromPlugin::Trigger { .. }
                | FromPlugin::Send { .. }
                | FromPlugin::Error { .. }
        );
        for length in 0..body.len() {
            let read = binary::read_from_plugin(&body[..length]);
            // A payload may be shorter; everything before it may not.
            assert!(
                read.is_err() || !carries_text_last,
                "{frame:?} at {length}: {read:?}"
            );
            assert_ne!(read, Ok(frame.clone()));
        }
    }
}

#[test]
fn the_layout_of_a_binary_frame_is_what_the_book_says() {
    let frame = FromPlugin::Trigger {
        id: Some(7),
        during: Some(3),
        message: EncodedMessage::new("M", EncodedPayload::new(WireFormat::Json, *b"1")).at("e"),
    };
    let mut bytes = Vec::new();
    binary::write_from_plugin(&frame, &mut bytes).unwrap();
    // The offsets of the page, of which the last is where the texts begin.
    let table = block("**The binary codec**", "text");
    let offset = |what: &str| -> usize {
        let line = table.lines().find(|line| line.contains(what)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    let four = |what| {
        let bytes = bytes[offset(what)..][..4].try_into().unwrap();
        u32::from_le_bytes(bytes)
    };
    let all = u32::try_from(bytes.len() - binary::LENGTH).unwrap();
    assert_eq!(four("length of all that follows"), all);
    assert!(table.contains("trigger 11") && bytes[offset("type: start")] == 11);
    assert!(table.contains("1 JSON") && bytes[offset("format of the payload")] == 1);
    assert_eq!((four("id; 0 none"), four("during; 0 none")), (7, 3));
    assert_eq!(four("five texts"), u32::MAX);
    let none = [255; 4];
    let expected = [
        &[
            51, 0, 0, 0, 11, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0,
            0, 0, 0, 0,
        ][..],
        &none,
        &[1, 0, 0, 0, b'M'],
        &[1, 0, 0, 0, b'e'],
        &none,
        &none,
        b"1",
    ];
    assert_eq!(bytes, expected.concat());
}

#[test]
fn postcard_needs_the_binary_codec() {
    let payload = EncodedPayload::new(WireFormat::Postcard, [1, 2]);
    let frame = FromPlugin::Reply { id: 1, payload };
    let mut out = vec![9];
    let error = json::write_from_plugin(&frame, &mut out).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a payload in postcard cannot be written with the codec `json`"
    );
    assert_eq!(out, [9]);
    binary::write_from_plugin(&frame, &mut out).unwrap();
    assert_eq!(
        binary::read_from_plugin(&out[1 + binary::LENGTH..]),
        Ok(frame)
    );
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    let line = br#"{"type":"done","id":1,"took_us":5,"nested":{"a":[]}}"#;
    assert_eq!(json::read_from_plugin(line), Ok(FromPlugin::Done { id: 1 }));
    let text = r#"{"protocol":1,"name":"a","version":"1","description":"A.","kind":{"command":{"extends":["run"]}},"icon":"x"}"#;
    assert_eq!(json::read_description(text).unwrap().name, "a");
    let other = text.replace("\"protocol\":1", "\"protocol\":3");
    assert_eq!(
        json::read_description(&other),
        Err(FrameError::OtherProtocol {
            found: 3,
            expected: 1
        })
    );
}

#[test]
fn all_problems_of_a_description_are_told_at_once() {
    let text = r#"{"protocol":1,"name":"2x","version":"1","description":" ","kind":{"command":{"extends":[]}},
        "options":[{"name":"A b","type":"flag","description":"d","default":"yes"},{"name":"c","type":"choice","description":"d"},
            {"name":"c","default":1},{"name":"s","type":"secret","description":"d","default":"x"}],
        "endpoints":[{"name":"e","messages":[{"name":"M","kind":"event"}]},{"name":"f","messages":[{"name":"M","kind":"request"}]}],
        "dispatchers":[{"name":"d","messages":["M"],"threads":"threadpool","format":"postcard","entity":true},{"name":"d","messages":["M"]}],
        "activate_on":[["nothing"]],"samples":{"N":1},"replaces":["2x"]}"#;
    let problems = json::read_description(text).unwrap().problems(false);
    let expected = [
        "`name`: \"2x\" is not made of letters, digits, `-` and `_`, a letter first",
        "`description`: is empty; say in one line what the plugin does",
        "`kind.command.extends`: is empty; name a command, such as \"run\", or capabilities",
        "`replaces`: `2x` cannot replace itself",
        "`activate_on[0]`: names `nothing`, which is not among `options`",
        "`options[0].name`: \"A b\" is not made of words of a-z, 0-9 and `-` with dots between them",
        "`options[0]`: the default of `A b` is \"yes\", which is not `true` or `false`",
        "`options[1]`: `c` is a choice and needs `choices`",
        "`options[2]`: `c` is there twice",
        "`options[2]`: `c` has no `type`; an option that another extension declares is named only",
        "`options[3]`: `s` is secret and cannot have a default",
        "`endpoints`: `M` is an event at one and a request at another",
        "`dispatchers[0].format`: is \"postcard\", which needs \"codec\": \"binary\"",
        "`dispatchers[0].entity`: is true, but no option has `instantiate_on`",
        "`dispatchers[0].threads`: is \"threadpool\", which gives several messages at a time, but the plugin does not say \"concurrent\": true",
        "`dispatchers[1]`: `d` is there twice",
        "`samples`: has one for `N`, to which no dispatcher listens",
    ];
    assert_eq!(problems, expected);
}

/// Names of the fields of what is written, by the object of the schema that they belong to.
fn fields(
    value: &Value,
    schema: &Value,
    whole: &Value,
    place: &str,
    seen: &mut BTreeMap<String, BTreeSet<String>>,
) {
    let (schema, place) = match schema["$ref"].as_str() {
        Some(reference) => {
            let name = reference.trim_start_matches("#/$defs/");
            (&whole["$defs"][name], name.to_owned())
        }
        None => (schema, place.to_owned()),
    };
    match value {
        Value::Object(object) if schema["properties"].is_object() => {
            for (name, value) in object {
                let known = &schema["properties"][name];
                assert!(!known.is_null(), "the schema of `{place}` lacks `{name}`");
                seen.entry(place.clone()).or_default().insert(name.clone());
                fields(value, known, whole, &format!("{place}.{name}"), seen);
            }
            let required = schema["required"].as_array().into_iter().flatten();
            for name in required.filter_map(Value::as_str) {
                assert!(
                    object.contains_key(name),
                    "`{place}` is written without `{name}`"
                );
            }
        }
        Value::Array(items) => {
            for item in items {
                fields(item, &schema["items"], whole, &format!("{place}[]"), seen);
            }
        }
        scalar => {
            let words = schema["enum"].as_array();
            assert!(
                words.is_none_or(|words| words.contains(scalar)),
                "the schema of `{place}` lacks {scalar}"
            );
        }
    }
}

/// Each place of the schema with its properties.
fn declared(schema: &Value, place: &str, all: &mut BTreeMap<String, BTreeSet<String>>) {
    if let Some(properties) = schema["properties"].as_object() {
        all.insert(place.to_owned(), properties.keys().cloned().collect());
        for (name, property) in properties {
            declared(property, &format!("{place}.{name}"), all);
        }
    }
    if schema["items"].is_object() {
        declared(&schema["items"], &format!("{place}[]"), all);
    }
}

#[test]
fn the_published_schema_has_the_fields_of_the_types_and_no_others() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut seen = BTreeMap::new();
    let mut see = |direction: &str, line: &[u8]| {
        let frame: Value = serde_json::from_slice(line).unwrap();
        let name = format!("{direction}.{}", frame["type"].as_str().unwrap());
        assert_eq!(
            schema["$defs"][&name]["properties"]["type"]["const"], frame["type"],
            "{name}"
        );
        fields(&frame, &schema["$defs"][&name], &schema, &name, &mut seen);
    };
    for frame in to_plugin() {
        let mut line = Vec::new();
        json::write_to_plugin(&frame, &mut line).unwrap();
        see("to_plugin", &line);
    }
    for mut frame in from_plugin() {
        let mut line = Vec::new();
        json::write_from_plugin(&frame, &mut line).unwrap();
        see("from_plugin", &line);
        // The other sort of extension, which nothing can be at once.
        if let FromPlugin::Description { plugin, .. } = &mut frame {
            plugin.kind = ExtensionKind::Framework { load_order: 50 };
            let mut line = Vec::new();
            json::write_from_plugin(&frame, &mut line).unwrap();
            see("from_plugin", &line);
        }
    }
    let mut all = BTreeMap::new();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        declared(definition, name, &mut all);
    }
    assert_eq!(seen, all);
}

#[test]
fn the_published_schema_has_the_words_of_the_types_and_no_others() {
    fn words<T: serde::de::DeserializeOwned + serde::Serialize>(schema: &Value, count: usize) {
        let words = schema["enum"].as_array().unwrap();
        assert_eq!(words.len(), count);
        for word in words {
            let read: T = serde_json::from_value(word.clone()).unwrap();
            assert_eq!(&serde_json::to_value(read).unwrap(), word);
        }
    }
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let definitions = &schema["$defs"];
    let property = |of: &str, name: &str| definitions[of]["properties"][name].clone();
    words::<Codec>(&property("description", "codec"), 2);
    words::<OptionType>(&property("option", "type"), 12);
    words::<Kind>(&property("message", "kind"), 2);
    words::<Threads>(&property("dispatcher", "threads"), 4);
    words::<PayloadFormat>(&property("dispatcher", "format"), 2);
    words::<LogLevel>(&property("from_plugin.log", "level"), 5);
    assert_eq!(property("description", "protocol")["const"], PROTOCOL);
    assert_eq!(
        definitions["to_plugin"]["oneOf"].as_array().unwrap().len(),
        to_plugin().len()
    );
    assert_eq!(
        definitions["from_plugin"]["oneOf"]
            .as_array()
            .unwrap()
            .len(),
        from_plugin().len()
    );
}

const PAGE: &str = include_str!("../../../../docs/src/plugin-protocol.md");

/// The contents of the first block of this language behind a line of the page.
fn block(heading: &str, language: &str) -> &'static str {
    let (_, behind) = PAGE.split_once(heading).unwrap();
    let (_, block) = behind.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0
}

#[test]
fn the_life_in_the_book_is_made_of_frames() {
    let mut frames = 0;
    for line in block("## A life", "text").lines() {
        frames += 1;
        match line.split_once(' ').unwrap() {
            ("→", frame) => drop(json::read_to_plugin(frame.as_bytes()).unwrap()),
            (_, frame) => drop(json::read_from_plugin(frame.as_bytes()).unwrap()),
        }
    }
    assert_eq!(frames, 17);
}

#[test]
fn the_question_to_a_finder_in_the_book_is_a_frame() {
    let text = block("**A finder** answers", "text");
    let (question, answer) = text.trim_end().split_once('\n').unwrap();
    let question = question.strip_prefix("→ ").unwrap();
    let question = json::read_to_plugin(question.as_bytes()).unwrap();
    let answer = answer.strip_prefix("← ").unwrap();
    let answer = json::read_from_plugin(answer.as_bytes()).unwrap();
    assert!(
        matches!(question, ToPlugin::Message { id: 3, .. }),
        "{question:?}"
    );
    assert!(
        matches!(answer, FromPlugin::Reply { id: 3, .. }),
        "{answer:?}"
    );
}

#[test]
fn the_description_in_the_book_is_right_and_has_every_field() {
    let text = block("## The description", "json");
    let description = json::read_description(text).unwrap();
    assert_eq!(description.problems(false), [""; 0]);
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let known = schema["$defs"]["description"]["properties"]
        .as_object()
        .unwrap();
    let written: Value = serde_json::from_str(text).unwrap();
    let names = |fields: &serde_json::Map<String, Value>| -> BTreeSet<String> {
        fields.keys().cloned().collect()
    };
    assert_eq!(names(written.as_object().unwrap()), names(known));
}

#[test]
fn the_words_for_errors_in_the_book_are_those_of_the_code() {
    // Of calls that the bus refuses, and of answers: one arm each.
    let bus = include_str!("../../../../zaf-core/src/message/portable/error.rs");
    let (_, bus) = bus.split_once("fn code(").unwrap();
    let (bus, _) = bus.split_once("\n    }\n").unwrap();
    let (_, answers) = include_str!("error.rs")
        .split_once("let code = match error {")
        .unwrap();
    let (answers, _) = answers.split_once("};").unwrap();
    let words = |text: &'static str, mark| text.split(mark).skip(1).step_by(2);
    // Of libraries alone: what comes too late.
    let expected: BTreeSet<&str> = words(bus, '"')
        .chain(words(answers, '"'))
        .chain(["ended"])
        .collect();
    let (_, behind) = PAGE.split_once("**Words in `code`**:").unwrap();
    let (written, _) = behind.split_once("\n\n").unwrap();
    let written: BTreeSet<&str> = words(written, '`').collect();
    assert_eq!(written, expected);
}

#[test]
fn the_limits_in_the_book_are_those_of_the_code() {
    let limits = crate::link::Deadlines::default();
    let (describe, start) = (limits.describe.as_secs(), limits.start.as_secs());
    let (message, stop) = (limits.deliver.as_secs(), limits.stop.as_secs());
    assert_eq!(limits::FRAME, 1_048_576);
    for row in [
        "| a frame | 1 MiB (1 048 576 bytes), ".to_owned(),
        format!("in what a plugin writes | {} |", limits::DEPTH),
        format!("in what a plugin writes | {} KiB, ", limits::STRING >> 10),
        format!("| `describe`, with the start of the program | {describe} s |"),
        format!("| `start` | {start} s |"),
        format!("| a message | {message} s; "),
        format!("| `stop` | {stop} s, then SIGTERM, {stop} s later SIGKILL |"),
    ] {
        assert!(PAGE.contains(&row), "{row}");
    }
}
