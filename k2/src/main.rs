//! The `zk2` command.
fn main() {}
