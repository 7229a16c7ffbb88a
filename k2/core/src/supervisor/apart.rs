//! What the runner and the process of a single test function say to each other: a file in memory.
//!
//! The process is this program again, with the same arguments, so that the same extensions and components are there. It is started
//! with the file as its standard input: its first line says which case it is, each further line what the process says of it, the last one
//! how the case ended. Nothing that the function writes anywhere can be taken for that, and a process that ends before it has said anything has not passed.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use camino::Utf8PathBuf;
use parking_lot::Mutex;
use rustix::fs::{MemfdFlags, Mode, OFlags, memfd_create};
use serde::{Deserialize, Serialize};

use super::phases::{Bell, PhaseWatch};
use crate::case::{AttachmentLimits, CaseId, Entry, Outcome, Phase, PhaseLimits};

/// Name of the file; the kernel shows it as `/memfd:NAME (deleted)`.
const NAME: &str = "k2-case";

/// The case of this process, if it has one only.
static THIS: OnceLock<ThisCase> = OnceLock::new();

/// The file, in the runner.
#[derive(Debug)]
pub(crate) struct Note(File);

/// Which execution of which case it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Which {
    pub(crate) case: CaseId,
    /// Number of the execution.
    pub(crate) number: u64,
    pub(crate) attempt: u32,
    /// What the `K2_EXECUTION` of every process of the run begins with.
    pub(crate) run: Arc<str>,
    /// Directory for what cases write.
    pub(crate) outputs: Utf8PathBuf,
    /// Names of the systems under test that it has got.
    pub(crate) suts: Vec<Arc<str>>,
    /// How much it may attach.
    pub(crate) limits: AttachmentLimits,
    /// Whom to wake when a part of it begins; none if no part has a limit.
    pub(crate) bell: Option<Bell>,
    /// How much memory it may have beside what the program itself needs.
    pub(crate) memory: Option<u64>,
}

/// A line of what the process says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    /// Something about the case, while it runs.
    Told(Entry),
    /// A part of it begins.
    Entered(Phase),
    /// The end.
    Done(Done),
}

/// How it ended.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// What the function returned.
    pub(crate) outcome: Outcome,
    /// Components that could not be taken down.
    pub(crate) problems: Vec<String>,
}

/// The case that this process was started for.
#[derive(Debug)]
pub(crate) struct ThisCase {
    which: Which,
    file: Mutex<File>,
}

impl Note {
    /// A file that says which case it is.
    fn new(which: &Which) -> io::Result<Self> {
        let mut file = File::from(memfd_create(NAME, MemfdFlags::CLOEXEC)?);
        write_line(&mut file, which)?;
        Ok(Self(file))
    }

    /// For the process to read and write.
    pub(crate) fn input(&self) -> io::Result<File> {
        self.0.try_clone()
    }

    /// How the case ended; none if it has not come to say so.
    pub(crate) fn done(&self) -> Option<Done> {
        self.said().find_map(|line| match line {
            Line::Done(done) => Some(done),
            Line::Told(_) | Line::Entered(_) => None,
        })
    }

    /// The part that goes on: the last one that has begun.
    pub(super) fn phase(&self) -> Option<Phase> {
        let phases = self.said().filter_map(|line| match line {
            Line::Entered(phase) => Some(phase),
            Line::Told(_) | Line::Done(_) => None,
        });
        phases.last()
    }

    /// Keeps an eye on the limits of its parts; `case` tells its process whom to wake.
    ///
    /// # Errors
    /// If the system refuses a socket or a descriptor.
    pub(crate) fn with_limits(
        case: &mut Which,
        limits: PhaseLimits,
    ) -> io::Result<(Self, Option<Arc<PhaseWatch>>)> {
        if !limits.is_any() {
            return Ok((Self::new(case)?, None));
        }
        let (hearing, bell) = Bell::hang()?;
        case.bell = Some(bell);
        let note = Self::new(case)?;
        let watch = PhaseWatch::new(Self(note.0.try_clone()?), hearing, limits);
        Ok((note, Some(Arc::new(watch))))
    }

