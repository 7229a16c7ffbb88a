use zaf_core::prelude::*;

const SAID: EventId<i64> = EventId::new("SAID", "");
const ASKED: RequestId<i64, String> = RequestId::new("ASKED", "");

struct MyExtension;

#[dispatchers]
impl MyExtension {
    #[callback_dispatcher(ASKED)]
    fn on_asked(&self, _message: &Message<i64>) -> Result<i64> {
        Ok(1)
    }
}

fn main() {}
