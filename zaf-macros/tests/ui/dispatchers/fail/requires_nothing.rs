use zaf_core::prelude::*;

const SAID: EventId<i64> = EventId::new("SAID", "");
const ASKED: RequestId<i64, String> = RequestId::new("ASKED", "");

struct MyExtension;

struct Shell;

#[dispatchers]
impl MyExtension {
    #[callback_dispatcher(SAID)]
    #[requires(shel, can = ["host"])]
    fn on_said(&self, _message: &Message<i64>, shell: &Shell) {
        let _ = shell;
    }
}

fn main() {}
