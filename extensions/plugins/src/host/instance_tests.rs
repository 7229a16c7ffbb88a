//! Instances with links that die as they are told.

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use zaf_core::message::WireFormat;

use zaf_core::extension::ExtensionObject;

use super::super::object::Object;
use super::*;
use crate::link::{Calls, LinkProblem, Step};

/// What a link does with one message.
#[derive(Debug, Clone, Copy)]
enum Does {
    Answers,
    Refuses,
    Dies,
    Sticks,
}

/// Plugins one after the other, each with what it does with its messages.
type Plan = VecDeque<Vec<Does>>;

#[derive(Debug)]
struct FakeLink {
    description: Description,
    to_do: Mutex<VecDeque<Does>>,
    stopped: Arc<AtomicUsize>,
}

fn error(problem: LinkProblem) -> LinkError {
    LinkError {
        plugin: "fake".into(),
        step: Step::Deliver {
            message: "PING".to_owned(),
        },
        problem: Arc::new(problem),
        stderr: vec!["last words".to_owned()],
    }
}

impl Link for FakeLink {
    fn description(&self) -> &Description {
        &self.description
    }

    fn start(&self, _: &Start, _: Arc<dyn Calls>) -> Result<(), LinkError> {
        Ok(())
    }

    fn deliver(&self, delivery: &Delivery<'_>) -> Result<Option<EncodedPayload>, LinkError> {
        match self.to_do.lock().pop_front() {
            Some(Does::Refuses) => Err(error(LinkProblem::Refused {
                text: "not today".to_owned(),
                causes: Vec::new(),
            })),
            Some(Does::Dies) => Err(error(LinkProblem::Exited { code: 3 })),
            Some(Does::Sticks) => Err(error(LinkProblem::Stuck {
                after: Duration::from_secs(7),
            })),
            Some(Does::Answers) | None => {
                let is_request = delivery.kind == MessageKind::Request;
                Ok(is_request.then(|| delivery.message.payload().clone()))
            }
        }
    }

    fn stop(&self) -> Result<(), LinkError> {
        self.stopped.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn description(version: &str) -> Description {
    serde_json::from_value(serde_json::json!({
        "protocol": 1,
        "name": "fake",
        "version": version,
        "description": "Does as it is told.",
        "kind": {"framework": {"load_order": 50}},
    }))
    .unwrap()
}

struct Fixture {
    instance: Arc<Instance>,
    opened: Arc<AtomicUsize>,
    stopped: Arc<AtomicUsize>,
}

/// An instance for a command that runs plugins.
fn fixture(restarts: u64, plans: &[&[Does]], versions: &'static str) -> Fixture {
    let plan: Plan = plans.iter().map(|plan| plan.to_vec()).collect();
    let plan = Mutex::new(plan);
    let (opened, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, stops) = (Arc::clone(&opened), Arc::clone(&stopped));
    let open = move || -> Result<Arc<dyn Link>, LinkError> {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(FakeLink {
            description: description(versions),
            to_do: Mutex::new(plan.lock().pop_front().unwrap_or_default().into()),
            stopped: Arc::clone(&stops),
        }))
    };
    let plugin = Plugin {
        name: "fake",
        description: Arc::new(description("1.0")),
        open: Arc::new(open),
        restarts: Budget::new(restarts),
    };
    let bus = MessageBus::new();
    let instance = Instance::new(Arc::new(plugin), Start::default(), true, bus);
    instance.only_looks.store(false, Ordering::Relaxed);
    Fixture {
        instance,
        opened,
        stopped,
    }
}

impl Fixture {
    fn give(&self, kind: MessageKind) -> Result<Option<EncodedPayload>> {
        let payload = EncodedPayload::new(WireFormat::Json, b"7".to_vec());
        let message = EncodedMessage::new("PING", payload);
        self.instance.deliver("on_ping", kind, &message)
    }

