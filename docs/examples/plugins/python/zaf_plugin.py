"""The plugin protocol for Python: copy this file beside your plugin. It needs Python 3.8 and nothing else.

    import zaf_plugin

    plugin = zaf_plugin.Plugin({"name": "example", "version": "1.0", ...})   # what `describe` answers with

    @plugin.on("TEST_CASE_FINISHED")
    def finished(message):                       # message.payload is what JSON makes of it
        plugin.trigger("MY_MESSAGE", "my-endpoint", {"case": message.payload["case"]})

    plugin.run()

What a handler returns is the answer to a request. What it raises is told to the host, and the plugin goes on. `plugin.config` has the
values of the options, `plugin.entity` the name of the entity that this instance is for, if there is one. Whatever is printed
goes to standard error: standard output belongs to the protocol.
"""

import json
import sys
import traceback


class CallError(Exception):
    """The host did not do what it was asked to; `code` is a word for the reason."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Message:
    """A message that the plugin is given."""

    def __init__(self, frame):
        self.name = frame["message"]
        self.dispatcher = frame["dispatcher"]
        self.endpoint = frame.get("endpoint")
        self.entity = frame.get("entity")
        self.payload = frame.get("payload")


class Plugin:
    def __init__(self, description):
        self.description = dict(description, protocol=1)
        self.config = {}
        self.entity = None
        self._handlers = {}
        self._start = self._stop = lambda: None
        self._during = None
        self._last_id = 0
        self._waiting = []
        self._in, self._out = sys.stdin.buffer, sys.stdout.buffer
        sys.stdout = sys.stderr

    def on(self, *names):
        """Marks the handler of messages."""

        def mark(handler):
            for name in names:
                self._handlers[name] = handler
            return handler

        return mark

    def on_start(self, handler):
        """Marks what is called when the plugin begins, after `config` and `entity` are set."""
        self._start = handler
        return handler

    def on_stop(self, handler):
        """Marks what is called before the plugin ends."""
        self._stop = handler
        return handler

    def trigger(self, message, endpoint, payload=None, entity=None):
        """Triggers an event. Raises CallError if the host refuses."""
        self._call({"type": "trigger", "message": message, "endpoint": endpoint, "payload": payload, "entity": entity})

    def send(self, message, payload=None, endpoint=None, entity=None, timeout=None):
        """Sends a request and waits for all answers: a list of (dispatcher, answer or CallError)."""
        frame = {"type": "send", "message": message, "endpoint": endpoint, "payload": payload, "entity": entity}
        if timeout is not None:
            frame["timeout_ms"] = int(timeout * 1000)
        replies = self._call(frame)["replies"]
        errors = ((reply["handler"], reply.get("error"), reply.get("payload")) for reply in replies)
        return [(who, CallError(**error) if error else payload) for who, error, payload in errors]

    def log(self, text, level="info"):
        """Writes a line to the log of the host: trace, debug, info, warn or error."""
        self._write({"type": "log", "level": level, "text": str(text)})

    def run(self):
        """Until the host says stop, or is gone."""
        while True:
            frame = self._waiting.pop(0) if self._waiting else self._read()
            if frame is None or self._handle(frame) == "stopped":
                return

    def _handle(self, frame):
        kind, number = frame.get("type"), frame.get("id")
        if kind not in ("describe", "start", "event", "request", "stop"):
            self._write({"type": "error", "text": "no frame for a plugin: %s" % kind})
            return None
        before, self._during = self._during, number
        try:
            answer = self._answer(kind, frame)
        except Exception as error:  # Whatever a handler raises is the answer.
            traceback.print_exc()
            answer = {"type": "error", "text": "%s: %s" % (type(error).__name__, error)}
        finally:
            self._during = before
        self._write(dict(answer, id=number))
        return answer["type"]

    def _answer(self, kind, frame):
        if kind == "describe":
            return {"type": "description", "plugin": self.description}
        if kind == "start":
            self.config, self.entity = frame.get("config", {}), frame.get("entity")
            self._start()
            return {"type": "done"}
        if kind == "stop":
            self._stop()
            return {"type": "stopped"}
        handler = self._handlers.get(frame["message"])
        if handler is None:
            return {"type": "error", "text": "message %s is not known" % frame["message"]}
        result = handler(Message(frame))
        return {"type": "reply", "payload": result} if kind == "request" else {"type": "done"}

    def _call(self, frame):
        """Writes a call and waits for its answer. What comes before it is handled afterwards."""
        self._last_id += 1
        number = self._last_id
        self._write(dict(frame, id=number, during=self._during))
        while True:
            answer = self._read()
            if answer is None:
                sys.exit("the host is gone")
            if answer.get("type") in ("done", "replies", "error") and answer.get("id") == number:
                break
            if self.description.get("concurrent"):
                self._handle(answer)
            else:
                self._waiting.append(answer)
        if answer["type"] == "error":
            raise CallError(answer["code"], answer["text"])
        return answer

    def _read(self):
        """The next frame; None at the end of the input."""
        while True:
            line = self._in.readline()
            if not line:
                return None
            try:
                frame = json.loads(line)
                if isinstance(frame, dict):
                    return frame
                problem = "no object"
            except ValueError as error:
                problem = str(error)
            self._write({"type": "error", "text": "not a frame: %s" % problem})

    def _write(self, frame):
        frame = {name: value for name, value in frame.items() if value is not None or name == "payload"}
        self._out.write(json.dumps(frame, separators=(",", ":")).encode() + b"\n")
        self._out.flush()
