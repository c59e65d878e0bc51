"""Certificates for tests, made by the openssl program: an authority, and what it signs for 127.0.0.1."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.servers.availability import find_tool, run_tool

_S = 30.0
_EXTENSIONS = "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key (PKCS #8, not encrypted), PEM files."""

    file: Path
    key: Path

    def together(self) -> Path:
        """One file with the key, then the certificate: what Kafka calls a PEM keystore."""
        both = self.file.with_suffix(".store.pem")
        both.write_text(self.key.read_text() + self.file.read_text())
        return both


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates; `file` is what clients trust."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    def certificate(self, name: str) -> Pair:
        """A certificate of that common name for 127.0.0.1 and localhost."""
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(_EXTENSIONS)
        _openssl(self.folder, "req", *_KEY, "-subj", f"/CN={name}", "-keyout", str(pair.key), "-out", str(request))
        signed = ("-CA", str(self.file), "-CAkey", str(self.folder / "ca.key"), "-CAcreateserial", "-days", "2")
        files = ("-in", str(request), "-extfile", str(extensions), "-out", str(pair.file))
        _openssl(self.folder, "x509", "-req", *signed, *files)
        return pair


def authority(folder: Path) -> Authority:
    """A new authority whose files are in the folder. Raises Unavailable without the openssl program."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Authority(folder)
    subject = ("-subj", "/CN=Leadwire tests", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _openssl(
        folder, "req", "-x509", *_KEY, *subject, "-days", "2", "-keyout", str(folder / "ca.key"), "-out", str(made.file)
    )
    return made


def _openssl(folder: Path, *words: str) -> None:
    run_tool([find_tool("openssl", remedy="install it: apt-get install openssl"), *words], folder, _S)
