//! Routing against a naive model, over random sequences of operations.
//!
//! The model keeps a list of registrations and looks through all of it for each message. Dispatchers are of all kinds: what
//! is queued is waited for, and then compared without its order; replies and callbacks have theirs.

use proptest::prelude::*;
use zaf_core::message::{
    BusError, Dispatcher, DispatcherBuilder, DispatcherKind, EndpointId, Entity, MessageBus,
    MessageDescriptor,
};

use super::{ASK, CELLAR, KITCHEN, LONG, Log, PING, PONG, bus};

const ENDPOINTS: [EndpointId; 2] = [KITCHEN, CELLAR];
const ELSEWHERE: EndpointId = EndpointId::new("elsewhere", "Not defined.");
const ENTITIES: [&str; 3] = ["X", "Y", "Z"];
const KINDS: [DispatcherKind; 4] = [
    DispatcherKind::Callback,
    DispatcherKind::Sequential,
    DispatcherKind::ThreadPool,
    DispatcherKind::Concurrent,
];

/// Which message. PONG is defined at the kitchen only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Ping,
    Pong,
    Ask,
}

const MESSAGES: [What; 3] = [What::Ping, What::Pong, What::Ask];

impl What {
    fn descriptor(self) -> MessageDescriptor {
        match self {
            Self::Ping => PING.descriptor(),
            Self::Pong => PONG.descriptor(),
            Self::Ask => ASK.descriptor(),
        }
    }

    fn is_defined_at(self, endpoint: usize) -> bool {
        self != Self::Pong || endpoint == 0
    }
}

/// What a registration asks for. Messages, endpoints and entities are bit sets; no endpoint: all, no entity: none. The
/// third bit of the endpoints is one that is not defined.
#[derive(Debug, Clone)]
struct Wish {
    messages: u8,
    endpoints: u8,
    entities: u8,
    any: bool,
    priority: i32,
    optional: bool,
}

#[derive(Debug, Clone)]
enum Operation {
    Register {
        kind: usize,
        wish: Wish,
    },
    Also {
        which: usize,
        wish: Wish,
    },
    Deregister {
        which: usize,
        messages: u8,
        endpoints: u8,
        entities: u8,
    },
    Destroy {
        which: usize,
        drain: bool,
    },
    Event {
        pong: bool,
        endpoint: usize,
        entity: Option<usize>,
    },
    Request {
        endpoint: usize,
        entity: Option<usize>,
    },
    Everywhere {
        entity: Option<usize>,
    },
}

fn wish() -> impl Strategy<Value = Wish> {
    let endpoints = prop_oneof![6 => 0..4_u8, 1 => 4..8_u8];
    (
        1..8_u8,
        endpoints,
        0..8_u8,
        any::<bool>(),
        -1..2_i32,
        any::<bool>(),
    )
        .prop_map(
            |(messages, endpoints, entities, any, priority, optional)| Wish {
                messages,
                endpoints,
                entities: if any { 0 } else { entities },
                any,
                priority,
                optional,
            },
        )
}

fn operation() -> impl Strategy<Value = Operation> {
    let entity = || prop::option::of(0..3_usize);
    prop_oneof![
        4 => (0..4_usize, wish()).prop_map(|(kind, wish)| Operation::Register { kind, wish }),
        2 => (0..8_usize, wish()).prop_map(|(which, wish)| Operation::Also { which, wish }),
        2 => (0..8_usize, 0..8_u8, 0..4_u8, 0..8_u8).prop_map(|(which, messages, endpoints, entities)| {
            Operation::Deregister { which, messages, endpoints, entities }
        }),
        1 => (0..8_usize, any::<bool>()).prop_map(|(which, drain)| Operation::Destroy { which, drain }),
        5 => (any::<bool>(), 0..2_usize, entity()).prop_map(|(pong, endpoint, entity)| {
            Operation::Event { pong, endpoint, entity }
        }),
        4 => (0..2_usize, entity()).prop_map(|(endpoint, entity)| Operation::Request { endpoint, entity }),
        2 => entity().prop_map(|entity| Operation::Everywhere { entity }),
    ]
}

