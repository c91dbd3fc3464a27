"""Write files whole or not at all, and read them up to a size."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from qi_equity.errors import DataError
from qi_equity.pdsa.store.failures import told

__all__ = ["LARGEST", "read_text", "write_bytes"]

LARGEST = 512 * 1024 * 1024
"""Bytes of the largest file that is read."""


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file under another name and rename it when it is whole.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    target = Path(path)
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    with told(os.fspath(path)):
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a text file.

    Raises
    ------
    StoreError
        If it cannot be read.
    DataError
        If it is too large or no text.
    """
    with told(os.fspath(path)), Path(path).open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise DataError(f"{os.fspath(path)!r} is larger than {LARGEST} bytes; import it in parts.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{os.fspath(path)!r} is no UTF-8 text; give what export_json() wrote, unchanged."
        ) from error
