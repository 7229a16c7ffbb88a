use zaf_core::prelude::*;

const SAID: EventId<i64> = EventId::new("SAID", "");
const ASKED: RequestId<i64, String> = RequestId::new("ASKED", "");

struct MyExtension;

struct Generic<T>(T);

#[dispatchers]
impl<T> Generic<T> {
    #[callback_dispatcher(SAID)]
    fn on_said(&self, _message: &Message<i64>) {}
}

fn main() {}
