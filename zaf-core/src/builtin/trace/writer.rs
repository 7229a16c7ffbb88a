//! From what was observed to the events of a trace.
//!
//! | Observed | In the trace |
//! |---|---|
//! | a message was sent | a slice on the sender's thread, until its last receiver had it |
//! | a handler ran | a slice on its thread; an arrow from the sending if it came through a queue |
//! | a message was not handled | a moment: rejected, dropped, cancelled |
//! | a message was refused | a moment on the sender's thread |
//! | a queue | a counter of what waits in it |

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::event::{Phase, TraceEvent};
use crate::message::{
    Delivery, DispatcherKind, MessageKind, Observed, ObservedMessage, Outcome, ThreadLabel,
};

/// How many bytes are worth a call of the system.
const ENOUGH: usize = 64 * 1024;

/// Writes a trace. See the [module](self).
pub(super) struct TraceWriter<W: Write> {
    out: W,
    /// Whole events that have not been written: so a file that somebody else reads, or that is all that is left of a killed
    /// run, never ends within one.
    buffer: Vec<u8>,
    pid: u32,
    /// What all times count from.
    begin: Instant,
    /// Threads that have been named.
    threads: BTreeSet<u64>,
    arrows: u64,
}

impl<W: Write> TraceWriter<W> {
    /// Begins a trace of the process with this id and name. Times count from now.
    pub(super) fn new(out: W, pid: u32, process: &str) -> io::Result<Self> {
        let mut writer = Self {
            out,
            buffer: b"[\n".to_vec(),
            pid,
            begin: Instant::now(),
            threads: BTreeSet::new(),
            arrows: 0,
        };
        let args = arguments([("name", Some(process.into()))]);
        let event = writer.event("process_name", Phase::Metadata, 0, writer.begin);
        serde_json::to_writer(&mut writer.buffer, &TraceEvent { args, ..event })?;
        writer.flush()?;
        Ok(writer)
    }

    pub(super) fn write(&mut self, entry: &Observed) -> io::Result<()> {
        match entry {
            Observed::Sent {
                message,
                receivers,
                handed_over,
            } => {
                let receivers = receivers.iter().map(|name| json!(&**name)).collect();
                self.sent(message, receivers, *handed_over)
            }
            Observed::Delivered(delivery) => self.delivered(delivery),
            Observed::Refused { message, error } => self.refused(message, error),
        }
    }

