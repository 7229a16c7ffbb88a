#!/usr/bin/env bash
# Records a run of the quickstart suite in a terminal and makes the pictures of the book of it. Needs `script` (util-linux).
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
columns=100 rows=46
cargo build --quiet --locked --release --package k2 --bin zk2
cargo build --quiet --locked --package zaf-harness --example recording
zk2=$PWD/target/release recording=$PWD/target/debug/examples/recording pictures=$PWD/docs/src/recordings

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r k2/examples/quickstart "$work"
mkdir "$work/home"
# shellcheck disable=SC2016 # for the shell in the terminal
line='stty cols '$columns' rows '$rows'; printf "$ zk2 run quickstart --tests-timeout 3s\r\n"; exec zk2 run quickstart --tests-timeout 3s'
(
    cd "$work"
    env -i HOME="$work/home" PATH="$zk2:/usr/local/bin:/usr/bin:/bin" LANG=C.UTF-8 TERM=xterm-256color \
        script --quiet --echo never --log-out typescript --log-timing timing --command "$line" </dev/null >/dev/null || true
)
mkdir -p "$pictures"
"$recording" "$work/typescript" "$work/timing" $columns $rows >"$pictures/run.svg"
echo "$pictures/run.svg"
