//! The thread that shows events, so that a slow terminal does not slow down the run.

use std::io;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use k2::supervisor::RunClock;
use parking_lot::Mutex;
use zaf_core::thread::{JoinHandle, spawn};

use super::display::Display;
use super::event::Event;
use super::surface::Surface;

/// How many events may wait for the terminal. About 10 MiB at most; then the run waits, because verdicts are not dropped.
///
/// Source: reliability, M2.
const WAITING_EVENTS: usize = 16_384;

/// How many events are shown with one write at most.
const BATCH: usize = 512;

/// How long what happens is collected after something was shown: nobody reads faster, and a run of short cases wakes the thread
/// some dozens of times in a second instead of for every case. What comes after a pause is shown at once.
const FRAME: Duration = Duration::from_millis(20);

/// How often the progress line is drawn anew.
const REDRAW: Duration = Duration::from_millis(100);

/// How often it is said what still runs where there is no progress line.
const STILL_RUNNING: Duration = Duration::from_secs(10);

/// Where events are shown.
#[derive(Debug)]
pub(crate) struct Screen {
    orders: Sender<Order>,
    hurry: Sender<()>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Order {
    Show(Event),
    /// Answer when everything before is shown and the progress line is gone.
    Settle(Sender<()>),
    Stop,
}

impl Screen {
    /// Starts the thread.
    pub(crate) fn start(surface: Surface) -> io::Result<Self> {
        let (orders, received) = bounded(WAITING_EVENTS);
        let (hurry, hurried) = bounded(1);
        let thread = spawn("live", move || {
            Painter::new(surface).follow(&received, &hurried);
        })?;
        Ok(Self {
            orders,
            hurry,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Shows `event` soon. Blocks only if the terminal is far behind, and then not for events that only change what runs.
    pub(crate) fn show(&self, event: Event) {
        let order = Order::Show(event);
        // An error means that the display has stopped.
        if matches!(order, Order::Show(Event::Started { .. })) {
            let _full_or_stopped = self.orders.try_send(order).is_err();
        } else {
            let _stopped = self.orders.send(order).is_err();
        }
    }

    /// Waits until everything is shown and the progress line is gone.
    pub(crate) fn settle(&self) {
        let (done, settled) = bounded(1);
        if self.send_and_hurry(Order::Settle(done)) {
            let _stopped = settled.recv().is_err();
        }
    }

    /// Shows what is left and ends the thread.
    pub(crate) fn stop(&self) {
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            let _sent = self.send_and_hurry(Order::Stop);
            // A panic was logged where it happened.
            drop(thread.join());
        }
    }

    /// Sends `order` and ends the frame; false if the display has stopped.
    fn send_and_hurry(&self, order: Order) -> bool {
        let is_sent = self.orders.send(order).is_ok();
        // Full: it is being hurried already, and the order was sent before.
        let _full = self.hurry.try_send(()).is_err();
        is_sent
    }
}

/// What the thread does.
struct Painter {
    surface: Surface,
    display: Display,
    /// What runs is shown with its own time, without that for which the run was stopped.
    clock: RunClock,
    said: Instant,
}

impl Painter {
    fn new(surface: Surface) -> Self {
        Self {
            surface,
            display: Display::default(),
            clock: RunClock::start(),
            said: Instant::now(),
        }
    }

    fn follow(mut self, orders: &Receiver<Order>, hurried: &Receiver<()>) {
        loop {
            let order = if self.display.is_under_way() {
                let patience = if self.surface.is_live() {
                    REDRAW
                } else {
                    self.until_said()
                };
                orders.recv_timeout(patience)
            } else {
                orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            let goes_on = match order {
                Ok(order) => self.obey(order, orders),
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => false,
            };
            if !goes_on {
                self.surface.erase();
                return;
            }
            self.tell();
            if orders.is_empty() {
                // Not a wait for orders: each would wake the thread. Hurried or not, it looks for them next.
                let _hurried = hurried.recv_timeout(FRAME).is_ok();
            }
        }
    }

    /// Obeys `order` and those behind it, with one write for all lines. Returns whether it goes on.
    fn obey(&mut self, order: Order, orders: &Receiver<Order>) -> bool {
        let width = self.surface.out_width();
        let now = self.clock.elapsed();
        let mut lines = String::new();
        for order in std::iter::once(order).chain(orders.try_iter()).take(BATCH) {
            match order {
                Order::Show(event) => lines.extend(self.display.apply(event, now, width)),
                Order::Settle(done) => {
                    self.print(&mut lines);
                    self.surface.erase();
                    // Nobody waits any more: nothing to do.
                    let _gone = done.send(()).is_err();
                }
                Order::Stop => {
                    self.print(&mut lines);
                    return false;
                }
            }
        }
        self.print(&mut lines);
        true
    }

    fn print(&mut self, lines: &mut String) {
        if !lines.is_empty() {
            self.surface.print(lines);
            lines.clear();
        }
    }

    /// Says what runs: as a progress line, or from time to time.
    fn tell(&mut self) {
        if !self.display.is_under_way() {
            self.surface.erase();
            self.said = Instant::now();
            return;
        }
        let now = self.clock.elapsed();
        if self.surface.is_live() {
            let slow = self.display.newly_slow(now, self.surface.out_width());
            if !slow.is_empty() {
                self.surface.note(&slow);
            }
            let line = self.display.progress(now, self.surface.progress_width());
            self.surface.draw(&line);
        } else if self.until_said().is_zero() {
            self.said = Instant::now();
            if let Some(line) = self.display.still_running(now) {
                self.surface.note(&line);
            }
        }
    }

    fn until_said(&self) -> Duration {
        STILL_RUNNING.saturating_sub(self.said.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use super::*;
    use crate::canned;

    #[derive(Clone, Default)]
    struct Stream(Arc<Mutex<Vec<u8>>>);

    impl Stream {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().clone()).unwrap()
        }
    }

    impl Write for Stream {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[derive(Clone)]
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    /// Takes nothing until it is let go.
    #[derive(Clone)]
    struct Stuck(Receiver<()>, Stream);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Disconnected: let go.
            let _let_go = self.0.recv().is_err();
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn show_all(screen: &Screen) {
        for record in canned::run() {
            screen.show(Event::of(&record).unwrap());
        }
        screen.settle();
    }

    #[test]
    fn m1_without_a_terminal_there_are_plain_lines_only() {
        let (out, err) = (Stream::default(), Stream::default());
        let screen = Screen::start(Surface::test(out.clone(), err.clone(), false)).unwrap();
        show_all(&screen);
        assert_eq!(out.text().lines().count(), 2 + 11 + 4, "{}", out.text());
        assert_eq!(err.text(), "");
        screen.stop();
    }

    #[test]
    fn on_a_terminal_the_progress_line_is_gone_when_the_run_has_settled() {
        let (out, err) = (Stream::default(), Stream::default());
        let screen = Screen::start(Surface::test(out.clone(), err.clone(), true)).unwrap();
        for record in canned::run().into_iter().take(3) {
            screen.show(Event::of(&record).unwrap());
        }
        screen.settle();
        screen.show(canned::started(9, "slow::sleeps"));
        screen.stop();
        let progress = err.text();
        assert!(progress.contains("1/11"), "{progress:?}");
        assert!(progress.ends_with("\r\u{1b}[2K"), "{progress:?}");
        assert!(!out.text().contains("\u{1b}[2K"));
    }

    #[test]
    fn d9_a_reader_that_went_away_stops_nothing() {
        let screen = Screen::start(Surface::test(Closed, Closed, true)).unwrap();
        show_all(&screen);
        screen.stop();
    }

    #[test]
    fn m2_a_terminal_that_takes_nothing_holds_up_nobody_and_no_verdict_is_lost() {
        let (let_go, stuck) = bounded(0);
        let out = Stream::default();
        let stuck = Stuck(stuck, out.clone());
        let screen = Screen::start(Surface::test(stuck.clone(), stuck, false)).unwrap();
        let records = canned::run();
        let row = Event::of(&records[2]).unwrap();
        screen.show(Event::of(&records[0]).unwrap());
        screen.show(Event::of(&records[1]).unwrap());
        for _ in 0..10_000 {
            screen.show(row.clone());
        }
        drop::<Sender<()>>(let_go);
        screen.settle();
        assert_eq!(out.text().matches("git::version_is_recent").count(), 10_000);
        screen.stop();
    }
}
