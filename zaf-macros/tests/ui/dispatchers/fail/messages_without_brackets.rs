use zaf_core::prelude::*;

const SAID: EventId<i64> = EventId::new("SAID", "");
const ASKED: RequestId<i64, String> = RequestId::new("ASKED", "");

struct MyExtension;

#[dispatchers]
impl MyExtension {
    #[sequential_dispatcher(SAID, ASKED)]
    fn on_said(&self, _message: &Message<i64>) {}
}

fn main() {}
