//! A libtest binary of 200 cases that do nothing, run by `zk2` and by `cargo nextest run`: each case in a process of its own, as many at a
//! time, the same binary, by turns.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ZK2;
use super::measure::{Result, Target, best, command, time};

const CASES: u32 = 200;
const WORKERS: &str = "4";

/// The binary, and times of both.
pub(crate) struct Libtest {
    package: PathBuf,
    binary: PathBuf,
    output: PathBuf,
    ours: Vec<Duration>,
    nextest: Vec<Duration>,
    /// Without what cargo does before: nextest is told what was built.
    prepared: Vec<Duration>,
}

impl Libtest {
    /// Builds the binary; none, and a notice, where there is no nextest.
    pub(crate) fn new(directory: &Path) -> Result<Option<Self>> {
        if !time(&mut command("cargo", ["nextest", "--version"])).is_ok_and(|_| true) {
            writeln!(
                io::stdout(),
                "NOTICE: cargo-nextest is not installed: a libtest binary is not measured"
            )?;
            return Ok(None);
        }
        let package = directory.join("libtest");
        std::fs::create_dir_all(package.join("src"))?;
        std::fs::write(
            package.join("Cargo.toml"),
            "[package]\nname = \"many\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n",
        )?;
        let mut source = String::new();
        for number in 0..CASES {
            writeln!(source, "#[test]\nfn case_{number:03}() {{}}")?;
        }
        std::fs::write(package.join("src/lib.rs"), source)?;
        let list = output_of(
            &package,
            &[
                "nextest",
                "list",
                "--offline",
                "--list-type",
                "binaries-only",
                "--message-format",
                "json",
            ],
        )?;
        std::fs::write(package.join("binaries.json"), &list)?;
        let metadata = output_of(
            &package,
            &["metadata", "--offline", "--format-version", "1"],
        )?;
        std::fs::write(package.join("metadata.json"), metadata)?;
        let list: serde_json::Value = serde_json::from_slice(&list)?;
        let binaries = list.get("rust-binaries").and_then(|all| all.as_object());
        let binary = binaries
            .and_then(|all| all.values().next())
            .and_then(|binary| binary.get("binary-path"))
            .and_then(|path| path.as_str())
            .ok_or("nextest names no binary")?
            .into();
        Ok(Some(Self {
            package,
            binary,
            output: directory.join("libtest-output"),
            ours: Vec::new(),
            nextest: Vec::new(),
            prepared: Vec::new(),
        }))
    }

    pub(crate) fn round(&mut self) -> Result<()> {
        let mut source = std::ffi::OsString::from("libtest:");
        source.push(&self.binary);
        let mut run = command(ZK2, ["run", "--parallel-workers", WORKERS, "--output-dir"]);
        self.ours.push(time(run.arg(&self.output).arg(source))?);
        let nextest = ["nextest", "run", "--test-threads", WORKERS];
        let mut peer = command("cargo", nextest);
        self.nextest
            .push(time(peer.arg("--offline").current_dir(&self.package))?);
        let mut peer = command("cargo", nextest);
        peer.args([
            "--cargo-metadata",
            "metadata.json",
            "--binaries-metadata",
            "binaries.json",
        ]);
        peer.arg("--workspace-remap").arg(&self.package);
        self.prepared.push(time(peer.current_dir(&self.package))?);
        Ok(())
    }

    pub(crate) fn into_targets(self) -> [Target; 2] {
        let ratio = |name, peer: &[Duration]| Target {
            name,
            measured: best(&self.ours).as_secs_f64() / best(peer).as_secs_f64(),
            limit: 1.0,
            unit: "x",
        };
        [
            ratio(
                "libtest, 200 cases, beside cargo nextest run",
                &self.nextest,
            ),
            ratio("the same, nextest without cargo's part", &self.prepared),
        ]
    }
}

fn output_of(package: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let mut command = command("cargo", arguments);
    let output = command
        .current_dir(package)
        .stdout(std::process::Stdio::piped())
        .output()?;
    if !output.status.success() {
        return Err(format!("{command:?} ended with {}", output.status).into());
    }
    Ok(output.stdout)
}
