//! What each thread is doing on which bus: written by the thread itself, read by whoever waits.
//!
//! A thread has one [`Record`] with a frame for each message it is handling, one inside the other. Only the thread
//! writes it, so announcing a handler is two plain stores and no counter is shared between senders. Two questions are
//! answered by looking at all records: "does a handler of this dispatcher run?" (`destroy`) and "does anybody handle a
//! message of this bus?" (`wait_until_idle`).
//!
//! Invariants
//! - A frame is announced before the dispatcher's mark is read, with a light fence between; a destroyer marks and then
//!   looks, with a heavy fence between. So either the thread sees the mark, or the destroyer sees the frame. The mark is
//!   read only if the bus's word of attention says that there may be one.
//! - An announcement that replaces another one is also its withdrawal: that word tells of waiters too.
//! - `state` changes with every frame that opens or closes, and never returns to an earlier value: two equal readings
//!   mean that nothing happened between them.

use std::hint::cold_path;
use std::ops::Deref;

use super::Entity;
use super::activity::Activity;
use super::handling::{Doing, Handling, Letterbox};
use crate::sync::{Arc, AtomicU64, Fences, MAX_DEPTH, Mutex, Ordering};

/// The bits of `state` that hold the number of open frames.
const DEPTH_BITS: u32 = 8;

/// Where a message is handled: a bus and one of its endpoints, both numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Number of the bus, unique in the process.
    pub(crate) bus: u32,
    /// Number of the endpoint, unique in the bus.
    pub(crate) endpoint: u32,
    /// Number of the message, unique in the bus.
    pub(crate) message: u32,
}

impl Place {
    fn pack(self) -> u64 {
        u64::from(self.bus) << 32 | u64::from(self.endpoint)
    }
}

#[derive(Debug)]
struct Frame {
    place: AtomicU64,
    /// Number of the dispatcher whose handler runs; 0 for none.
    dispatcher: AtomicU64,
    /// Number of the message below, what `state` counted when the frame was opened above: tells two handlings of one message apart.
    opened: AtomicU64,
}

/// What one thread is doing.
#[derive(Debug)]
pub(crate) struct Record {
    /// Count of changes above, number of open frames below.
    state: AtomicU64,
    frames: [Frame; MAX_DEPTH],
    letterbox: Letterbox,
    /// Name of the thread, for people.
    thread: Mutex<String>,
}