    /// Makes what was written visible to readers of the file.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        self.out.flush()
    }

    /// Ends the trace. `lost` entries are missing.
    pub(super) fn finish(mut self, lost: u64) -> io::Result<()> {
        if lost > 0 {
            let name = format!("{lost} entries are missing");
            let event = self.event(&name, Phase::Instant, 0, Instant::now());
            self.put(&TraceEvent {
                s: Some("g"),
                ..event
            })?;
        }
        self.buffer.extend_from_slice(b"\n]\n");
        self.flush()
    }

    fn sent(
        &mut self,
        message: &ObservedMessage,
        receivers: Vec<Value>,
        handed_over: Instant,
    ) -> io::Result<()> {
        let tid = self.thread(&message.thread)?;
        let mut args = described(message);
        args.insert("receivers".to_owned(), receivers.into());
        let event = self.event(message.id.name, Phase::Complete, tid, message.sent);
        self.put(&TraceEvent {
            cat: kind(message),
            dur: Some(handed_over.saturating_duration_since(message.sent).into()),
            args,
            ..event
        })
    }

    fn delivered(&mut self, delivery: &Delivery) -> io::Result<()> {
        let message = &*delivery.message;
        let sender = self.thread(&message.thread)?;
        let is_queued = delivery.kind != DispatcherKind::Callback;
        let was_queued = is_queued && delivery.outcome != Outcome::Rejected;
        if was_queued {
            self.depth(delivery, delivery.accepted, delivery.queued)?;
        }
        let Some((begun, thread)) = &delivery.begun else {
            return self.unhandled(delivery, sender);
        };
        let tid = self.thread(thread)?;
        let mut args = described(message);
        args.insert("message".to_owned(), message.id.name.into());
        args.insert("outcome".to_owned(), delivery.outcome.name().into());
        args.extend(arguments([(
            "error",
            delivery.error.as_deref().map(Into::into),
        )]));
        let event = self.event(&delivery.receiver, Phase::Complete, tid, *begun);
        self.put(&TraceEvent {
            cat: "handler",
            dur: Some(delivery.ended.saturating_duration_since(*begun).into()),
            args,
            ..event
        })?;
        if was_queued {
            self.depth(delivery, *begun, delivery.queued_at_begin)?;
            self.arrows += 1;
            let id = Some(self.arrows);
            let start = self.event(message.id.name, Phase::FlowStart, sender, delivery.accepted);
            self.put(&TraceEvent {
                cat: "queue",
                id,
                ..start
            })?;
            let end = self.event(message.id.name, Phase::FlowEnd, tid, *begun);
            self.put(&TraceEvent {
                cat: "queue",
                id,
                bp: Some("e"),
                ..end
            })?;
        }
        Ok(())
    }

    fn unhandled(&mut self, delivery: &Delivery, tid: u64) -> io::Result<()> {
        let message = &*delivery.message;
        let name = format!(
            "{} {} by {}",
            message.id.name, delivery.outcome, delivery.receiver
        );
        let mut args = described(message);
        args.extend(arguments([(
            "error",
            delivery.error.as_deref().map(Into::into),
        )]));
        let event = self.event(&name, Phase::Instant, tid, delivery.ended);
        self.put(&TraceEvent {
            cat: "refusal",
            s: Some("t"),
            args,
            ..event
        })
    }

    fn refused(&mut self, message: &ObservedMessage, error: &str) -> io::Result<()> {
        let tid = self.thread(&message.thread)?;
        let mut args = described(message);
        args.extend(arguments([("error", Some(error.into()))]));
        let name = format!("{} refused", message.id.name);
        let event = self.event(&name, Phase::Instant, tid, message.sent);
        self.put(&TraceEvent {
            cat: "refusal",
            s: Some("t"),
            args,
            ..event
        })
    }

    fn depth(&mut self, delivery: &Delivery, at: Instant, waiting: usize) -> io::Result<()> {
        let name = format!("queue of {}", delivery.receiver);
        let event = self.event(&name, Phase::Counter, 0, at);
        let args = arguments([("waiting", Some(waiting.into()))]);
        self.put(&TraceEvent { args, ..event })
    }

    /// Number of the thread, which is named when it is seen first.
    fn thread(&mut self, thread: &ThreadLabel) -> io::Result<u64> {
        if self.threads.insert(thread.number) {
            let args = arguments([("name", Some((*thread.name).into()))]);
            let event = self.event("thread_name", Phase::Metadata, thread.number, self.begin);
            self.put(&TraceEvent { args, ..event })?;
        }
        Ok(thread.number)
    }

    fn event<'a>(&self, name: &'a str, ph: Phase, tid: u64, at: Instant) -> TraceEvent<'a> {
        let ts: Duration = at.saturating_duration_since(self.begin);
        TraceEvent {
            name,
            cat: "",
            ph,
            ts: ts.into(),
            dur: None,
            pid: self.pid,
            tid,
            id: None,
            bp: None,
            s: None,
            args: Map::new(),
        }
    }

    fn put(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        self.buffer.extend_from_slice(b",\n");
        serde_json::to_writer(&mut self.buffer, event)?;
        if self.buffer.len() < ENOUGH {
            return Ok(());
        }
        self.flush()
    }
}

fn kind(message: &ObservedMessage) -> &'static str {
    match message.id.kind {
        MessageKind::Event => "event",
        MessageKind::Request => "request",
    }
}

/// What a person wants to know of a message.
fn described(message: &ObservedMessage) -> Map<String, Value> {
    arguments([
        ("endpoint", message.endpoint.map(|one| one.name().into())),
        (
            "entity",
            message.entity.as_ref().map(|one| one.name().into()),
        ),
        ("sender", message.sender.as_deref().map(Into::into)),
        ("number", Some(message.number.into())),
        ("parent", message.parent.map(Into::into)),
    ])
}

fn arguments<const N: usize>(values: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let known = values.into_iter();
    known
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}