fn chosen<T: Copy>(all: &[T], bits: u8) -> Vec<T> {
    let is_chosen = |index: &usize| bits & (1 << index) != 0;
    (0..all.len())
        .filter(is_chosen)
        .map(|index| all[index])
        .collect()
}

#[derive(Debug, Clone, PartialEq)]
enum Audience {
    Endpoint,
    Any,
    Entities(Vec<&'static str>),
}

/// One message at one endpoint, as a child would write it down.
#[derive(Debug, Clone)]
struct Registered {
    dispatcher: usize,
    message: What,
    endpoint: usize,
    audience: Audience,
    priority: i32,
}

impl Registered {
    /// What the receiver sees as the message's entity, `-` for none; none if it does not get the message.
    fn sees(&self, entity: Option<&str>) -> Option<String> {
        let is_request = self.message == What::Ask;
        match (&self.audience, entity) {
            (Audience::Endpoint | Audience::Any, None) => Some("-".to_owned()),
            (Audience::Any, Some(entity)) => Some(entity.to_owned()),
            (Audience::Endpoint, Some(entity)) => (!is_request).then(|| entity.to_owned()),
            (Audience::Entities(own), None) => is_request.then(|| own[0].to_owned()),
            (Audience::Entities(own), Some(entity)) => {
                own.contains(&entity).then(|| entity.to_owned())
            }
        }
    }

    fn answers_for_the_same(&self, other: &Self) -> bool {
        let same_place = (self.dispatcher, self.message, self.endpoint)
            == (other.dispatcher, other.message, other.endpoint);
        same_place
            && match (&self.audience, &other.audience) {
                (Audience::Entities(own), Audience::Entities(others)) => {
                    own.iter().any(|name| others.contains(name))
                }
                (Audience::Entities(_), _) | (_, Audience::Entities(_)) => false,
                _ => true,
            }
    }
}

struct World {
    bus: MessageBus,
    log: Log<(usize, String)>,
    live: Vec<(usize, Dispatcher)>,
    /// In order of registration.
    registered: Vec<Registered>,
    next: usize,
}

impl World {
    /// What a wish amounts to; none if it is to be refused.
    fn expand(&self, dispatcher: usize, wish: &Wish) -> Option<Vec<Registered>> {
        let own: Vec<&str> = chosen(&ENTITIES, wish.entities);
        let audience = match (wish.any, own.is_empty()) {
            (true, _) => Audience::Any,
            (false, true) => Audience::Endpoint,
            (false, false) => Audience::Entities(own),
        };
        let mut all = Vec::new();
        for message in chosen(&MESSAGES, wish.messages) {
            let endpoints = if wish.endpoints == 0 {
                3
            } else {
                wish.endpoints
            };
            for endpoint in chosen(&[0, 1, 2], endpoints) {
                if endpoint < 2 && message.is_defined_at(endpoint) {
                    all.push(Registered {
                        dispatcher,
                        message,
                        endpoint,
                        audience: audience.clone(),
                        priority: wish.priority,
                    });
                } else if wish.endpoints != 0 && !wish.optional {
                    return None;
                }
            }
        }
        let is_taken = |new: &Registered| {
            let mut known = self.registered.iter();
            known.any(|old| old.answers_for_the_same(new))
        };
        (!all.iter().any(is_taken)).then_some(all)
    }

    fn apply(&self, builder: DispatcherBuilder, number: usize, wish: &Wish) -> DispatcherBuilder {
        let mut endpoints = chosen(&ENDPOINTS, wish.endpoints);
        if wish.endpoints & 4 != 0 {
            endpoints.push(ELSEWHERE);
        }
        let mut builder = builder
            .priority(wish.priority)
            .endpoints(endpoints)
            .entities(chosen(&ENTITIES, wish.entities));
        if wish.any {
            builder = builder.any_entity();
        }
        if wish.optional {
            builder = builder.optional();
        }
        let write = move |log: &Log<(usize, String)>, entity: Option<&Entity>| {
            let seen = entity.map_or("-", |entity| entity.name());
            log.add((number, seen.to_owned()));
        };
        for message in chosen(&MESSAGES, wish.messages) {
            let log = self.log.clone();
            builder = match message {
                What::Ping | What::Pong => {
                    let event = if message == What::Ping { PING } else { PONG };
                    builder.on(event, move |message, _| {
                        write(&log, message.entity());
                        Ok(())
                    })
                }
                What::Ask => builder.on(ASK, move |message, _| {
                    write(&log, message.entity());
                    Ok(0)
                }),
            };
        }
        builder
    }

