"""The generated code is what the contract generates."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from schemas import ecg_pb2

SCHEMAS = Path(ecg_pb2.__file__).parent


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make proto` would write now."""
    folder = tmp_path_factory.mktemp("proto")
    plugin = Path(sys.executable).with_name("protoc-gen-mypy")
    asked = [f"-I{SCHEMAS}", f"--python_out={folder}", f"--plugin=protoc-gen-mypy={plugin}", f"--mypy_out={folder}"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *asked, "ecg.proto"], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", ["ecg_pb2.py", "ecg_pb2.pyi"])
def test_the_generated_code_is_up_to_date(generated: Path, name: str) -> None:
    assert (generated / name).read_text() == (SCHEMAS / name).read_text(), "run make proto"


def test_no_field_number_is_used_twice() -> None:
    for message in ecg_pb2.DESCRIPTOR.message_types_by_name.values():
        numbers = [field.number for field in message.fields]
        assert len(numbers) == len(set(numbers)), message.name
