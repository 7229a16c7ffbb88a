//! Fields of a description that mean nothing: a host passes over them, so nobody notices a word that was mistyped.

use serde_json::Value;
use zaf_core::config::nearest;

use super::CheckReport;
use crate::protocol::Description;

/// The published schema of descriptions and frames.
const SCHEMA: &str = include_str!("../../../../../docs/src/schemas/plugin-protocol-1.json");

/// Looks for fields that the schema does not know.
pub(super) fn check(description: &Description, report: &mut CheckReport) {
    let schema: Value = serde_json::from_str(SCHEMA).expect("invariant: a test reads the schema");
    let source = description.source.as_deref().unwrap_or_default();
    let Ok(description) = serde_json::from_str(source) else {
        return;
    };
    let mut unknown = Vec::new();
    walk(
        &description,
        &schema["$defs"]["description"],
        &schema,
        "",
        &mut unknown,
    );
    if unknown.is_empty() {
        report.ok("fields");
        return;
    }
    let what = format!(
        "the description has fields that mean nothing: {}",
        unknown.join(", ")
    );
    report.wrong(
        "fields",
        &what,
        "write them as the page on the plugin protocol does, or leave them out",
    );
}

fn walk(value: &Value, schema: &Value, whole: &Value, place: &str, unknown: &mut Vec<String>) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => &whole["$defs"][reference.trim_start_matches("#/$defs/")],
        None => schema,
    };
    match value {
        Value::Object(fields) => {
            let Some(known) = schema["properties"].as_object() else {
                return; // Any fields.
            };
            for (name, value) in fields {
                let place = if place.is_empty() {
                    name.clone()
                } else {
                    format!("{place}.{name}")
                };
                if let Some(schema) = known.get(name) {
                    walk(value, schema, whole, &place, unknown);
                    continue;
                }
                let near = nearest(name, known.keys().map(String::as_str));
                unknown.push(match near {
                    Some(near) => format!("`{place}` (did you mean `{near}`?)"),
                    None => format!("`{place}`"),
                });
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(
                    item,
                    &schema["items"],
                    whole,
                    &format!("{place}[{index}]"),
                    unknown,
                );
            }
        }
        _ => {}
    }
}
