//! As much of JSON Schema as the schemas of reports need, to check documents in tests.

use serde_json::Value;

/// A schema.
pub(crate) struct Schema(Value);

impl Schema {
    /// The schema that `text` is.
    pub(crate) fn of(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap())
    }

    /// Everything in which `document` is not as the schema says, with its place.
    pub(crate) fn problems(&self, document: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        self.check(&self.0, document, "", &mut problems);
        problems
    }

    fn check(&self, schema: &Value, value: &Value, place: &str, problems: &mut Vec<String>) {
        let keywords = schema.as_object().unwrap();
        let mut wrong = |what: String| problems.push(format!("{place}: {what}"));
        for (keyword, wanted) in keywords {
            match keyword.as_str() {
                // Those of the last line are looked at below.
                "$schema"
                | "$id"
                | "$defs"
                | "title"
                | "description"
                | "properties"
                | "additionalProperties"
                | "items" => {}
                "$ref" => {
                    let pointer = wanted.as_str().unwrap().trim_start_matches('#');
                    let target = self.0.pointer(pointer).unwrap();
                    self.check(target, value, place, problems);
                    return;
                }
                "type" => {
                    let names = match wanted {
                        Value::Array(names) => names.clone(),
                        name => vec![name.clone()],
                    };
                    if !names.iter().any(|name| is_a(value, name.as_str().unwrap())) {
                        wrong(format!("{value} is not {wanted}"));
                    }
                }
                "enum" => {
                    if !wanted.as_array().unwrap().contains(value) {
                        wrong(format!("{value} is none of {wanted}"));
                    }
                }
                "const" => {
                    if wanted != value {
                        wrong(format!("{value} is not {wanted}"));
                    }
                }
                "minLength" => {
                    if value.as_str().is_some_and(|text| {
                        (text.chars().count() as u64) < wanted.as_u64().unwrap()
                    }) {
                        wrong(format!("{value} is too short"));
                    }
                }
                "minimum" => {
                    if value
                        .as_i64()
                        .is_some_and(|number| number < wanted.as_i64().unwrap())
                    {
                        wrong(format!("{value} is too small"));
                    }
                }
                "required" => {
                    for name in wanted.as_array().unwrap() {
                        if value
                            .as_object()
                            .is_some_and(|object| !object.contains_key(name.as_str().unwrap()))
                        {
                            wrong(format!("{name} is missing"));
                        }
                    }
                }
                other => panic!("the keyword {other} is not understood"),
            }
        }
        if let (Some(items), Value::Array(values)) = (keywords.get("items"), value) {
            for (n, value) in values.iter().enumerate() {
                self.check(items, value, &format!("{place}/{n}"), problems);
            }
        }
        let Value::Object(object) = value else { return };
        for (name, value) in object {
            let place = format!("{place}/{name}");
            let known = keywords.get("properties").and_then(|all| all.get(name));
            match (known, keywords.get("additionalProperties")) {
                (Some(schema), _) | (None, Some(schema @ Value::Object(_))) => {
                    self.check(schema, value, &place, problems);
                }
                (None, Some(Value::Bool(false))) => problems.push(format!("{place}: not known")),
                _ => {}
            }
        }
    }
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("the type {other} is not understood"),
    }
}

#[test]
fn a_document_that_is_not_as_the_schema_says_is_found() {
    let schema = Schema::of(
        r##"{"type": "object", "required": ["a"], "additionalProperties": false,
             "properties": {"a": {"$ref": "#/$defs/n"}, "b": {"items": {"type": ["string", "null"]}}},
             "$defs": {"n": {"type": "integer", "minimum": 1}}}"##,
    );
    let problems = |text: &str| schema.problems(&serde_json::from_str(text).unwrap()).len();
    assert_eq!(problems(r#"{"a": 1, "b": ["x", null]}"#), 0);
    for wrong in [
        "[]",
        "{}",
        r#"{"a": 0}"#,
        r#"{"a": "1"}"#,
        r#"{"a": 1, "c": 2}"#,
        r#"{"a": 1, "b": [1]}"#,
    ] {
        assert_eq!(problems(wrong), 1, "{wrong}");
    }
}
