//! A headless Chromium, spoken to over its debugging pipes: messages are JSON, each ended by a zero byte.
//!
//! Source: the `DevTools` protocol of Chrome, `--remote-debugging-pipe`.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use camino::Utf8Path;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

/// Names under which it is installed.
const PROGRAMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    session: String,
    next: u64,
    /// What the page wrote to its console, errors of the network and of the script among it.
    pub(crate) console: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one; none, with a notice, where there is none.
    pub(crate) fn start() -> Option<Self> {
        let is_there = |name: &&&str| {
            let found = Command::new(name)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            found.is_ok_and(|status| status.success())
        };
        let Some(program) = PROGRAMS.iter().find(is_there) else {
            let notice =
                b"NOTICE: Chromium is not installed: the HTML report is not tested in a browser\n";
            let _ = rustix::io::write(rustix::stdio::stderr(), notice);
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let pipe = |name: &str| {
            let path = profile.path().join(name);
            mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            path
        };
        let (input, output) = (pipe("input"), pipe("output"));
        // Opened for both directions, it waits for nobody.
        let to = OpenOptions::new()
            .read(true)
            .write(true)
            .open(input)
            .unwrap();
        let child = Command::new("sh")
            .args(["-c", "exec \"$@\" 3<\"$0/input\" 4>\"$0/output\""])
            .arg(profile.path())
            .args([
                program,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ])
            .args([
                "--no-first-run",
                "--remote-debugging-pipe",
                "--disable-background-networking",
            ])
            .arg(format!(
                "--user-data-dir={}",
                profile.path().join("data").display()
            ))
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Waits for the other end; ends when the browser does.
        let from = File::open(output).unwrap();
        let mut browser = Self {
            child,
            to,
            from: BufReader::new(from),
            session: String::new(),
            next: 1,
            console: Vec::new(),
            _profile: profile,
        };
        let target = browser.ask("Target.createTarget", json!({"url": "about:blank"}));
        let target = target.get("targetId").unwrap().clone();
        let attached = browser.ask(
            "Target.attachToTarget",
            json!({"targetId": target, "flatten": true}),
        );
        browser.session = serde_json::from_value(attached["sessionId"].clone()).unwrap();
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.ask(domain, json!({}));
        }
        browser.size(1280, 900);
        Some(browser)
    }

    /// Sends a command and returns its result; what happens until then is noted.
    pub(crate) fn ask(&mut self, method: &str, parameters: impl Into<Value>) -> Value {
        let id = self.next;
        self.next += 1;
        let mut command = json!({"id": id, "method": method, "params": parameters.into()});
        if !self.session.is_empty() {
            command["sessionId"] = self.session.clone().into();
        }
        self.to
            .write_all(format!("{command}\0").as_bytes())
            .unwrap();
        loop {
            let message = self.message();
            if message.get("id") == Some(&id.into()) {
                assert_eq!(message.get("error"), None, "{method}");
                return message.get("result").cloned().unwrap_or_default();
            }
        }
    }

    fn message(&mut self) -> Value {
        let mut text = Vec::new();
        self.from.read_until(0, &mut text).unwrap();
        assert_eq!(text.pop(), Some(0), "the browser has ended");
        let message: Value = serde_json::from_slice(&text).unwrap();
        let method = message
            .get("method")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if [
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Log.entryAdded",
        ]
        .contains(&method)
        {
            self.console.push(message.to_string());
        }
        message
    }

    fn wait_for(&mut self, method: &str) {
        while self.message().get("method").and_then(Value::as_str) != Some(method) {}
    }

    pub(crate) fn size(&mut self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Opens the page with this behind `#`, in a fresh document.
    pub(crate) fn open(&mut self, page: &Utf8Path, hash: &str) {
        self.ask("Page.navigate", json!({"url": "about:blank"}));
        self.wait_for("Page.loadEventFired");
        self.ask(
            "Page.navigate",
            json!({"url": format!("file://{page}#{hash}")}),
        );
        self.wait_for("Page.loadEventFired");
    }

    /// The value of an expression in the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let parameters =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.ask("Runtime.evaluate", parameters);
        assert_eq!(result.get("exceptionDetails"), None, "{expression}");
        result["result"].get("value").cloned().unwrap_or_default()
    }

    pub(crate) fn text(&mut self, selector: &str) -> String {
        let selector = json!(selector);
        let value = self.value(&format!(
            "document.querySelector({selector})?.textContent ?? 'none'"
        ));
        value.as_str().unwrap().to_owned()
    }

    pub(crate) fn count(&mut self, selector: &str) -> u64 {
        let selector = json!(selector);
        self.value(&format!("document.querySelectorAll({selector}).length"))
            .as_u64()
            .unwrap()
    }

    /// Presses a key, and waits until what it does is painted.
    pub(crate) fn press(&mut self, key: &str) {
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            "ArrowDown" => 40,
            "ArrowUp" => 38,
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            "Home" => 36,
            "End" => 35,
            "Tab" => 9,
            _ => 0,
        };
        let text = match key {
            "Enter" => "\r",
            key if key.chars().count() == 1 => key,
            _ => "",
        };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "text": if kind == "keyDown" { text } else { "" },
                "windowsVirtualKeyCode": code});
            self.ask("Input.dispatchKeyEvent", event);
        }
        self.settle();
    }

    /// Waits until the page has painted twice: everything that was put off has happened.
    pub(crate) fn settle(&mut self) {
        self.value("new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 0))");
    }

    /// Asserts that nothing went wrong in the page.
    pub(crate) fn assert_quiet(&mut self) {
        assert_eq!(self.console, Vec::<String>::new());
        assert_eq!(
            self.value("document.documentElement.dataset.errors"),
            Value::Null
        );
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its helpers end with it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
