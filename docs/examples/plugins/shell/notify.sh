#!/bin/sh
# Writes a line to the log for each run that ends, and to a file if `notify.file` is set. POSIX sh and its own builtins: a line of
# JSON is searched for the few fields that are needed, which is enough for what a host writes.

# The text of a field of the frame: field NAME. It must not contain quotes.
field() {
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

answer() { printf '%s\n' "$1"; }

description='{"protocol":1,"name":"notify","version":"1.0","description":"Says when a run has ended.",
"kind":{"command":{"extends":["run"]}},
"options":[{"name":"notify.file","type":"path","description":"File to which a line is appended"}],
"dispatchers":[{"name":"notify","messages":["TEST_RUN_FINISHED"]}],
"samples":{"TEST_RUN_FINISHED":null}}'
# A frame is one line.
description=$(printf '%s' "$description" | tr '\n' ' ')

file=
while IFS= read -r frame; do
    if ! field type || type=$value && ! number id; then
        answer '{"type":"error","text":"not a frame"}'
        continue
    fi
    id=$value
    case $type in
        describe) answer "{\"type\":\"description\",\"id\":$id,\"plugin\":$description}" ;;
        start)
            if field notify.file; then file=$value; fi
            answer "{\"type\":\"done\",\"id\":$id}"
            ;;
        event)
            field message
            if [ "$value" = TEST_RUN_FINISHED ]; then
                answer '{"type":"log","level":"info","text":"the run has ended"}'
                if [ -n "$file" ]; then echo "the run has ended" >>"$file"; fi
                answer "{\"type\":\"done\",\"id\":$id}"
            else
                answer "{\"type\":\"error\",\"id\":$id,\"text\":\"message $value is not known\"}"
            fi
            ;;
        stop)
            answer "{\"type\":\"stopped\",\"id\":$id}"
            exit 0
            ;;
        *) answer "{\"type\":\"error\",\"id\":$id,\"text\":\"frame $type is not known\"}" ;;
    esac
done
