"""A page in a real browser: look, wait, click, type, take its picture."""

import base64
import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.servers.devtools import Connection, DevtoolsError, NavigatedAway

NAVIGATIONS = 10


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the page's viewport, in CSS pixels."""

    x: float
    y: float


class Page:
    """One open page. Every call returns when the browser has done it; raises DevtoolsError when it can't."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        for domain in ("Page", "Runtime", "Log"):
            connection.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._connection.close()

    def go_to(self, url: str) -> None:
        """Load a URL and wait for its load event."""
        if problem := self._connection.call("Page.navigate", url=url).get("errorText"):
            raise DevtoolsError(f"{url}: {problem}; is its server running?")
        self.wait_until("document.readyState === 'complete'")

    def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._connection.call("Emulation.setDeviceMetricsOverride", **size)

    def evaluate(self, script: str) -> Any:
        """Return the JSON value of a JavaScript expression; a promise is awaited."""
        asked = {"expression": script, "awaitPromise": True, "returnByValue": True}
        answer = self._connection.call("Runtime.evaluate", **asked)
        if "exceptionDetails" in answer:
            raise DevtoolsError(f"{script}: {_said(answer['exceptionDetails'])}")
        return answer["result"].get("value")

    def wait_until(self, condition: str, deadline_s: float = 10.0) -> None:
        """Return once a JavaScript expression is true; at the deadline raises DevtoolsError with what is shown."""
        if not self._holds(_WAIT % (deadline_s * 1000, condition)):
            shown = self.evaluate("document.body?.innerText.slice(0, 500)")
            raise DevtoolsError(
                f"`{condition}` didn't hold in {deadline_s:g} s; errors {self.errors()}; shown: {shown}"
            )

    def _holds(self, waiting: str) -> bool:
        for _ in range(NAVIGATIONS):
            with contextlib.suppress(NavigatedAway):  # then ask the new document
                return bool(self.evaluate(waiting))
        raise DevtoolsError(
            f"the page changed its document {NAVIGATIONS} times in one wait; does it redirect in a loop?"
        )

    def click(self, selector: str) -> None:
        """Click the middle of the first element of a CSS selector with the mouse, waiting for it to appear."""
        self.wait_until(f"document.querySelector({json.dumps(selector)})")
        place = Point(**self.evaluate(_MIDDLE % json.dumps(selector)))
        for kind in ("mousePressed", "mouseReleased"):
            asked = {"type": kind, "x": place.x, "y": place.y, "button": "left", "clickCount": 1}
            self._connection.call("Input.dispatchMouseEvent", **asked)

    def type(self, selector: str, text: str) -> None:
        """Click a field and type text into it, after what it holds."""
        self.click(selector)
        self._connection.call("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press and release a key by its name ("Enter"), wherever the focus is."""
        text = {"Enter": "\r"}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            self._connection.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, text=text,
                                  windowsVirtualKeyCode={"Enter": 13}.get(key, 0))  # fmt: skip

    def screenshot(self, path: Path, *, whole: bool = False) -> Path:
        """Write a PNG of the viewport, or of the whole page, and return its path."""
        picture = self._connection.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(picture["data"]))
        return path

    def errors(self) -> list[str]:
        """Return what went wrong so far: console.error, uncaught exceptions, requests that failed."""
        self.evaluate("0")  # events come in order, so after this answer all earlier ones are here
        return [said for event in self._connection.events if (said := _error_of(event)) is not None]


# Waits inside the page, so that a test neither sleeps nor polls over the network. The condition is pasted in: a page's
# Content-Security-Policy may forbid eval.
_WAIT = """new Promise((resolve, reject) => {
  const end = performance.now() + %f
  const look = () => {
    let held
    try { held = (%s) } catch (error) { return reject(error) }
    if (held || performance.now() > end) resolve(Boolean(held))
    else setTimeout(look, 25)
  }
  look()
})"""

_MIDDLE = """(() => {
  const element = document.querySelector(%s)
  element.scrollIntoView({block: 'center', inline: 'center'})
  const box = element.getBoundingClientRect()
  return {x: box.x + box.width / 2, y: box.y + box.height / 2}
})()"""


def _error_of(event: dict[str, Any]) -> str | None:
    params = event.get("params", {})
    if event.get("method") == "Runtime.exceptionThrown":
        return _said(params["exceptionDetails"])
    if event.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
        return f"{params['entry']['text']} ({params['entry'].get('url', '')})"
    if event.get("method") == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
        return " ".join(str(word.get("value", word.get("description", word))) for word in params["args"])
    return None


def _said(details: dict[str, Any]) -> str:
    return str(details.get("exception", {}).get("description") or details.get("text"))
