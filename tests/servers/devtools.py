"""One connection to a browser's DevTools: commands and their answers, and the events in between."""

import contextlib
import json
from typing import Any

from websockets.sync.client import connect

ANSWER_S = 60.0


class DevtoolsError(Exception):
    """What the browser says is wrong with a command, or with the script that a page was asked to run."""


class NavigatedAway(DevtoolsError):
    """The page went to another document while a script of ours ran in the old one."""


_NAVIGATED = ("navigated", "context was destroyed", "Cannot find context", "Cannot find default execution context")


class Connection:
    """A WebSocket that speaks the Chrome DevTools Protocol. Not for several threads at once."""

    def __init__(self, url: str) -> None:
        self._open = contextlib.ExitStack()
        # A full-page screenshot is a message of some megabytes.
        self._socket = self._open.enter_context(connect(url, max_size=None, proxy=None))
        self._last_id = 0
        self.events: list[dict[str, Any]] = []

    def close(self) -> None:
        self._open.close()

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result; events that arrive first are kept. Raises DevtoolsError."""
        self._last_id += 1
        self._socket.send(json.dumps({"id": self._last_id, "method": method, "params": params}))
        while (message := self._receive()).get("id") != self._last_id:
            self.events.append(message)
        if "error" in message:
            raise _error(f"{method}: {message['error'].get('message')}")
        result: dict[str, Any] = message["result"]
        return result

    def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv(timeout=ANSWER_S))
        return message


def _error(text: str) -> DevtoolsError:
    return NavigatedAway(text) if any(sign in text for sign in _NAVIGATED) else DevtoolsError(text)
