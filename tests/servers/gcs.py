"""A real server that speaks Google Cloud Storage's protocol: fake-gcs-server, built from its Go module.

It asks nobody who they are. What a login goes by is beside it: an endpoint that gives tokens to whoever proves to have
the key of our service account, and to nobody else, as Google's does.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt

from tests.servers.availability import Unavailable, find_tool, run_tool
from tests.servers.cache import cached
from tests.servers.ports import free_ports, is_listening
from tests.servers.processes import Child

FAKE_GCS_VERSION = "v1.56.1"
BUILD_S, START_S, KEY_S = 900.0, 60.0, 60.0

_EMAIL = "leadwire@tests.example"
_AUDIENCE = "https://oauth2.googleapis.com/token"
"""Whom Google's library writes its assertions to, wherever it then sends them."""


@dataclass(frozen=True, slots=True)
class GcsAddress:
    """Where a storage server answers, and the key files of two service accounts: ours, and one it does not know."""

    url: str
    credentials: Path
    strangers: Path

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 443


@contextmanager
def running_gcs(folder: Path) -> Iterator[GcsAddress]:
    """Yield the server of LEADWIRE_TEST_GCS, or start fake-gcs-server in the folder and stop it; raises Unavailable."""
    folder.mkdir(parents=True, exist_ok=True)
    given = os.environ.get("LEADWIRE_TEST_GCS")
    with running_tokens(folder) as (ours, strangers):
        if given:
            yield _given(given, ours, strangers)
            return
        program, port = install_fake_gcs() / "fake-gcs-server", free_ports(1)[0]
        url = f"http://127.0.0.1:{port}"
        listen = ("-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-public-host", f"127.0.0.1:{port}")
        # Its files on disk can be read half-written; Google's never.
        keep = ("-backend", "memory", "-log-level", "error")
        with Child([program, *listen, *keep], folder / "fake-gcs.log") as child:
            child.wait_until(lambda: is_listening(port), START_S)
            yield GcsAddress(url, ours, strangers)


def install_fake_gcs() -> Path:
    """Return the folder of the program, built the first time (a minute or two); raises Unavailable."""
    return cached(f"fake-gcs-{FAKE_GCS_VERSION}", _build)


@contextmanager
def running_tokens(folder: Path) -> Iterator[tuple[Path, Path]]:
    """The key files of an account that gets tokens, and of one that is refused them."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tokens)
    uri = f"http://127.0.0.1:{server.server_port}/token"
    ours, strangers = (_account(folder / name, uri) for name in ("ours", "strangers"))
    _Tokens.public_keys[uri] = (folder / "ours.public.pem").read_text()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield ours, strangers
    finally:
        server.shutdown()
        server.server_close()


class _Tokens(BaseHTTPRequestHandler):
    """Gives a token for an assertion that the right key has signed (RFC 7523)."""

    public_keys: dict[str, str] = {}  # noqa: RUF012  # of all servers, by their address

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        uri = f"http://{self.headers['host']}/token"
        try:
            jwt.decode(form["assertion"][0], self.public_keys[uri], algorithms=["RS256"], audience=_AUDIENCE)
        except jwt.InvalidTokenError:
            self._answer(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        else:
            self._answer(200, {"access_token": "made-up-for-tests", "token_type": "Bearer", "expires_in": 3600})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Quietly."""


def _account(stem: Path, token_uri: str) -> Path:
    """The JSON key of a service account, as Google's console hands it out."""
    openssl = find_tool("openssl", remedy="install openssl")
    private, public = stem.with_suffix(".pem"), stem.with_suffix(".public.pem")
    options = ("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", private)
    run_tool([openssl, *options], stem.parent, KEY_S)
    run_tool([openssl, "pkey", "-in", private, "-pubout", "-out", public], stem.parent, KEY_S)
    told = {
        "type": "service_account",
        "project_id": "leadwire-tests",
        "private_key_id": "1",
        "private_key": private.read_text(),
        "client_email": _EMAIL,
        "client_id": "1",
        "token_uri": token_uri,
    }
    file = stem.with_suffix(".json")
    file.write_text(json.dumps(told))
    return file


def _build(folder: Path) -> None:
    go = find_tool("go", remedy="install Go 1.24 or newer, or set LEADWIRE_TEST_GCS")
    module = f"github.com/fsouza/fake-gcs-server@{FAKE_GCS_VERSION}"
    argv: list[str | Path] = [go, "install", "-trimpath", "-ldflags=-s -w", module]
    run_tool(argv, folder, BUILD_S, {"GOBIN": str(folder)})


def _given(url: str, ours: Path, strangers: Path) -> GcsAddress:
    own = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    address = GcsAddress(url.rstrip("/"), Path(own) if own else ours, strangers)
    if not is_listening(address.port, urlsplit(url).hostname or ""):
        raise Unavailable(f"LEADWIRE_TEST_GCS={url} doesn't answer; start it, or unset the variable")
    return address