    /// What it told while it ran.
    pub(crate) fn told(&self) -> impl Iterator<Item = Entry> {
        self.said().filter_map(|line| match line {
            Line::Told(entry) => Some(entry),
            Line::Done(_) | Line::Entered(_) => None,
        })
    }

    fn said(&self) -> impl Iterator<Item = Line> {
        let text = read(&self.0).unwrap_or_default();
        // The first line is ours; the last one may be torn, if the process was killed.
        let lines = text.split(|&byte| byte == b'\n').skip(1);
        let lines: Vec<Line> = lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect();
        lines.into_iter()
    }
}

fn read(mut file: impl Read + Seek) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut text)?;
    Ok(text)
}

fn write_line(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line)
}

/// Makes this process that of a single case, if it was started for one; its standard input is empty then.
pub(crate) fn become_case() -> bool {
    let Some(this) = ThisCase::inherited() else {
        return false;
    };
    // The function must not read what is meant for the framework.
    let null = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let is_hidden = null.is_ok_and(|null| rustix::stdio::dup2_stdin(&null).is_ok());
    is_hidden && THIS.set(this).is_ok()
}

/// The case that this process was started for.
pub(crate) fn this() -> Option<&'static ThisCase> {
    THIS.get()
}

impl ThisCase {
    fn inherited() -> Option<Self> {
        const INPUT: &str = "/proc/self/fd/0";
        let target = std::fs::read_link(INPUT).ok()?;
        let name = format!("/memfd:{NAME} ");
        if !target.as_os_str().as_bytes().starts_with(name.as_bytes()) {
            return None;
        }
        Self::open(Path::new(INPUT))
    }

    fn open(path: &Path) -> Option<Self> {
        let file = rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let mut file = File::from(file);
        Some(Self {
            which: serde_json::from_slice(&read(&mut file).ok()?).ok()?,
            file: Mutex::new(file),
        })
    }

    /// Which one.
    pub(crate) fn which(&self) -> &Which {
        &self.which
    }

    /// Says how it ended.
    pub(crate) fn tell(&self, done: Done) -> io::Result<()> {
        write_line(&mut self.file.lock(), &Line::Done(done))
    }

    /// Says that a part of the case begins.
    pub(crate) fn enter(&self, phase: Phase) -> io::Result<()> {
        let Some(bell) = &self.which.bell else {
            return Ok(());
        };
        write_line(&mut self.file.lock(), &Line::Entered(phase))?;
        bell.ring()
    }

    /// Says something about the case that counts even if the process does not come to its end.
    pub(crate) fn note(&self, entry: &Entry) -> io::Result<()> {
        write_line(&mut self.file.lock(), &Line::Told(entry.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn e32_only_what_the_framework_says_is_the_end_of_a_case() {
        let which = Which {
            case: CaseId::new("a::b"),
            number: 7,
            attempt: 2,
            run: "r".into(),
            outputs: "/out".into(),
            limits: AttachmentLimits::default(),
            suts: vec!["box".into()],
            bell: None,
            memory: None,
        };
        let note = Note::new(&which).unwrap();
        assert_eq!(note.done(), None);
        let path = format!("/proc/self/fd/{}", note.0.as_raw_fd());
        let this = ThisCase::open(Path::new(&path)).unwrap();
        assert_eq!(this.which(), &which);
        let done = Done {
            outcome: Outcome::Skipped {
                reason: "no board".to_owned(),
            },
            problems: vec!["x".to_owned()],
        };
        let entry = Entry::ExpectFailure("known".to_owned());
        this.note(&entry).unwrap();
        this.tell(done).unwrap();
        assert_eq!(note.told().collect::<Vec<_>>(), [entry]);
        let outcome = note.done().map(|done| done.outcome);
        assert_eq!(
            outcome,
            Some(Outcome::Skipped {
                reason: "no board".to_owned()
            })
        );
        // What a process that is killed in the middle of a word leaves does not spoil what it has said.
        this.file.lock().write_all(b"{\"told\":{\"che").unwrap();
        assert_eq!((note.told().count(), note.done().is_some()), (1, true));
        assert!(ThisCase::open(Path::new("/dev/null")).is_none());
    }
}
