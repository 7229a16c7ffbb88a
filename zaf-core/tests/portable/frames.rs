//! What is on the wire: the bytes themselves. A change here is a change for every peer.

use std::time::Duration;

use zaf_core::message::{
    EncodedMessage, EncodedPayload, EncodedReply, EncodedReplyError, WireFormat,
};

use super::{FORMATS, ordered};

/// A frame may be this much longer than its payload and more; the tests stay below.
const LIMIT: usize = 1 << 16;

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn the_frame_of_an_event_is_what_it_always_was() {
    let message = ordered(WireFormat::Postcard).about("t7");
    let bytes = message.to_bytes(WireFormat::Postcard, LIMIT).unwrap();
    insta::assert_snapshot!(hex(&bytes), @"074f52444552454401076b69746368656e010274370018070204736f7570074b6cc3b6c39f6501076e6f2073616c74");
    let text = message.to_bytes(WireFormat::Json, LIMIT).unwrap();
    insta::assert_snapshot!(String::from_utf8(text).unwrap(), @r#"{"name":"ORDERED","endpoint":"kitchen","entity":"t7","payload":{"format":"postcard","text":"070204736f7570074b6cc3b6c39f6501076e6f2073616c74"}}"#);
    let text = ordered(WireFormat::Json)
        .to_bytes(WireFormat::Json, LIMIT)
        .unwrap();
    insta::assert_snapshot!(String::from_utf8(text).unwrap(), @r#"{"name":"ORDERED","endpoint":"kitchen","entity":null,"payload":{"format":"json","text":"{\"table\":7,\"meals\":[\"soup\",\"Klöße\"],\"note\":\"no salt\"}"}}"#);
}

#[test]
fn the_reasons_for_having_no_answer_are_what_they_always_were() {
    let errors = [
        EncodedReplyError::Abandoned,
        EncodedReplyError::Panicked {
            message: "p".to_owned(),
        },
        EncodedReplyError::Failed {
            causes: vec!["c".to_owned()],
            hints: vec!["h".to_owned()],
        },
        EncodedReplyError::Cancelled,
        EncodedReplyError::Rejected { bound: 5 },
        EncodedReplyError::TimedOut {
            after: Duration::from_millis(1500),
        },
        EncodedReplyError::WouldDeadlock,
        EncodedReplyError::TooLarge {
            actual: 9,
            limit: 8,
        },
        EncodedReplyError::Unencodable {
            problem: "u".to_owned(),
        },
        EncodedReplyError::Other {
            text: "o".to_owned(),
        },
    ];
    let lines: Vec<String> = errors
        .iter()
        .map(|error| {
            let bytes = postcard::to_stdvec(error).unwrap();
            let text = serde_json::to_string(error).unwrap();
            assert_eq!(postcard::from_bytes(&bytes), Ok(error.clone()));
            assert_eq!(
                serde_json::from_str::<EncodedReplyError>(&text).unwrap(),
                *error
            );
            format!("{} {text}", hex(&bytes))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    00 "abandoned"
    010170 {"panicked":{"message":"p"}}
    02010163010168 {"failed":{"causes":["c"],"hints":["h"]}}
    03 "cancelled"
    0405 {"rejected":{"bound":5}}
    050180cab5ee01 {"timed-out":{"after":{"secs":1,"nanos":500000000}}}
    06 "would-deadlock"
    070908 {"too-large":{"actual":9,"limit":8}}
    080175 {"unencodable":{"problem":"u"}}
    09016f {"other":{"text":"o"}}
    "#);
}

#[test]
fn an_answer_crosses_a_border_as_it_is() {
    let answer = EncodedPayload::new(WireFormat::Postcard, [1, 2]);
    let json = r#"{"handler":"menu","result":{"Ok":{"format":"postcard","text":"0102"}}}"#;
    let reply: EncodedReply = serde_json::from_str(json).unwrap();
    assert_eq!(reply.result, Ok(answer));
    assert_eq!(serde_json::to_string(&reply).unwrap(), json);
    let bytes = postcard::to_stdvec(&reply).unwrap();
    assert_eq!(hex(&bytes), "046d656e75000002".to_owned() + "0102");
    assert_eq!(postcard::from_bytes(&bytes), Ok(reply));
}

#[test]
fn a_frame_that_is_none_is_told_where() {
    let error = |bytes: &[u8], format| {
        EncodedMessage::from_bytes(bytes, format, LIMIT)
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!(error(b"\x07ORD", WireFormat::Postcard), @"frame: not an encoded message in postcard, wrong behind byte 1: the bytes end before the value does");
    insta::assert_snapshot!(error(br#"{"name":"A","endpoint":7}"#, WireFormat::Json), @"frame: not an encoded message in JSON, wrong behind byte 23: invalid type: integer `7`, expected a string");
    let odd = br#"{"name":"A","endpoint":null,"entity":null,"payload":{"format":"postcard","text":"012"}}"#;
    insta::assert_snapshot!(error(odd, WireFormat::Json), @"frame: not an encoded message in JSON, wrong behind byte 86: a payload in postcard is not pairs of hexadecimal digits");
    for format in FORMATS {
        let mut bytes = ordered(format).to_bytes(format, LIMIT).unwrap();
        bytes.push(b'1');
        let error = error(&bytes, format);
        assert!(error.starts_with("frame: 1 bytes too many"), "{error}");
    }
}

#[test]
fn a_frame_of_a_later_version_may_say_more_in_json() {
    let text = br#"{"name":"A","new":[1],"endpoint":"e","entity":"x","payload":{"format":"json","text":"7"}}"#;
    let message = EncodedMessage::from_bytes(text, WireFormat::Json, LIMIT).unwrap();
    assert_eq!(
        message,
        EncodedMessage::new("A", EncodedPayload::new(WireFormat::Json, *b"7"))
            .at("e")
            .about("x")
    );
}
