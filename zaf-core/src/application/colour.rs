//! Whether a stream of this process wants colour.
//!
//! `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and no terminal as everywhere; and `TERM=dumb` also where `CI` is set, which the library
//! that looks at all these takes for a promise of colours.

use std::io;

use anstream::{AutoStream, ColorChoice};

/// Whether what goes to standard output is to be coloured.
pub fn on_stdout() -> bool {
    decide(AutoStream::choice(&io::stdout()))
}

/// Whether what goes to standard error is to be coloured.
pub fn on_stderr() -> bool {
    decide(AutoStream::choice(&io::stderr()))
}

fn decide(choice: ColorChoice) -> bool {
    let can = anstyle_query::term_supports_color() || anstyle_query::clicolor_force();
    choice != ColorChoice::Never && can
}

/// The library's word for the decision.
pub(super) fn choice(wanted: bool) -> ColorChoice {
    if wanted {
        ColorChoice::Always
    } else {
        ColorChoice::Never
    }
}
