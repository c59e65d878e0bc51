"""The embedded servers: up in a moment, gone without a trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from leadwire.embedded import embedded_stack, is_listening
from schemas.errors import Misconfigured

pytestmark = pytest.mark.embedded

_HOLDS_A_STACK = """
import sys, time
from pathlib import Path
from leadwire.embedded import embedded_stack
with embedded_stack(Path(sys.argv[1])) as stack:
    print(stack.kafka_bootstrap, flush=True)
    time.sleep(60)
"""


def test_both_servers_answer_and_are_gone_afterwards(tmp_path: Path) -> None:
    with embedded_stack(tmp_path) as stack:
        assert is_listening(stack.kafka_bootstrap)
        with psycopg.connect(stack.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        pids = [child.pid for child in stack.children.running]
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_the_data_outlives_a_restart(tmp_path: Path) -> None:
    with embedded_stack(tmp_path) as stack, psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n integer)")
    with embedded_stack(tmp_path) as stack, psycopg.connect(stack.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_wrong_password_is_refused(tmp_path: Path) -> None:
    with embedded_stack(tmp_path) as stack:
        password = (tmp_path / "postgres.password").read_text()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(stack.database_url.replace(password, "guess"))


def test_a_second_stack_on_the_same_folder_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with (
        embedded_stack(tmp_path),
        pytest.raises(Misconfigured, match="already runs on .* choose another --data folder"),
        embedded_stack(tmp_path),
    ):
        pytest.fail("two servers on one folder")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_its_process_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    holder = _holder([sys.executable], tmp_path)
    assert servers_on(tmp_path)
    holder.send_signal(number)
    holder.wait(timeout=10)
    deadline = time.monotonic() + 15
    while servers_on(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert servers_on(tmp_path) == []


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become an ordinary user; as one, every test here is this one"
)
def test_it_runs_as_an_ordinary_user_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = Path("/tmp") / f"leadwire-nobody-{os.getpid()}"  # noqa: S108  # pytest's own folders are root's alone
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    try:
        holder = _holder(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable], folder)
        assert {process.username() for process in servers_on(folder)} == {"nobody"}
        holder.send_signal(signal.SIGTERM)
        holder.wait(timeout=10)
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)


def servers_on(folder: Path) -> list[psutil.Process]:
    """PostgreSQL servers whose data lies in this folder, and what else a stack there started."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder / "postgres") in part for part in process.info["cmdline"] or ())
    ]


def _holder(command: list[str], folder: Path) -> subprocess.Popen[str]:
    """Another process that holds a stack; returns once it is up."""
    holder = subprocess.Popen(
        [*command, "-c", _HOLDS_A_STACK, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"HOME": str(folder)},
    )
    if holder.stdout is None or not holder.stdout.readline():
        pytest.fail("the stack did not come up in another process")
    return holder