impl Record {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU64::new(0),
            frames: std::array::from_fn(|_| Frame {
                place: AtomicU64::new(0),
                dispatcher: AtomicU64::new(0),
                opened: AtomicU64::new(0),
            }),
            letterbox: Letterbox::new(),
            thread: Mutex::new(String::new()),
        }
    }

    fn depth_of(state: u64) -> usize {
        (state & ((1 << DEPTH_BITS) - 1)) as usize
    }

    /// Number of messages that are being handled, one inside the other.
    pub(crate) fn depth(&self) -> usize {
        Self::depth_of(self.state.load(Ordering::Acquire))
    }

    /// Opens a frame; none if that would be one too many. Only the thread that owns the record may call this.
    #[inline]
    pub(crate) fn enter<'a>(
        &'a self,
        place: Place,
        activity: &'a Activity,
    ) -> Option<Presence<'a>> {
        let stay = self.stay(place, activity, 0)?;
        Some(Presence {
            stay,
            _told: Told { activity },
        })
    }

    /// As [`enter`](Self::enter), for who tells the waiting after it has been closed; with a handler that is announced already, or 0.
    #[inline]
    pub(crate) fn stay<'a>(
        &'a self,
        place: Place,
        activity: &'a Activity,
        dispatcher: u64,
    ) -> Option<Stay<'a>> {
        let Some(frame) = self.open(place, dispatcher) else {
            cold_path();
            return None;
        };
        Some(Stay {
            _turn: Turn { record: self },
            frame,
            activity,
        })
    }

    /// Opens a frame for a handler of a queued message, whose strand is busy until after the frame has been closed: nobody
    /// waits for the frame itself. The sender is a dispatcher's number, 0 for none.
    #[inline]
    pub(crate) fn enter_from_queue(
        &self,
        place: Place,
        dispatcher: u64,
        sender: u64,
        entity: Option<&Entity>,
    ) -> Option<Turn<'_>> {
        let opened = Self::opened(self.state.load(Ordering::Relaxed), place);
        self.letterbox.put(opened, sender, entity);
        self.open(place, dispatcher)?;
        Some(Turn { record: self })
    }

    /// What is written into a frame that is opened in that state.
    #[inline]
    fn opened(state: u64, place: Place) -> u64 {
        state >> DEPTH_BITS << 32 | u64::from(place.message)
    }

    #[inline]
    fn open(&self, place: Place, dispatcher: u64) -> Option<&Frame> {
        let state = self.state.load(Ordering::Relaxed);
        let depth = Self::depth_of(state);
        let Some(frame) = self.frames.get(depth) else {
            cold_path();
            return None;
        };
        frame.place.store(place.pack(), Ordering::Relaxed);
        frame.dispatcher.store(dispatcher, Ordering::Relaxed);
        let opened = Self::opened(state, place);
        frame.opened.store(opened, Ordering::Release);
        self.state
            .store(state + (1 << DEPTH_BITS) + 1, Ordering::Release);
        Some(frame)
    }

    #[inline]
    fn close(&self) {
        let state = self.state.load(Ordering::Relaxed);
        self.state
            .store(state + (1 << DEPTH_BITS) - 1, Ordering::Release);
    }

    /// Number of the dispatcher whose handler runs innermost on this thread.
    pub(crate) fn innermost(&self) -> Option<u64> {
        self.announced(self.depth())
    }

    /// Number of the dispatcher whose handler sent the message of the innermost frame.
    pub(crate) fn sender(&self) -> Option<u64> {
        self.announced(self.depth().saturating_sub(1))
    }

    /// Number of the dispatcher that is announced in the frame before `depth`.
    fn announced(&self, depth: usize) -> Option<u64> {
        let frame = self.frames.get(depth.checked_sub(1)?)?;
        let number = frame.dispatcher.load(Ordering::Acquire);
        (number != 0).then_some(number)
    }

    /// Numbers of all dispatchers whose handlers are announced; asked by the thread itself.
    pub(crate) fn dispatchers(&self) -> Vec<u64> {
        let open = self.frames.iter().take(self.depth());
        open.map(|frame| frame.dispatcher.load(Ordering::Acquire))
            .filter(|number| *number != 0)
            .collect()
    }

    /// All handlers that are announced, outermost first. Frames that last are read right, whatever happens inside of them.
    fn handlings(&self) -> Vec<Handling> {
        let open = self.frames.iter().take(self.depth());
        let read = open.map(|frame| Handling {
            opened: frame.opened.load(Ordering::Acquire),
            place: frame.place.load(Ordering::Acquire),
            dispatcher: frame.dispatcher.load(Ordering::Acquire),
        });
        read.collect()
    }

    /// Whether a handler of this dispatcher is announced.
    pub(crate) fn runs(&self, dispatcher: u64) -> bool {
        let depth = self.depth();
        self.frames
            .iter()
            .take(depth)
            .any(|frame| frame.dispatcher.load(Ordering::Acquire) == dispatcher)
    }

    /// The state if no message of the bus (or of its one endpoint) is being handled, else none.
    fn quiet(&self, bus: u32, endpoint: Option<u32>) -> Option<u64> {
        let state = self.state.load(Ordering::Acquire);
        let depth = Self::depth_of(state);
        for frame in self.frames.iter().take(depth) {
            let place = frame.place.load(Ordering::Acquire);
            let same_bus = place >> 32 == u64::from(bus);
            let same_endpoint =
                endpoint.is_none_or(|number| place & 0xFFFF_FFFF == u64::from(number));
            if same_bus && same_endpoint {
                return None;
            }
        }
        Some(state)
    }

    /// Whether the owning thread is inside a handler of this bus.
    pub(crate) fn is_on(&self, bus: u32) -> bool {
        self.quiet(bus, None).is_none()
    }
}

/// One open frame; closed on drop, also while unwinding, and whoever waits is told.
#[derive(Debug)]
pub(crate) struct Presence<'a> {
    // In this order: the frame is closed, and then whoever waits is told.
    stay: Stay<'a>,
    _told: Told<'a>,
}

impl<'a> Deref for Presence<'a> {
    type Target = Stay<'a>;

    #[inline]
    fn deref(&self) -> &Stay<'a> {
        &self.stay
    }
}

/// Tells whoever waits, on drop.
#[derive(Debug)]
struct Told<'a> {
    activity: &'a Activity,
}

impl Drop for Told<'_> {
    #[inline]
    fn drop(&mut self) {
        self.activity.fences.light();
        self.activity.withdrawn();
    }
}

/// One open frame; closed on drop, also while unwinding, and nobody is told.
#[derive(Debug)]
pub(crate) struct Stay<'a> {
    _turn: Turn<'a>,
    frame: &'a Frame,
    activity: &'a Activity,
}

