//! Routing against a naive model, over random sequences of operations.

use proptest::prelude::*;
use zaf_core::message::{Dispatcher, DispatcherKind, EndpointId, Entity, MessageBus};

use super::{ASK, CELLAR, KITCHEN, LONG, Log, PING, bus};

const ENDPOINTS: [EndpointId; 2] = [KITCHEN, CELLAR];
const ENTITIES: [&str; 3] = ["X", "Y", "Z"];

#[derive(Debug, Clone)]
enum Operation {
    /// Endpoints and entities as bit sets; no endpoint: all, no entity: none.
    Register {
        endpoints: u8,
        entities: u8,
        any: bool,
        priority: i32,
    },
    Deregister {
        which: usize,
        endpoints: u8,
        entities: u8,
    },
    Destroy {
        which: usize,
    },
    Event {
        endpoint: usize,
        entity: Option<usize>,
    },
    Request {
        endpoint: usize,
        entity: Option<usize>,
    },
}

fn operation() -> impl Strategy<Value = Operation> {
    let entity = || prop::option::of(0..3_usize);
    prop_oneof![
        3 => (0..4_u8, 0..8_u8, any::<bool>(), -1..2_i32).prop_map(|(endpoints, entities, any, priority)| {
            Operation::Register { endpoints, entities: if any { 0 } else { entities }, any, priority }
        }),
        1 => (0..8_usize, 0..4_u8, 0..8_u8).prop_map(|(which, endpoints, entities)| {
            Operation::Deregister { which, endpoints, entities }
        }),
        1 => (0..8_usize).prop_map(|which| Operation::Destroy { which }),
        4 => (0..2_usize, entity()).prop_map(|(endpoint, entity)| Operation::Event { endpoint, entity }),
        4 => (0..2_usize, entity()).prop_map(|(endpoint, entity)| Operation::Request { endpoint, entity }),
    ]
}

fn chosen<T: Copy>(all: &[T], bits: u8) -> Vec<T> {
    let is_chosen = |index: &usize| bits & (1 << index) != 0;
    (0..all.len())
        .filter(is_chosen)
        .map(|index| all[index])
        .collect()
}

/// One dispatcher, as a child would write it down.
struct Model {
    number: usize,
    priority: i32,
    any: bool,
    /// For each endpoint where it is registered: its entities, or none for the endpoint as a whole.
    places: Vec<(usize, Option<Vec<&'static str>>)>,
}

impl Model {
    fn gets(&self, endpoint: usize, entity: Option<&str>, is_request: bool) -> Option<String> {
        let (_, entities) = self.places.iter().find(|(place, _)| *place == endpoint)?;
        match (entities, entity) {
            (None, None) => Some("-".to_owned()),
            (None, Some(entity)) => (!is_request || self.any).then(|| entity.to_owned()),
            (Some(own), None) => is_request.then(|| own[0].to_owned()),
            (Some(own), Some(entity)) => own.contains(&entity).then(|| entity.to_owned()),
        }
    }
}

struct World {
    bus: MessageBus,
    log: Log<(usize, String)>,
    live: Vec<(Model, Dispatcher)>,
    next: usize,
}

impl World {
    fn register(&mut self, endpoints: u8, entities: u8, any: bool, priority: i32) {
        let number = self.next;
        self.next += 1;
        let (events, requests) = (self.log.clone(), self.log.clone());
        let seen = |entity: Option<&Entity>| {
            entity.map_or("-".to_owned(), |entity| entity.name().to_owned())
        };
        let mut builder = self
            .bus
            .dispatcher(DispatcherKind::Callback, number.to_string())
            .priority(priority)
            .endpoints(chosen(&ENDPOINTS, endpoints))
            .entities(chosen(&ENTITIES, entities))
            .on(PING, move |message, _| {
                events.add((number, seen(message.entity())));
                Ok(())
            })
            .on(ASK, move |message, _| {
                requests.add((number, seen(message.entity())));
                Ok(0)
            });
        if any {
            builder = builder.any_entity();
        }
        let own = chosen(&ENTITIES, entities);
        let own = (!own.is_empty()).then_some(own);
        let places = if endpoints == 0 { 3 } else { endpoints };
        let places = chosen(&[0, 1], places)
            .into_iter()
            .map(|place| (place, own.clone()))
            .collect();
        let model = Model {
            number,
            priority,
            any,
            places,
        };
        self.live.push((model, builder.register().unwrap()));
    }

