use zaf_core::prelude::*;

const SAID: EventId<i64> = EventId::new("SAID", "");
const ASKED: RequestId<i64, String> = RequestId::new("ASKED", "");

struct MyExtension;

#[dispatchers]
impl MyExtension {
    #[sequential_dispatcher(SAID)]
    fn on_said(&self, _message: &Message<String>, _bus: &MessageBus) -> Result<()> {
        Ok(())
    }
}

fn main() {}
