//! Time limits of the parts of a case whose function has a process of its own.
//!
//! The process notes each part that begins in the file that it shares with the runner ([`super::apart`]), and then rings: it sends a
//! datagram to a socket that the runner polls beside the outputs of the process. What counts is in the file; the datagram says
//! nothing, so that somebody else who sends one only has the file looked at.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::apart::Note;
use crate::case::{Phase, PhaseLimits};

/// How often another name is tried if one is taken: by a process of the same number in another PID namespace.
const NAMES: u32 = 16;

/// What wakes the runner, as its case's process knows it: the name of a socket without a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bell(String);

/// The limits of a case's parts, and what its process tells of them.
#[derive(Debug)]
pub(crate) struct PhaseWatch {
    note: Note,
    hearing: UnixDatagram,
    limits: PhaseLimits,
}

impl Bell {
    /// A bell, and the socket that hears it.
    pub(super) fn hang() -> io::Result<(UnixDatagram, Self)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let now = Timestamp::now().as_nanosecond();
        let mut tries = 1;
        loop {
            let next = NEXT.fetch_add(1, Ordering::Relaxed);
            let bell = Self(format!("k2-case-{}-{next}-{now:x}", std::process::id()));
            match UnixDatagram::bind_addr(&bell.address()?) {
                Ok(hearing) => {
                    hearing.set_nonblocking(true)?;
                    return Ok((hearing, bell));
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < NAMES => {
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn address(&self) -> io::Result<SocketAddr> {
        SocketAddr::from_abstract_name(&self.0)
    }

    /// Wakes whoever hears it.
    pub(super) fn ring(&self) -> io::Result<()> {
        let socket = UnixDatagram::unbound()?;
        // A case rings a few times: there is always room.
        socket.send_to_addr(b".", &self.address()?).map(drop)
    }
}

impl PhaseWatch {
    pub(super) fn new(note: Note, hearing: UnixDatagram, limits: PhaseLimits) -> Self {
        Self {
            note,
            hearing,
            limits,
        }
    }

    /// Becomes readable when a part begins.
    pub(super) fn hears(&self) -> BorrowedFd<'_> {
        self.hearing.as_fd()
    }

    /// The part that goes on, and its limit; none before the first one.
    pub(super) fn current(&self) -> Option<(Phase, Option<Duration>)> {
        while self.hearing.recv(&mut [0]).is_ok() {}
        let phase = self.note.phase()?;
        Some((phase, self.limits.of(phase)))
    }
}
