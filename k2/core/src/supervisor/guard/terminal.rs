//! The settings of the terminal that a run was started at: what its cases do to them does not outlive it.
//!
//! A function that asks for a password switches the echo off, a program with a screen of its own changes more; both are meant to undo
//! that, and cannot if they are killed. Shells repair it only behind a job that a signal has ended.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::process::getpgrp;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

/// The settings as they were, and the stream that leads to the terminal.
#[derive(Debug)]
pub(super) struct TerminalSettings {
    stream: BorrowedFd<'static>,
    before: Termios,
}

impl TerminalSettings {
    /// Those of the first standard stream that is a terminal; none if no stream is.
    pub(super) fn take() -> Option<Self> {
        let streams = [
            rustix::stdio::stdin(),
            rustix::stdio::stderr(),
            rustix::stdio::stdout(),
        ];
        streams.into_iter().find_map(|stream| {
            let before = tcgetattr(stream).ok()?;
            Some(Self { stream, before })
        })
    }

    /// Makes them what they were, if they are not. Behind a run in the background they belong to somebody else: who sets them from
    /// there is stopped (SIGTTOU).
    pub(super) fn restore(&self) {
        let is_ours = tcgetpgrp(self.stream.as_fd()).is_ok_and(|group| group == getpgrp());
        let is_changed = || tcgetattr(self.stream).is_ok_and(|now| !is_same(&now, &self.before));
        if is_ours && is_changed() {
            // A terminal that is gone has no settings.
            let _ = tcsetattr(self.stream, OptionalActions::Now, &self.before);
        }
    }
}

fn is_same(one: &Termios, other: &Termios) -> bool {
    one.input_modes == other.input_modes
        && one.output_modes == other.output_modes
        && one.control_modes == other.control_modes
        && one.local_modes == other.local_modes
}
