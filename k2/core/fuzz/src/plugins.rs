//! What a plugin writes, what it says about itself, and files that claim to be libraries.

use zaf_plugins::link::check_library;
use zaf_plugins::protocol::{binary, json};

/// A line of JSON in both directions: what is accepted is read again as the same.
pub fn plugin_frame_json(data: &[u8]) {
    // A line has no line breaks, which would become blanks.
    if data.contains(&b'\n') || data.contains(&b'\r') {
        return;
    }
    let mut line = Vec::new();
    if let Ok(frame) = json::read_from_plugin(data) {
        // What was escaped or is written in full may be longer than what was read.
        if json::write_from_plugin(&frame, &mut line).is_ok() {
            assert_eq!(line.pop(), Some(b'\n'));
            assert!(!line.contains(&b'\n'));
        }
    }
    line.clear();
    if let Ok(frame) = json::read_to_plugin(data)
        && json::write_to_plugin(&frame, &mut line).is_ok()
    {
        assert_eq!(json::read_to_plugin(&line), Ok(frame));
    }
}

/// What follows the length of a binary frame, in both directions: what is accepted is read again as the same.
pub fn plugin_frame_binary(data: &[u8]) {
    let mut bytes = Vec::new();
    if let Ok(frame) = binary::read_from_plugin(data)
        && binary::write_from_plugin(&frame, &mut bytes).is_ok()
    {
        assert_eq!(binary::read_from_plugin(&bytes[binary::LENGTH..]), Ok(frame));
    }
    bytes.clear();
    if let Ok(frame) = binary::read_to_plugin(data)
        && binary::write_to_plugin(&frame, &mut bytes).is_ok()
    {
        assert_eq!(binary::read_to_plugin(&bytes[binary::LENGTH..]), Ok(frame));
    }
}

/// A description: its problems are texts of one line each, and not many times what was read.
pub fn plugin_description(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(description) = json::read_description(text) {
        for payloads_are_raw in [false, true] {
            drop(description.problems(payloads_are_raw));
        }
    }
}

/// A file that claims to be a library: accepted or refused, with a text.
pub fn plugin_library(data: &[u8]) {
    if let Err(refusal) = check_library(data) {
        assert!(!refusal.to_string().is_empty());
    }
}