    fn deregister(&mut self, which: usize, endpoints: u8, entities: u8) {
        let Some((model, dispatcher)) = self.live.get_mut(which) else {
            return;
        };
        let ids = chosen(&ENDPOINTS, endpoints);
        let names = chosen(&ENTITIES, entities);
        let given: Vec<Entity> = names.iter().map(|name| Entity::from(*name)).collect();
        let outcome = dispatcher.deregister(&[], &ids, &given);
        let places = if endpoints == 0 { 3 } else { endpoints };
        let mut matched = false;
        for place in chosen(&[0, 1], places) {
            model.places.retain_mut(|(own, registered)| {
                if *own != place {
                    return true;
                }
                if names.is_empty() {
                    matched = true;
                    return false;
                }
                let Some(registered) = registered else {
                    return true;
                };
                matched |= registered.iter().any(|name| names.contains(name));
                registered.retain(|name| !names.contains(name));
                !registered.is_empty()
            });
        }
        assert_eq!(outcome.is_ok(), matched);
        if let Ok(left) = outcome {
            assert_eq!(left, !model.places.is_empty());
        }
    }

    fn expected(
        &self,
        endpoint: usize,
        entity: Option<&str>,
        is_request: bool,
    ) -> Vec<(usize, String)> {
        let mut receivers: Vec<(i32, usize, String)> = self
            .live
            .iter()
            .filter_map(|(model, _)| {
                let seen = model.gets(endpoint, entity, is_request)?;
                Some((-model.priority, model.number, seen))
            })
            .collect();
        receivers.sort();
        receivers
            .into_iter()
            .map(|(_, number, seen)| (number, seen))
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn routing_agrees_with_the_model(operations in prop::collection::vec(operation(), 1..40)) {
        let mut world = World { bus: bus(), log: Log::new(), live: Vec::new(), next: 0 };
        for operation in operations {
            match operation {
                Operation::Register { endpoints, entities, any, priority } => {
                    if world.live.len() < 8 {
                        world.register(endpoints, entities, any, priority);
                    }
                }
                Operation::Deregister { which, endpoints, entities } => world.deregister(which, endpoints, entities),
                Operation::Destroy { which } => {
                    if which < world.live.len() {
                        world.live.remove(which).1.destroy();
                    }
                }
                Operation::Event { endpoint, entity } => {
                    let name = entity.map(|index| ENTITIES[index]);
                    let report = match name {
                        None => world.bus.trigger_event(PING, ENDPOINTS[endpoint], 1),
                        Some(name) => world.bus.trigger_event_for(PING, ENDPOINTS[endpoint], &Entity::from(name), 1),
                    };
                    let expected = world.expected(endpoint, name, false);
                    prop_assert_eq!(report.unwrap().delivered, expected.len());
                    prop_assert_eq!(world.log.take(), expected);
                }
                Operation::Request { endpoint, entity } => {
                    let name = entity.map(|index| ENTITIES[index]);
                    let given = name.map(Entity::from);
                    let replies = world.bus.send_request_optional(ASK, ENDPOINTS[endpoint], given.as_ref(), 1).unwrap();
                    let expected = world.expected(endpoint, name, true);
                    let handlers: Vec<String> = replies.all(LONG).iter().map(|reply| reply.handler.to_string()).collect();
                    let names: Vec<String> = expected.iter().map(|(number, _)| number.to_string()).collect();
                    prop_assert_eq!(handlers, names);
                    prop_assert_eq!(world.log.take(), expected);
                }
            }
        }
    }
}
