"""What a client calls its file, made fit to be shown and saved; no object is ever called so."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

from schemas.files import ENDINGS, FileType

_MAX_LENGTH: Final = 255
_NOT_IN_NAMES: Final = re.compile(r'[<>:"|?*\\/]')
"""What Windows takes in no name, and every path's separators."""


def display_name(told: str, file_type: FileType, otherwise: str = "upload") -> str:
    """The last part of the name that was told, without control characters, with an ending that suits what it is."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", told))[-1]
    visible = "".join(c for c in last if unicodedata.category(c)[0] != "C")  # controls, overrides, half characters
    name = re.sub(r"\s+", " ", _NOT_IN_NAMES.sub("_", visible)).strip(" .") or otherwise
    ending = PurePosixPath(name).suffix
    if file_type != "bin" and ending[1:].lower() not in ENDINGS[file_type]:
        ending = f".{ENDINGS[file_type][0]}"
        name += ending
    return name if len(name) <= _MAX_LENGTH else name[: _MAX_LENGTH - len(ending)] + ending[:_MAX_LENGTH]
