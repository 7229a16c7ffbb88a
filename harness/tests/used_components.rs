//! Components that use each other while messages are handled, with every kind of dispatcher.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use zaf_core::prelude::*;
use zaf_harness::prelude::*;

const COUNTER: EndpointId = EndpointId::new("used-counter", "Where hosts are counted.");
const REACH: RequestId<(), Reached> = RequestId::new("REACH", "Which hosts are reached?");

/// What one handler got while it handled one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reached {
    host: (usize, &'static str),
    by_the_shell: (usize, &'static str),
    by_any_shell: (usize, &'static str),
}

/// How many hosts there were; provided by the test.
#[derive(Debug, Default)]
struct Hosts(AtomicUsize);

/// Something with a number of its own.
#[derive(Debug)]
struct Host(usize, &'static str);

/// The host that everybody gets who asks for nothing special.
#[component(scope = "message", priority = 1)]
fn used_near(hosts: &Hosts) -> Host {
    Host(hosts.0.fetch_add(1, Ordering::Relaxed), "near")
}

/// A host that can do more.
#[component(scope = "message", can = ["used-reboot"])]
fn used_far(hosts: &Hosts) -> Host {
    Host(hosts.0.fetch_add(1, Ordering::Relaxed), "far")
}

#[derive(Debug)]
struct Line((usize, &'static str));

/// Leads to a host.
#[component(scope = "message")]
fn used_line(host: &Host) -> Line {
    Line((host.0, host.1))
}

#[derive(Debug)]
struct Shell((usize, &'static str));

/// Is at the end of a line.
#[component(scope = "message")]
fn used_shell(line: &Line) -> Shell {
    Shell(line.0)
}

#[framework_extension(name = "reaching", load_order = 101, endpoints_and_messages = { COUNTER: [REACH] })]
#[derive(Debug)]
struct Reaching;

impl Extension for Reaching {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

fn reached(host: &Host, shell: &Shell, any: &Shell) -> Reached {
    Reached {
        host: (host.0, host.1),
        by_the_shell: shell.0,
        by_any_shell: any.0,
    }
}

#[dispatchers]
impl Reaching {
    #[callback_dispatcher(REACH)]
    #[requires(host, can = ["used-reboot"])]
    #[requires(shell, uses = [host])]
    fn called(&self, _: &Message<()>, host: &Host, shell: &Shell, any: &Shell) -> Reached {
        reached(host, shell, any)
    }

    #[sequential_dispatcher(REACH)]
    #[requires(host, can = ["used-reboot"])]
    #[requires(shell, uses = [host])]
    fn in_turn(&self, _: &Message<()>, host: &Host, shell: &Shell, any: &Shell) -> Reached {
        reached(host, shell, any)
    }

    #[threadpool_dispatcher(REACH)]
    #[requires(host, can = ["used-reboot"])]
    #[requires(shell, uses = [host])]
    fn in_a_pool(&self, _: &Message<()>, host: &Host, shell: &Shell, any: &Shell) -> Reached {
        reached(host, shell, any)
    }

    #[concurrent_dispatcher(REACH)]
    #[requires(host, can = ["used-reboot"])]
    #[requires(shell, uses = [host])]
    fn at_once(&self, _: &Message<()>, host: &Host, shell: &Shell, any: &Shell) -> Reached {
        reached(host, shell, any)
    }
}

#[test]
fn what_is_used_is_one_instance_along_the_chain_within_a_message_and_another_for_the_next()
-> TestResult {
    const MESSAGES: usize = 5;
    let hosts = Arc::new(Hosts::default());
    let harness = ExtensionTestHarness::<Reaching>::builder()
        .component(Arc::clone(&hosts))
        .start()?;
    let mut far = BTreeSet::new();
    let mut near = BTreeSet::new();
    for _ in 0..MESSAGES {
        let replies = harness.send_request(REACH, COUNTER, ())?;
        let answers = replies.values(Duration::from_secs(10))?;
        assert_eq!(answers.len(), 4, "one of each kind of dispatcher");
        for reached in answers {
            // Two steps below is the very host that the handler got.
            assert_eq!(reached.host.1, "far");
            assert_eq!(reached.by_the_shell, reached.host);
            // Whoever does not use it gets a shell of the best host.
            assert_eq!(reached.by_any_shell.1, "near");
            far.insert(reached.host.0);
            near.insert(reached.by_any_shell.0);
        }
    }
    // Nothing is kept for the next message, and nothing is made twice for one.
    assert_eq!((far.len(), near.len()), (4 * MESSAGES, 4 * MESSAGES));
    assert_eq!(hosts.0.load(Ordering::Relaxed), 8 * MESSAGES);
    harness.destroy()?;
    Ok(())
}
