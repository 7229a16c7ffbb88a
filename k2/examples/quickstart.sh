#!/usr/bin/env bash
# Builds zk2 and runs the quickstart suite with it: real checks of the programs of this machine. Some fail, are skipped or
# run into the time limit on purpose, so that there is something to see; the exit code is therefore 1.
# Options go to `zk2 run`: k2/examples/quickstart.sh --parallel-workers 1
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
suite=k2/examples/quickstart

bash .ci/setup build || exit 101
echo "building zk2 (the first time takes a minute or two) …" >&2
cargo build --quiet --locked --release --package k2 --bin zk2 || exit 101

# A Rust test binary, as `cargo test` builds them too.
mkdir -p target/quickstart
rustc --test --edition 2024 --out-dir target/quickstart "$suite/toolchain/text.rs" || exit 101

command=(target/release/zk2 run "$suite" target/quickstart/text --tests-timeout 3s --reports-junit "$@")
echo "\$ ${command[*]}" >&2
exec "${command[@]}"