impl Stay<'_> {
    /// Announces that a handler of `dispatcher` is about to run. The dispatcher's mark must be read after this.
    #[inline]
    pub(crate) fn announce(&self, dispatcher: u64) {
        self.frame.dispatcher.store(dispatcher, Ordering::Release);
        self.activity.fences.light();
    }

    /// See [`Succession::announce`].
    #[inline]
    pub(crate) fn is_asymmetric(&self) -> bool {
        self.activity.fences.are_asymmetric()
    }

    /// What [`Succession`] needs at each handler, gathered once.
    #[inline]
    pub(crate) fn succession(&self, calm: u64) -> Succession<'_> {
        Succession {
            dispatcher: &self.frame.dispatcher,
            activity: self.activity,
            calm,
        }
    }

    /// The dispatcher whose handler is announced; 0 for none.
    pub(crate) fn announced(&self) -> u64 {
        self.frame.dispatcher.load(Ordering::Relaxed)
    }

    /// Tells whoever waits that the announcement before this one has been taken back.
    #[cold]
    pub(crate) fn attend(&self) {
        self.activity.withdrawn();
    }

    /// Takes the announcement back and tells whoever waits.
    #[inline]
    pub(crate) fn withdraw(&self) {
        self.frame.dispatcher.store(0, Ordering::Release);
        self.activity.fences.light();
        self.activity.withdrawn();
    }
}

/// The open frame of a handler of a queued message; closed on drop, and nobody is told.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    record: &'a Record,
}

impl Drop for Turn<'_> {
    #[inline]
    fn drop(&mut self) {
        self.record.close();
    }
}

/// Handlers that are called one after the other, each announced in place of the one before.
#[derive(Clone, Copy)]
pub(crate) struct Succession<'a> {
    dispatcher: &'a AtomicU64,
    activity: &'a Activity,
    calm: u64,
}

impl Succession<'_> {
    /// Announces a handler. Returns whether it may run at once; otherwise [`attend`](Stay::attend) must be called and
    /// the dispatcher's mark be read. `calm`: see [`Activity::calm`].
    ///
    /// `ASYMMETRIC`: what the fences are, asked once and not for each handler.
    #[inline]
    pub(crate) fn announce<const ASYMMETRIC: bool>(self, dispatcher: u64) -> bool {
        self.dispatcher.store(dispatcher, Ordering::Release);
        Fences::light_known::<ASYMMETRIC>();
        self.activity.is_calm(self.calm)
    }

    /// As [`announce`](Self::announce), if the handler was announced when the frame was opened.
    #[inline]
    pub(crate) fn is_announced<const ASYMMETRIC: bool>(self) -> bool {
        Fences::light_known::<ASYMMETRIC>();
        self.activity.is_calm(self.calm)
    }
}

/// The records of all threads.
#[derive(Debug)]
pub(crate) struct Records {
    all: Mutex<Vec<Arc<Record>>>,
}

impl Records {
    pub(crate) fn new() -> Self {
        Self {
            all: Mutex::new(Vec::new()),
        }
    }

    /// Adds the record of a thread.
    pub(crate) fn add(&self, record: Arc<Record>) {
        let thread = std::thread::current();
        thread
            .name()
            .unwrap_or("a thread without a name")
            .clone_into(&mut record.thread.lock());
        self.all.lock().push(record);
    }

    /// Removes the record of a thread that ends.
    pub(crate) fn remove(&self, record: &Arc<Record>) {
        self.all.lock().retain(|other| !Arc::ptr_eq(other, record));
    }

    /// What all threads are doing that handle anything.
    pub(crate) fn look(&self) -> Vec<Doing> {
        let all = self.all.lock();
        let busy = all.iter().filter(|record| record.depth() > 0);
        let doing = busy.map(|record| {
            let handlings = record.handlings();
            let outermost = handlings.first();
            Doing {
                record: Arc::as_ptr(record).addr(),
                thread: record.thread.lock().clone(),
                letter: outermost
                    .map(|one| record.letterbox.of(one.opened))
                    .unwrap_or_default(),
                handlings,
            }
        });
        doing.collect()
    }

    /// Number of announced handlers of `dispatcher`.
    pub(crate) fn running(&self, dispatcher: u64) -> usize {
        self.all
            .lock()
            .iter()
            .filter(|record| record.runs(dispatcher))
            .count()
    }

    /// Whether no thread handles a message of the bus (or of its one endpoint) while `nothing_queued` is read.
    ///
    /// Reads all records, then asks, then reads them again: if nothing moved, there was a moment at which all were quiet
    /// and nothing was queued. Without the second reading a thread that hands its work to another by means of its own
    /// could make both look idle.
    pub(crate) fn quiet(
        &self,
        bus: u32,
        endpoint: Option<u32>,
        nothing_queued: impl Fn() -> bool,
    ) -> bool {
        let all = self.all.lock();
        let reading = |sum: u64, record: &Arc<Record>| {
            record
                .quiet(bus, endpoint)
                .map(|state| sum.wrapping_add(state))
        };
        loop {
            let Some(before) = all.iter().try_fold(0, reading) else {
                return false;
            };
            if !nothing_queued() {
                return false;
            }
            match all.iter().try_fold(0, reading) {
                None => return false,
                Some(after) if after == before => return true,
                // Somebody came or went, perhaps on another bus: look again.
                Some(_) => {}
            }
        }
    }
}
