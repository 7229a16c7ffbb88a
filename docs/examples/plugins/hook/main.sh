#!/bin/sh
# A hook: makes a directory before the tests of a run, and says behind them how they went. What goes wrong before the tests aborts
# the run. POSIX sh and its own builtins.

# The text of a field of the frame: text NAME. It must not contain quotes.
text() {
    case $frame in *"\"$1\":\""*) ;; *) return 1 ;; esac
    value=${frame#*"\"$1\":\""}
    value=${value%%\"*}
}

# The number of a field of the frame.
number() {
    case $frame in *"\"$1\":"[0-9]*) ;; *) return 1 ;; esac
    value=${frame#*"\"$1\":"}
    value=${value%%[!0-9]*}
}

description='{"protocol":1,"name":"workplace","version":"1.0","description":"Makes a directory before the tests.",
"kind":{"command":{"extends":["run"]}},
"options":[{"name":"workplace.directory","type":"path","description":"The directory","required":true}],
"activate_on":[["workplace.directory"]],
"dispatchers":[{"name":"workplace","messages":["PRE_TESTS","POST_TESTS"],"threads":"sequential"}],
"samples":{"PRE_TESTS":{"phase":"pre-tests"},"POST_TESTS":{"phase":"post-tests","counts":{"passed":1,"failed":0}}}}'
# A frame is one line.
description=$(printf '%s' "$description" | tr '\n' ' ')

directory=
while IFS= read -r frame; do
    if ! text type || type=$value && ! number id; then
        echo '{"type":"error","text":"not a frame"}'
        continue
    fi
    id=$value
    case $type in
        describe) printf '{"type":"description","id":%s,"plugin":%s}\n' "$id" "$description" ;;
        start)
            if text workplace.directory; then directory=$value; fi
            echo "{\"type\":\"done\",\"id\":$id}"
            ;;
        request)
            text message
            case $value in
                PRE_TESTS)
                    if [ -n "$directory" ] && ! mkdir -p "$directory"; then
                        echo "{\"type\":\"error\",\"id\":$id,\"text\":\"the directory cannot be made\"}"
                        continue
                    fi
                    ;;
                POST_TESTS)
                    number passed && passed=$value
                    number failed && failed=$value
                    echo "{\"type\":\"log\",\"level\":\"info\",\"text\":\"$passed passed, $failed failed\"}"
                    if [ -n "$directory" ]; then echo "$passed passed, $failed failed" >"$directory/summary.txt"; fi
                    ;;
                *)
                    echo "{\"type\":\"error\",\"id\":$id,\"text\":\"message $value is not known\"}"
                    continue
                    ;;
            esac
            echo "{\"type\":\"reply\",\"id\":$id,\"payload\":null}"
            ;;
        stop)
            echo "{\"type\":\"stopped\",\"id\":$id}"
            exit 0
            ;;
        *) echo "{\"type\":\"error\",\"id\":$id,\"text\":\"frame $type is not known\"}" ;;
    esac
done
