//! Plugins that are a few lines of shell: whatever a test wants them to do wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use tempfile::TempDir;
use zaf_plugins::link::{Deadlines, Launch, Link, LinkError, ProcessLink, Start};

use crate::host::{Kept, host};

/// A plugin as lines of shell.
pub(crate) struct Scripted {
    pub(crate) folder: TempDir,
    pub(crate) launch: Launch,
}

/// What all of them begin with: the answer to `describe`, with these fields besides the usual ones.
fn prologue(more: &str) -> String {
    format!(
        r#"read -r describe
echo '{{"type":"description","id":1,"plugin":{{"protocol":1,"name":"scripted","version":"1","description":"A test.","kind":{{"command":{{"extends":["run"]}}}},"dispatchers":[{{"name":"main","messages":["EVENT","ASK"]}}]{more}}}}}'
"#
    )
}

/// A plugin that says what it is and then does this. Ids are counted: 2 is `start`, 3 the first message.
pub(crate) fn plugin(script: &str) -> Scripted {
    raw(&format!("{}{script}", prologue("")))
}

/// The same, with more in its description.
pub(crate) fn plugin_with(more: &str, script: &str) -> Scripted {
    raw(&format!("{}{script}", prologue(more)))
}

/// A plugin that begins and then does this; the first message has id 3.
pub(crate) fn started(script: &str) -> (ProcessLink, Kept) {
    let scripted = plugin(&format!("{START}{script}"));
    let link = scripted.launch().unwrap();
    let (host, kept) = host();
    link.start(&Start::default(), host).unwrap();
    (link, kept)
}

/// The answer to `start`.
pub(crate) const START: &str = "read -r start || exit 0; echo '{\"type\":\"done\",\"id\":2}'\n";

/// The answer to `stop`, whatever its id.
pub(crate) const STOP: &str = r#"
read -r stop; id=${stop##*\"id\":}; id=${id%%[!0-9]*}; echo "{\"type\":\"stopped\",\"id\":$id}"
"#;

/// A plugin that does this.
pub(crate) fn raw(script: &str) -> Scripted {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plugin.sh");
    fs::write(&file, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let mut launch = Launch::new(file);
    launch.environment = vec![
        ("PATH".into(), std::env::var_os("PATH").unwrap_or_default()),
        // Nothing is left in the folder of the examples.
        ("PYTHONDONTWRITEBYTECODE".into(), "1".into()),
    ];
    launch.deadlines = Deadlines {
        open: Some(LONG),
        describe: LONG,
        start: LONG,
        deliver: LONG,
        stop: LONG,
    };
    Scripted { folder, launch }
}

/// Longer than any machine takes for what works.
const LONG: Duration = Duration::from_mins(1);

/// What is waited for where nothing comes.
pub(crate) const SHORT: Duration = Duration::from_millis(100);

impl Scripted {
    pub(crate) fn launch(&self) -> Result<ProcessLink, LinkError> {
        ProcessLink::launch(&self.launch)
    }

    /// Launches and starts it.
    pub(crate) fn start(&self) -> (ProcessLink, Kept) {
        let link = self.launch().unwrap();
        let (host, kept) = host();
        link.start(&Start::default(), host).unwrap();
        (link, kept)
    }
}
