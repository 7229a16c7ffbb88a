//! A plugin that answers each request with its payload.

use std::io::{BufRead, Read, StdinLock, Write};
use std::process::ExitCode;

use zaf_plugins::protocol::{
    Codec, Description, ExtensionKind, FromPlugin, ToPlugin, binary, json,
};

/// Until its input ends, or it is asked to.
pub(crate) fn run(codec: &str) -> ExitCode {
    let codec = match codec {
        "binary" => Codec::Binary,
        _ => Codec::Json,
    };
    let (mut input, mut out) = (std::io::stdin().lock(), Vec::new());
    let mut written = Codec::Json;
    while let Some(frame) = read(&mut input, written) {
        let answer = match frame {
            ToPlugin::Describe { id, .. } => FromPlugin::Description {
                id,
                plugin: Box::new(description(codec)),
            },
            ToPlugin::Message { id, message, .. } => FromPlugin::Reply {
                id,
                payload: message.payload().clone(),
            },
            ToPlugin::Stop { id } => FromPlugin::Stopped { id },
            ToPlugin::Start { id, .. } => FromPlugin::Done { id },
            _ => continue,
        };
        out.clear();
        match written {
            Codec::Binary => binary::write_from_plugin(&answer, &mut out),
            _ => json::write_from_plugin(&answer, &mut out),
        }
        .expect("a frame that can be written");
        std::io::stdout()
            .lock()
            .write_all(&out)
            .expect("a host that reads");
        std::io::stdout().flush().expect("a host that reads");
        match answer {
            FromPlugin::Description { .. } => written = codec,
            FromPlugin::Stopped { .. } => break,
            _ => {}
        }
    }
    ExitCode::SUCCESS
}

fn read(input: &mut StdinLock<'_>, codec: Codec) -> Option<ToPlugin<'static>> {
    let mut bytes = Vec::new();
    if codec == Codec::Binary {
        let mut length = [0; binary::LENGTH];
        input.read_exact(&mut length).ok()?;
        bytes.resize(binary::length(length).expect("a length"), 0);
        input.read_exact(&mut bytes).ok()?;
        return Some(binary::read_to_plugin(&bytes).expect("a frame"));
    }
    input.read_until(b'\n', &mut bytes).ok()?;
    (!bytes.is_empty()).then(|| json::read_to_plugin(&bytes).expect("a frame"))
}

fn description(codec: Codec) -> Description {
    let extends = vec!["run".to_owned()];
    let mut plugin = Description::new("echo", ExtensionKind::Command { extends });
    "1".clone_into(&mut plugin.version);
    "Answers with what it is asked.".clone_into(&mut plugin.description);
    plugin.codec = codec;
    plugin
}
