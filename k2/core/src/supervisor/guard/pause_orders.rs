//! What the guard orders when a run is to stop: that the cases pause, or that they go on.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// One order, a byte in the pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PauseOrder {
    /// The cases pause; the guard wants to be told when they do, once for each order.
    Pause,
    /// They go on, if they do not.
    GoOn,
}

impl PauseOrder {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Pause => b'p',
            Self::GoOn => b'g',
        }
    }

    const fn of(byte: u8) -> Self {
        match byte {
            b'p' => Self::Pause,
            _ => Self::GoOn,
        }
    }
}

/// The runner's end of the pipe, which does not block.
#[derive(Debug)]
pub(crate) struct PauseOrders {
    pipe: File,
    is_closed: bool,
}

impl PauseOrders {
    pub(super) const fn new(pipe: File) -> Self {
        Self {
            pipe,
            is_closed: false,
        }
    }

    /// Waits for an order, but no longer than `limit`; less if a signal comes.
    pub(crate) fn wait(&self, limit: Duration) {
        let timeout = Timespec::try_from(limit).ok();
        let mut fds = [PollFd::new(&self.pipe, PollFlags::IN)];
        // The end of a closed pipe can always be read.
        let fds = if self.is_closed {
            fds.get_mut(..0).unwrap_or_default()
        } else {
            fds.as_mut_slice()
        };
        let _ = poll(fds, timeout.as_ref());
    }

    /// What has been ordered since, in its order.
    pub(crate) fn read(&mut self) -> Vec<PauseOrder> {
        let mut orders = Vec::new();
        let mut bytes = [0; 64];
        while !self.is_closed {
            match self.pipe.read(&mut bytes) {
                Ok(0) => self.is_closed = true,
                Ok(count) => orders.extend(bytes.iter().take(count).copied().map(PauseOrder::of)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_closed = error.kind() != io::ErrorKind::WouldBlock;
                    break;
                }
            }
        }
        orders
    }

    /// Whether the guard is gone: nothing will be ordered any more.
    pub(crate) const fn is_closed(&self) -> bool {
        self.is_closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn orders_come_in_their_order_and_end_with_the_guard() {
        let (read, mut write) = io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&read, true).unwrap();
        let mut orders = PauseOrders::new(File::from(std::os::fd::OwnedFd::from(read)));
        assert_eq!(orders.read(), []);
        let all = [PauseOrder::Pause, PauseOrder::GoOn, PauseOrder::Pause];
        write.write_all(&all.map(PauseOrder::byte)).unwrap();
        orders.wait(Duration::from_mins(1));
        assert_eq!(orders.read(), all);
        assert!(!orders.is_closed());
        drop(write);
        assert_eq!(orders.read(), []);
        assert!(orders.is_closed());
        orders.wait(Duration::ZERO);
    }
}
