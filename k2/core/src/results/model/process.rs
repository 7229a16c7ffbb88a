//! How processes of a case ended.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::is_default;
use crate::supervisor::signal_name;

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
#[non_exhaustive]
pub enum ExitStatus {
    /// By itself.
    Code {
        /// Its exit status, 0 to 255.
        code: i32,
    },
    /// By a signal.
    Signal {
        /// Number of the signal.
        signal: i32,
        /// Whether a core was dumped.
        #[serde(default, skip_serializing_if = "is_default")]
        core: bool,
    },
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { code } => write!(f, "exit status {code}"),
            Self::Signal { signal, core } => {
                match signal_name(*signal) {
                    Some(name) => write!(f, "killed by {name}")?,
                    None => write!(f, "killed by signal {signal}")?,
                }
                if *core {
                    f.write_str(" (core dumped)")
                } else {
                    Ok(())
                }
            }
        }
    }
}

/// A process that a case left behind and that was ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakedProcess {
    /// Its process id at that time.
    pub pid: u32,
    /// Its command line, as far as it could be read.
    pub command: Arc<str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names() {
        let segv = ExitStatus::Signal {
            signal: 11,
            core: true,
        };
        assert_eq!(segv.to_string(), "killed by SIGSEGV (core dumped)");
        let odd = ExitStatus::Signal {
            signal: 40,
            core: false,
        };
        assert_eq!(odd.to_string(), "killed by signal 40");
    }
}
