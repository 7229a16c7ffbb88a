//! Steps of the end of a run that may hang.

use crossbeam_channel::{RecvTimeoutError, bounded};

use super::ExitCode;
use crate::error::{Error, Result};
use crate::patience::Patience;
use crate::thread;

/// Runs `step` on a thread called `name` and waits for it as long as there is patience.
///
/// # Errors
/// With [`ExitCode::TimeLimit`] if it takes longer, with [`ExitCode::InternalError`] if there is no thread or it panics.
pub(super) fn within<T: Send + 'static>(
    patience: &mut Patience,
    name: &str,
    step: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let (done, result) = bounded(1);
    let body = move || {
        // Nobody listens any more if it took too long.
        drop(done.send(step()));
    };
    drop(thread::spawn(name, body).map_err(|error| ExitCode::InternalError.with_error(error))?);
    let received = patience.wait(|step| match result.recv_timeout(step) {
        Err(RecvTimeoutError::Timeout) => None,
        received => Some(received),
    });
    match received {
        Some(Ok(value)) => Ok(value),
        None => {
            let error = Error::msg(format_args!(
                "`{name}` did not end in time; it is left behind"
            ));
            Err(ExitCode::TimeLimit.with_error(error))
        }
        Some(Err(_)) => {
            let error = Error::msg(format_args!("`{name}` panicked"));
            Err(ExitCode::InternalError.with_error(error))
        }
    }
}
