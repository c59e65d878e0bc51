"""The embedded servers: up in a moment, gone without a trace."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from leadwire.children import Children
from leadwire.embedded import POSTGRES_PROGRAMS, Postgres, embedded_stack, is_listening, package_file
from leadwire.unprivileged import as_nobody
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
        pytest.raises(Misconfigured, match=r"already runs on .* choose another --data folder"),
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


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare (util-linux) to become an ordinary user with")
def test_it_runs_as_an_ordinary_user_too(tmp_path: Path) -> None:
    holder = _holder(["unshare", "--user", "--map-user=1000", "--map-group=1000", sys.executable], tmp_path)
    assert servers_on(tmp_path)
    holder.send_signal(signal.SIGTERM)
    holder.wait(timeout=10)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_where_there_are_no_user_namespaces_root_becomes_nobody() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        demotion = as_nobody(package_file(*POSTGRES_PROGRAMS), Path(folder) / "postgres")
        with Children(Path(folder) / "logs") as children:
            postgres = Postgres.start(children, Path(folder), demotion)
            assert psutil.Process(postgres.child.pid).username() == "nobody"
            with psycopg.connect(postgres.url("postgres")) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_folder_that_nobody_cannot_reach_is_refused_with_a_remedy(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(Misconfigured, match=r"can't reach .* run as an ordinary user"):
        as_nobody(Path(sys.executable), tmp_path / "postgres")


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
    if holder.stdout is None:
        pytest.fail("the process has no pipe")
    with holder.stdout as told:
        if not told.readline():
            pytest.fail("the stack did not come up in another process")
    return holder