    fn register(&mut self, kind: usize, wish: &Wish) {
        let number = self.next;
        self.next += 1;
        let builder = self.bus.dispatcher(KINDS[kind], number.to_string());
        let outcome = self.apply(builder, number, wish).register();
        let expected = self.expand(number, wish);
        assert_eq!(outcome.is_ok(), expected.is_some(), "{outcome:?}");
        if let (Ok(dispatcher), Some(expected)) = (outcome, expected) {
            self.registered.extend(expected);
            self.live.push((number, dispatcher));
        }
    }

    fn also(&mut self, which: usize, wish: &Wish) {
        let Some((number, dispatcher)) = self.live.get(which) else {
            return;
        };
        let outcome = self.apply(dispatcher.also(), *number, wish).register();
        let expected = self.expand(*number, wish);
        assert_eq!(outcome.is_ok(), expected.is_some(), "{outcome:?}");
        self.registered.extend(expected.unwrap_or_default());
    }

    fn deregister(&mut self, which: usize, messages: u8, endpoints: u8, entities: u8) {
        let Some((number, dispatcher)) = self.live.get(which) else {
            return;
        };
        let given = chosen(&MESSAGES, messages);
        let names = chosen(&ENTITIES, entities);
        let matches = |one: &Registered| {
            one.dispatcher == *number
                && (given.is_empty() || given.contains(&one.message))
                && (endpoints == 0 || endpoints & (1 << one.endpoint) != 0)
                && (names.is_empty()
                    || matches!(&one.audience, Audience::Entities(own)
                        if own.iter().any(|name| names.contains(name))))
        };
        let found = |message: &What| {
            let mut all = self.registered.iter();
            all.any(|one| one.message == *message && matches(one))
        };
        let expected = if given.is_empty() {
            self.registered.iter().any(matches)
        } else {
            given.iter().all(found)
        };
        let descriptors: Vec<_> = given.iter().map(|one| one.descriptor()).collect();
        let ids = chosen(&ENDPOINTS, endpoints);
        let given_entities: Vec<Entity> = names.iter().map(|name| Entity::from(*name)).collect();
        let outcome = dispatcher.deregister(&descriptors, &ids, &given_entities);
        if !expected {
            assert!(matches!(outcome, Err(BusError::NotRegistered { .. })));
            return;
        }
        let mut left = Vec::new();
        for mut one in std::mem::take(&mut self.registered) {
            if matches(&one) {
                match &mut one.audience {
                    Audience::Entities(own) if !names.is_empty() => {
                        own.retain(|name| !names.contains(name));
                        if own.is_empty() {
                            continue;
                        }
                    }
                    _ => continue,
                }
            }
            left.push(one);
        }
        self.registered = left;
        let is_left = self.registered.iter().any(|one| one.dispatcher == *number);
        assert_eq!(outcome, Ok(is_left));
    }

    fn destroy(&mut self, which: usize, drain: bool) {
        if which < self.live.len() {
            let (number, dispatcher) = self.live.remove(which);
            if drain {
                assert!(dispatcher.destroy_draining(LONG));
            } else {
                dispatcher.destroy();
            }
            self.registered.retain(|one| one.dispatcher != number);
        }
    }

    /// Who gets a message and what they see, in order. Without an endpoint: all.
    fn expected(
        &self,
        message: What,
        endpoint: Option<usize>,
        entity: Option<&str>,
    ) -> Vec<(usize, String)> {
        let mut matching: Vec<&Registered> = self
            .registered
            .iter()
            .filter(|one| one.message == message && endpoint.is_none_or(|at| one.endpoint == at))
            .filter(|one| one.sees(entity).is_some())
            .collect();
        // Stable: ties in order of registration.
        matching.sort_by_key(|one| -one.priority);
        let mut receivers: Vec<(usize, String)> = Vec::new();
        for one in matching {
            let is_new = receivers
                .iter()
                .all(|(number, _)| *number != one.dispatcher);
            if let (true, Some(seen)) = (is_new, one.sees(entity)) {
                receivers.push((one.dispatcher, seen));
            }
        }
        receivers
    }

