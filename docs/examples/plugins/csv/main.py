#!/usr/bin/env python3
"""Finds test cases in CSV files: `zk2 run csv:cases.csv`. The first line names the columns: `name` and `command`, and if wanted
`tags` (separated by spaces), `timeout` (seconds) and `disabled` (why). Each further line is a case: a command line for `sh`, whose exit code
is the verdict."""

import csv
import os

import zaf_plugin

plugin = zaf_plugin.Plugin({
    "name": "csvcases",
    "version": "1.0",
    "description": "Finds test cases in CSV files.",
    "kind": {"command": {"extends": ["find"]}},
    "dispatchers": [{"name": "csvcases", "messages": ["FIND_TEST_CASES"], "threads": "callback"}],
    "samples": {"FIND_TEST_CASES": {"directory": "/", "units": []}},
})


@plugin.on("FIND_TEST_CASES")
def find(message):
    units = [unit for unit in message.payload["units"] if unit["unit"] == "recipe" and unit["kind"] == "csv"]
    return [dict(found(unit, message.payload["directory"]), position=unit["position"]) for unit in units]


def found(unit, directory):
    """The cases of one file, or why there are none."""
    try:
        with open(os.path.join(directory, unit["text"]), newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            return {"cases": [case(unit["text"], rows.line_num, row, directory) for row in rows]}
    except (OSError, ValueError, KeyError) as error:
        what = "no column %s" % error if isinstance(error, KeyError) else str(error)
        return {"problems": [{"source": unit["source"], "message": "`%s`: %s" % (unit["text"], what)}]}


def case(file, line, row, directory):
    case = {
        "id": "%s::%s" % (file, row["name"]),
        "file": file,
        "line": line,
        "run": {"program": "/bin/sh", "arguments": ["-c", row["command"]], "directory": directory},
    }
    if row.get("tags"):
        case["tags"] = row["tags"].split()
    if row.get("timeout"):
        case["timeout_ms"] = int(float(row["timeout"]) * 1000)
    if row.get("disabled"):
        case["disabled"] = row["disabled"]
    return case


plugin.run()
