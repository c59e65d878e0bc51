"""PostgreSQL refuses to run as root: how a child gives root up before it starts."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import Misconfigured

_CLONE_NEWUSER = 0x10000000
_INNER_UID = 1000


@dataclass(frozen=True, slots=True)
class Demotion:
    """What to call in the child before exec (None: nothing to do), where its programs are, and who it then is."""

    before_exec: Callable[[], None] | None
    programs: Path
    owner: pwd.struct_passwd | None = None

    def give(self, path: Path) -> None:
        """Let the child own a file or folder; nothing to do where it is still us."""
        if self.owner is not None:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)


def demote(programs: Path, data: Path) -> Demotion:
    """How to run `programs` on the folder `data` without root.

    As an ordinary user: as it is. As root: in a user namespace where we are user 1000 (files stay root's and no
    permission changes), or, where the kernel forbids that, as `nobody`, who then owns `data`.
    Raises Misconfigured when nobody could not reach `data`.
    """
    if os.geteuid() != 0:
        return Demotion(None, programs)
    if _namespaces_work():
        return Demotion(_enter_namespace, programs)
    return as_nobody(programs, data)


def _namespaces_work() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    pid = os.fork()
    if pid == 0:
        try:
            _enter_namespace()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _enter_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_INNER_UID} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{_INNER_UID} {gid} 1")
    os.setresgid(_INNER_UID, _INNER_UID, _INNER_UID)
    os.setresuid(_INNER_UID, _INNER_UID, _INNER_UID)


def as_nobody(programs: Path, data: Path) -> Demotion:
    """Become user nobody, who is given what they need. Raises Misconfigured when nobody could not reach `data`."""
    nobody = pwd.getpwnam("nobody")
    if not all(_open_to_others(parent) for parent in data.resolve().parents):
        raise Misconfigured(
            f"PostgreSQL can't run as root, and user nobody can't reach {data}; run as an ordinary user, "
            "or choose a folder that everybody may enter, such as --data /tmp/leadwire"
        )

    def become_nobody() -> None:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)

    return Demotion(become_nobody, _reachable(programs), nobody)


def _reachable(programs: Path) -> Path:
    """`programs`, or a copy of its installation where everybody can read it."""
    if all(_open_to_others(parent) for parent in programs.resolve().parents):
        return programs
    copy = Path(tempfile.gettempdir()) / f"leadwire-{programs.parent.name}"
    shutil.copytree(programs.parent, copy, dirs_exist_ok=True, symlinks=True)
    return copy / programs.name


def _open_to_others(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IXOTH)