    fn event(&self) -> Result<()> {
        self.give(MessageKind::Event).map(drop)
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    fn destroy(&self) -> Result<()> {
        Object(Arc::clone(&self.instance)).destroy()
    }
}

#[test]
fn a_plugin_is_started_with_its_first_message_and_ended_with_the_application() {
    let fixture = fixture(3, &[&[Does::Answers, Does::Refuses]], "1.0");
    assert_eq!(fixture.opened(), 0);
    let answer = fixture.give(MessageKind::Request).unwrap().unwrap();
    assert_eq!(answer.bytes(), b"7");
    let refused = fixture.event().unwrap_err().to_string();
    assert!(refused.contains("not today"), "{refused}");
    fixture.event().unwrap();
    assert_eq!(fixture.opened(), 1, "who refuses a message is still there");
    fixture.destroy().unwrap();
    assert_eq!(fixture.stopped.load(Ordering::Relaxed), 1);
    let after = fixture.event().unwrap_err().to_string();
    assert_eq!(after, "plugin `fake` has ended with the application");
    fixture.destroy().unwrap();
}

#[test]
fn a_plugin_that_dies_is_started_again_with_the_next_message_until_it_is_given_up() {
    let dies: &[Does] = &[Does::Answers, Does::Dies];
    let fixture = fixture(2, &[dies, dies, dies], "1.0");
    for round in 1..=3 {
        fixture.event().unwrap();
        let death = fixture.event().unwrap_err().to_string();
        assert!(
            death.contains("ended with exit code 3") && death.contains("last words"),
            "{death}"
        );
        assert_eq!(fixture.opened(), round);
    }
    fixture.event().expect("its handlers stay away");
    let gone = fixture.give(MessageKind::Request).unwrap_err().to_string();
    assert!(
        gone.starts_with(
            "plugin `fake` was given up: it died 3 times in this run; plugin `fake`, given `PING`"
        ),
        "{gone}"
    );
    assert_eq!(fixture.opened(), 3);
    let end = fixture.destroy().unwrap_err().to_string();
    assert_eq!(end, gone);
}

#[test]
fn a_plugin_that_does_not_come_back_is_given_up_at_once() {
    let fixture = fixture(3, &[&[Does::Answers, Does::Sticks]], "1.0");
    fixture.event().unwrap();
    let stuck = fixture.event().unwrap_err().to_string();
    assert!(stuck.contains("did not return within 7s"), "{stuck}");
    let gone = fixture.give(MessageKind::Request).unwrap_err().to_string();
    let expected = "plugin `fake` was given up: plugin `fake`, given `PING`: did not return";
    assert!(gone.starts_with(expected), "{gone}");
    fixture.event().expect("its handlers stay away");
    assert_eq!(fixture.opened(), 1);
    let end = fixture.destroy().unwrap_err().to_string();
    assert_eq!(end, gone);
}

#[test]
fn a_death_is_reported_once() {
    let fixture = fixture(1, &[&[Does::Dies]], "1.0");
    let message = EncodedMessage::new("PING", EncodedPayload::new(WireFormat::Json, b"7".to_vec()));
    let link = fixture
        .instance
        .running("on_ping", MessageKind::Event, &message);
    let link = link.unwrap().unwrap();
    assert!(fixture.event().is_err());
    // Another thread had a message at the same plugin.
    let later = fixture
        .instance
        .died(&link, error(LinkProblem::Exited { code: 3 }));
    assert_eq!(
        later.to_string(),
        "plugin `fake` has died, as reported before"
    );
    fixture.event().expect("the one death took one restart");
}

#[test]
fn c19_what_says_something_else_when_it_starts_is_not_what_was_trusted() {
    let fixture = fixture(0, &[], "6.6");
    let error = fixture.event().unwrap_err().to_string();
    assert!(
        error.contains("says something else about itself"),
        "{error}"
    );
    assert_eq!(fixture.stopped.load(Ordering::Relaxed), 1);
}

#[test]
fn s1_nothing_is_opened_for_a_command_that_only_looks() {
    let fixture = fixture(3, &[], "1.0");
    fixture.instance.only_looks.store(true, Ordering::Relaxed);
    fixture.event().unwrap();
    let refused = fixture.give(MessageKind::Request).unwrap_err().to_string();
    assert!(
        refused.contains("not run by commands that only look"),
        "{refused}"
    );
    let object = Object(Arc::clone(&fixture.instance));
    object.register_dispatchers(&MessageBus::new()).unwrap();
    fixture.destroy().unwrap();
    assert_eq!(fixture.opened(), 0);
}

#[test]
fn a_panic_while_a_plugin_is_started_leaves_nobody_waiting_for_it() {
    let (reached, is_reached) = crossbeam_channel::bounded::<()>(1);
    let (go_on, goes_on) = crossbeam_channel::bounded::<()>(1);
    let open = move || -> Result<Arc<dyn Link>, LinkError> {
        reached.send(()).unwrap();
        goes_on.recv().unwrap();
        panic!("no more paper");
    };
    let plugin = Plugin {
        name: "fake",
        description: Arc::new(description("1.0")),
        open: Arc::new(open),
        restarts: Budget::new(0),
    };
    let instance = Instance::new(Arc::new(plugin), Start::default(), true, MessageBus::new());
    instance.set_only_looks(false);
    let message = EncodedMessage::new("PING", EncodedPayload::new(WireFormat::Json, b"7".to_vec()));
    let ask = || instance.deliver("on_ping", MessageKind::Request, &message);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| ask().unwrap_err().to_string());
        is_reached.recv().unwrap();
        let second = scope.spawn(|| ask().unwrap_err().to_string());
        go_on.send(()).unwrap();
        let panicked = "plugin `fake`, when it was started: what this program does for it panicked: no more paper";
        assert_eq!(first.join().unwrap(), panicked);
        assert!(second.join().unwrap().ends_with(panicked));
    });
    assert!(instance.end().is_err(), "it was given up");
}
