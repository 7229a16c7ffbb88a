#!/usr/bin/env python3
"""Remembers the test cases that took longest, and says which when it is asked. Warns of those that take too long."""

import zaf_plugin

plugin = zaf_plugin.Plugin({
    "name": "slowest",
    "version": "1.0",
    "description": "Remembers the test cases that took longest.",
    "kind": {"command": {"extends": ["run"]}},
    "options": [
        {"name": "slowest.limit", "type": "float", "description": "Seconds from which a case is slow", "default": 10.0},
    ],
    "endpoints": [{
        "name": "slowest",
        "messages": [
            {"name": "SLOWEST_CASES", "kind": "request", "description": "Which took longest? The names, slowest first."},
            {"name": "SLOW_CASE", "kind": "event", "description": "A case took longer than the limit; its name."},
        ],
    }],
    "dispatchers": [{"name": "slowest", "messages": ["TEST_CASE_FINISHED", "SLOWEST_CASES"]}],
    "samples": {
        "TEST_CASE_FINISHED": {"execution": 1, "case": "suite::sample", "attempt": 1, "duration_us": 500000},
        "SLOWEST_CASES": 3,
    },
})

seconds = {}


@plugin.on("TEST_CASE_FINISHED")
def finished(message):
    name = message.payload["case"]
    took = message.payload.get("duration_us", 0) / 1e6
    seconds[name] = took
    if took > plugin.config.get("slowest.limit", 10.0):
        plugin.trigger("SLOW_CASE", "slowest", name)


@plugin.on("SLOWEST_CASES")
def slowest(message):
    return sorted(seconds, key=seconds.get, reverse=True)[:message.payload]


plugin.run()
