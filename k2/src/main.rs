//! The `zk2` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    k2::application("k2")
        .command_name("zk2")
        .version(env!("CARGO_PKG_VERSION"))
        .run()
}
