"""The alarm webhook: one alarm event as a signed POST, tried a few times, then given up loudly."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict
from typing import Final

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from schemas.alarms import NOTICE, PRIORITIES, AlarmEvent
from schemas.clock import now_us, to_datetime
from schemas.logs import logger
from schemas.settings import AlarmSettings
from schemas.telemetry import WEBHOOK_DELIVERIES

TIMEOUT_S: Final = 5.0
ATTEMPTS: Final = 5
LONGEST_WAIT_S: Final = 10.0
"""With TIMEOUT_S and ATTEMPTS: an event is given up after a minute at most."""
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that may be others the next time."""

_log = logger(__name__)


class _NotNow(Exception):
    """The receiver is away or busy; the same POST may succeed later."""


class _Never(Exception):
    """The receiver refuses this; asking again won't help. A redirect is a refusal: it isn't followed."""


class Webhook:
    """Posts alarm events to the URL of the settings, one after the other; open it with `async with`."""

    def __init__(self, settings: AlarmSettings, *, pause_s: float = 0.5) -> None:
        self._url = settings.webhook_url or ""
        secret = settings.webhook_secret
        self._secret = None if secret is None else secret.get_secret_value().encode()
        self._lowest = PRIORITIES.index(settings.webhook_min_priority)
        self._pause_s = pause_s
        self._failing = False
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)

    async def __aenter__(self) -> Webhook:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    def wants(self, event: AlarmEvent) -> bool:
        """Whether the event is urgent enough."""
        return PRIORITIES.index(event.priority) >= self._lowest

    async def deliver(self, event: AlarmEvent) -> bool:
        """Post the event; False when it was given up. After one that was given up the next ones are tried once each."""
        body = payload(event, now_us())
        try:
            await self._patiently(body, event)
        except (_NotNow, _Never) as error:
            self._failing = isinstance(error, _NotNow)
            outcome = "failed" if self._failing else "refused"
            WEBHOOK_DELIVERIES.labels(outcome).inc()
            _log.error("alarm_webhook_gave_up", alarm_id=str(event.alarm_id), alarm=event.kind, why=str(error))
            return False
        self._failing = False
        WEBHOOK_DELIVERIES.labels("delivered").inc()
        return True

    async def _patiently(self, body: bytes, event: AlarmEvent) -> None:
        @retry(
            retry=retry_if_exception_type(_NotNow),
            wait=wait_random_exponential(multiplier=self._pause_s, max=LONGEST_WAIT_S),
            stop=stop_after_attempt(1 if self._failing else ATTEMPTS),
            reraise=True,
        )
        async def attempt() -> None:
            await self._post(body, event)

        await attempt()

    async def _post(self, body: bytes, event: AlarmEvent) -> None:
        try:
            answer = await self._client.post(self._url, content=body, headers=headers(event, body, self._secret))
        except httpx.TransportError as error:
            raise _NotNow(f"no answer from LEADWIRE_ALARM_WEBHOOK_URL ({error!r}); see that it runs") from error
        if answer.status_code in _PASSING:
            raise _NotNow(f"the webhook answered {answer.status_code}; see what its log says")
        if not answer.is_success:
            raise _Never(f"the webhook answered {answer.status_code}; it must answer 2xx itself, without a redirect")


def payload(event: AlarmEvent, at_us: int) -> bytes:
    """The body of a POST: JSON with the alarm as GET ecg/alarms/{alarm_id} tells it."""
    told = {
        "event": f"alarm.{event.state}",
        "sent_at": to_datetime(at_us).isoformat(),
        "notice": NOTICE,
        "alarm": asdict(event),
    }
    return json.dumps(told, default=str).encode()


def headers(event: AlarmEvent, body: bytes, secret: bytes | None) -> dict[str, str]:
    """What goes with a body. The delivery id is the same when the same news comes twice."""
    told = {
        "Content-Type": "application/json",
        "User-Agent": "Leadwire",
        "X-Leadwire-Delivery": f"{event.alarm_id}:{_news(event)}",
    }
    return told if secret is None else told | {"X-Leadwire-Signature": signature(body, secret)}


def signature(body: bytes, secret: bytes) -> str:
    """HMAC-SHA256 of the body's bytes, in hexadecimal."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def _news(event: AlarmEvent) -> str:
    ended = "ended" if event.ended_at_us is not None else "on"
    return f"{event.state}-{ended}"