    /// What was logged: callbacks in their order, all together in any.
    fn compare(&self, expected: &[(usize, String)]) {
        self.bus.wait_until_idle(LONG).unwrap();
        let mut logged = self.log.take();
        let is_callback = |number: usize| {
            let mut live = self.live.iter();
            live.any(|(own, one)| *own == number && one.kind() == DispatcherKind::Callback)
        };
        let callbacks = |all: &[(usize, String)]| {
            let mut all = all.to_vec();
            all.retain(|(number, _)| is_callback(*number));
            all
        };
        assert_eq!(callbacks(&logged), callbacks(expected));
        let mut expected = expected.to_vec();
        logged.sort();
        expected.sort();
        assert_eq!(logged, expected);
    }

    fn event(&self, pong: bool, endpoint: usize, entity: Option<usize>) {
        let message = if pong { What::Pong } else { What::Ping };
        let id = if pong { PONG } else { PING };
        let name = entity.map(|index| ENTITIES[index]);
        let report = match name {
            None => self.bus.trigger_event(id, ENDPOINTS[endpoint], 1),
            Some(name) => {
                let entity = Entity::from(name);
                self.bus
                    .trigger_event_for(id, ENDPOINTS[endpoint], &entity, 1)
            }
        };
        if !message.is_defined_at(endpoint) {
            assert!(matches!(report, Err(BusError::NotDefinedAt { .. })));
            return;
        }
        let expected = self.expected(message, Some(endpoint), name);
        assert_eq!(report.unwrap().delivered, expected.len());
        self.compare(&expected);
        let everybody = self.registered.iter();
        let anybody = everybody.filter(|one| one.message == message && one.endpoint == endpoint);
        assert_eq!(
            self.bus.has_receivers(id, ENDPOINTS[endpoint]),
            anybody.count() > 0
        );
    }

    fn ask(&self, endpoint: Option<usize>, entity: Option<usize>) {
        let name = entity.map(|index| ENTITIES[index]);
        let given = name.map(Entity::from);
        let sent = match (endpoint, &given) {
            (None, given) => self.bus.send_request_everywhere(ASK, given.as_ref(), 1),
            (Some(at), None) => self.bus.send_request(ASK, ENDPOINTS[at], 1),
            (Some(at), Some(entity)) => self.bus.send_request_for(ASK, ENDPOINTS[at], entity, 1),
        };
        let expected = self.expected(What::Ask, endpoint, name);
        let replies = match sent {
            Err(error) => {
                assert!(matches!(error, BusError::NoReceiver { .. }), "{error}");
                assert!(expected.is_empty());
                return;
            }
            Ok(replies) => replies.all(LONG),
        };
        let handlers: Vec<String> = replies
            .iter()
            .map(|reply| reply.handler.to_string())
            .collect();
        let names: Vec<String> = expected
            .iter()
            .map(|(number, _)| number.to_string())
            .collect();
        assert_eq!(handlers, names);
        assert!(replies.iter().all(|reply| reply.result.is_ok()));
        self.compare(&expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a18_a24_routing_agrees_with_the_model(operations in prop::collection::vec(operation(), 1..50)) {
        let mut world = World { bus: bus(), log: Log::new(), live: Vec::new(), registered: Vec::new(), next: 0 };
        for operation in operations {
            match operation {
                Operation::Register { kind, wish } => {
                    if world.live.len() < 8 {
                        world.register(kind, &wish);
                    }
                }
                Operation::Also { which, wish } => world.also(which, &wish),
                Operation::Deregister { which, messages, endpoints, entities } => {
                    world.deregister(which, messages, endpoints, entities);
                }
                Operation::Destroy { which, drain } => world.destroy(which, drain),
                Operation::Event { pong, endpoint, entity } => world.event(pong, endpoint, entity),
                Operation::Request { endpoint, entity } => world.ask(Some(endpoint), entity),
                Operation::Everywhere { entity } => world.ask(None, entity),
            }
        }
        world.bus.shutdown(LONG).unwrap();
    }
}
