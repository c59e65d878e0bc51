"""The real nginx in front of two upstreams that say who they are."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.deploy.compose import ROOT
from tests.servers.availability import Unavailable
from tests.servers.ports import free_ports, is_listening
from tests.servers.processes import Child

CONFIG = ROOT / "deploy/nginx/nginx.conf"
RESOLVES_SERVERS = (1, 27, 3)
START_S = 10.0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where nginx listens, and the log it writes."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def find_nginx() -> Path:
    """The nginx program; raises Unavailable with the remedy."""
    found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if found is None:
        raise Unavailable("nginx isn't installed; apt-get install nginx-light")
    return Path(found)


@contextmanager
def running_origin(folder: Path, away: tuple[str, ...] = ()) -> Iterator[Origin]:
    """Yield nginx with our configuration and both upstreams, less those in `away`; raises Unavailable."""
    nginx = find_nginx()
    listen, api, gateway = free_ports(3)
    config = folder / "nginx.conf"
    config.write_text(adapted(CONFIG.read_text("utf-8"), folder, version(nginx), listen, api, gateway))
    # Root's nginx would give its workers to another user, who may not enter the tests' folder.
    main = "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"
    command: list[str | Path] = [nginx, "-p", folder, "-c", config, "-e", folder / "start.log", "-g", main]
    with ExitStack() as running:
        for name, port in (("api", api), ("gateway", gateway)):
            if name not in away:
                running.enter_context(_upstream(name, port))
        child = running.enter_context(Child(command, folder / "nginx.log"))
        child.wait_until(lambda: is_listening(listen), START_S)
        yield Origin(listen, folder / "nginx.log")


def version(nginx: Path) -> tuple[int, ...]:
    said = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    return tuple(int(part) for part in re.findall(r"\d+", said.partition("/")[2])[:3])


def adapted(text: str, folder: Path, nginx: tuple[int, ...], listen: int, api: int, gateway: int) -> str:
    """Our configuration with this machine's ports and folders, and nothing else changed.

    An nginx older than the image's can't look servers up again while it runs; only those words are left out for it.
    """
    text = replaced(text, "listen 80;", f"listen 127.0.0.1:{listen};")
    text = replaced(text, "api:8002", f"127.0.0.1:{api}")
    text = replaced(text, "gateway:8001", f"127.0.0.1:{gateway}")
    text = replaced(text, "pid /tmp/nginx.pid;", f"pid {folder}/nginx.pid;")
    text = replaced(text, "include mime.types;", "")
    for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
        text = text.replace("http {\n", f"http {{\n    {kind}_temp_path {folder}/{kind};\n")
    if nginx < RESOLVES_SERVERS:
        text = replaced(text, " resolve max_fails", " max_fails")
    return text


def replaced(text: str, old: str, new: str) -> str:
    assert old in text, f"the configuration no longer says {old!r}"
    return text.replace(old, new)


@contextmanager
def _upstream(name: str, port: int) -> Iterator[None]:
    config = uvicorn.Config(_named(name), host="127.0.0.1", port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(START_S)


def _named(name: str) -> ASGIApp:
    """An application that answers every request and every WebSocket with its name and what it was asked."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": name})
            await send({"type": "websocket.close"})
            return
        headers = [
            (key, value) for key, value in scope["headers"] if key in (b"host", b"x-forwarded-for", b"connection")
        ]
        told = [(b"x-seen-" + key, value) for key, value in headers]
        await send({"type": "http.response.start", "status": 200, "headers": told})
        body = f"{name} {scope['method']} {scope['path']}?{scope['query_string'].decode()}"
        await send({"type": "http.response.body", "body": body.encode()})

    return app
