"""A folder that the system does not let us list, for whoever runs the tests."""

import errno
import os
from pathlib import Path

import pytest


def closed_to_us(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system refuse to list a folder, as it would to whom the rights are not given."""
    listed = os.scandir

    def refusing(path: str | bytes) -> object:
        if Path(os.fsdecode(path)) == folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refusing)
