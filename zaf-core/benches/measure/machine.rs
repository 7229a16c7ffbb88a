//! On what was measured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) system: String,
    pub(crate) compiler: String,
    /// Mean number of runnable threads in the last minute, at the end: what else was going on, and the benchmark itself.
    pub(crate) load: String,
    /// Versions of the packages that were measured, without the bus.
    pub(crate) packages: BTreeMap<String, String>,
}

impl Machine {
    /// This machine, and of a lock file's text the packages that are named.
    pub(crate) fn look(lock_file: &str, names: &[&str]) -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let first_word = |text: String| text.split_whitespace().next().unwrap_or("?").to_owned();
        let processor = read("/proc/cpuinfo");
        let processor = processor
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("unknown", |(_, name)| name);
        Self {
            processor: processor.to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            system: format!(
                "{} {}",
                std::env::consts::OS,
                first_word(read("/proc/sys/kernel/osrelease"))
            ),
            compiler: compiler(),
            load: first_word(read("/proc/loadavg")),
            packages: versions(lock_file, names),
        }
    }
}

/// The compiler that `cargo` would use, which is the one that built this unless it was changed meanwhile.
#[expect(
    clippy::disallowed_methods,
    reason = "asks the compiler for its version"
)]
fn compiler() -> String {
    let compiler = option_env!("RUSTC").unwrap_or("rustc");
    let told = std::process::Command::new(compiler)
        .arg("--version")
        .output();
    told.map_or_else(
        |_| "unknown".to_owned(),
        |told| String::from_utf8_lossy(&told.stdout).trim().to_owned(),
    )
}

fn versions(lock_file: &str, names: &[&str]) -> BTreeMap<String, String> {
    let quoted = |line: &str, key: &str| {
        let value = line.strip_prefix(key)?.strip_prefix(" = \"")?;
        Some(value.trim_end_matches('"').to_owned())
    };
    let lines: Vec<&str> = lock_file.lines().collect();
    let pairs = lines.windows(2);
    pairs
        .filter_map(|pair| Some((quoted(pair[0], "name")?, quoted(pair[1], "version")?)))
        .filter(|(name, _)| names.contains(&name.as_str()))
        .collect()
}
