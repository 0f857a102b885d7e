"""Names that stand for patients: the same patient the same name, and no way back without the key.

The key lies beside the index, readable by its owner alone. Whoever has it and a list of
identifiers can find out who is who; without it the pseudonyms cannot be linked.
"""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from lesionmatch.errors import UnusableOutput

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Turns identities into pseudonyms; with `phi` patients keep their own identifier."""

    key: bytes
    phi: bool

    def patient(self, patient_id: str) -> str:
        """The name of a patient: ``P`` and 12 hexadecimal digits, or with `phi` as written."""
        return patient_id if self.phi else f"P{self._digest(patient_id)[:12]}"

    def mark(self, what: str) -> str:
        """A mark by which equal identities are known as equal; empty for nothing."""
        return self._digest(what)[:16] if what else ""

    def _digest(self, what: str) -> str:
        return hmac.new(self.key, what.strip().encode("utf-8"), hashlib.sha256).hexdigest()


def pseudonyms(folder: Path, *, phi: bool) -> Pseudonyms:
    """Those of `folder`, whose key is made on first use. Raises `UnusableOutput`."""
    path = folder / "index.key"
    try:
        if not path.exists():
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
        return Pseudonyms(path.read_bytes(), phi)
    except OSError as error:
        raise UnusableOutput(
            f"{path.name}: wanted a file to keep the key in, got {error.strerror}; "
            "choose another -o"
        ) from error
