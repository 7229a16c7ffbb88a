//! The mark that everything carries that a run has started: an environment variable that names the process at the head of the run.
//!
//! Processes inherit it whatever they do with sessions and parents. It says by which process it was given, so that anybody can tell
//! whether that one lives: by its number, its start (numbers are given away again), and its PID namespace (in another one the number
//! means somebody else, and nothing can be said).

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::str::FromStr;
use std::sync::OnceLock;

use super::procfs;

/// Environment variable of everything that a run has started.
pub const COOKIE_VARIABLE: &str = "K2_RUN_COOKIE";

/// The process at the head of a run: its guard, or its runner if it has none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    /// Number of its PID namespace.
    namespace: u64,
    pid: i32,
    /// When it started, in ticks since the machine did.
    started: u64,
}

/// What can be said about an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It lives.
    Alive,
    /// It has ended.
    Dead,
    /// It is in another PID namespace.
    Unknown,
}

impl Owner {
    /// This process; none without `/proc`.
    pub(crate) fn this() -> Option<&'static Self> {
        static THIS: OnceLock<Option<Owner>> = OnceLock::new();
        let this = THIS.get_or_init(|| {
            let pid = i32::try_from(std::process::id()).ok()?;
            Some(Self {
                namespace: own_namespace()?,
                pid,
                started: procfs::started(pid)?,
            })
        });
        this.as_ref()
    }

    /// Whether it lives.
    pub(crate) fn life(&self) -> Life {
        if own_namespace() != Some(self.namespace) {
            return Life::Unknown;
        }
        let is_same = procfs::started(self.pid) == Some(self.started);
        let is_dead = procfs::stat(self.pid).is_none_or(procfs::Stat::is_dead);
        if is_same && !is_dead {
            Life::Alive
        } else {
            Life::Dead
        }
    }
}

fn own_namespace() -> Option<u64> {
    Some(std::fs::metadata("/proc/self/ns/pid").ok()?.ino())
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            namespace,
            pid,
            started,
        } = self;
        write!(f, "{pid}-{started}-{namespace}")
    }
}

impl FromStr for Owner {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut numbers = text.trim_end().splitn(3, '-');
        let mut number = || {
            numbers
                .next()
                .and_then(|number| number.parse().ok())
                .ok_or(())
        };
        let (pid, started, namespace) = (number()?, number()?, number()?);
        let pid = i32::try_from(pid).map_err(drop)?;
        Ok(Self {
            namespace,
            pid,
            started,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d19_an_owner_is_known_by_more_than_its_number() {
        let this = Owner::this().unwrap().clone();
        assert_eq!(this.to_string().parse(), Ok(this.clone()));
        assert_eq!(this.life(), Life::Alive);
        let before = Owner {
            started: this.started - 1,
            ..this.clone()
        };
        assert_eq!(before.life(), Life::Dead);
        let elsewhere = Owner {
            namespace: this.namespace + 1,
            ..this
        };
        assert_eq!(elsewhere.life(), Life::Unknown);
        for nonsense in ["", "1", "1-2", "1-2-x", "-1-2-3", "9999999999-1-1"] {
            assert_eq!(nonsense.parse::<Owner>(), Err(()), "{nonsense}");
        }
    }
}
