"""Workbooks encrypted with the password that Excel itself uses where nobody chose one."""

import io
import re
import struct

from plotline.intake.ole import Compound

_EXCELS_OWN = "VelvetSweatshop"
"""Excel encrypts with it what is only protected against changes, and opens it without asking."""


_MAX_ROUNDS = 1_000_000
"""Excel hashes a password 100,000 times; a file may ask for billions."""


def unlocked(data: bytes) -> bytes | None:
    """The decrypted file, an XLSX package or an OLE container; None where another password is needed."""
    import msoffcrypto

    if _rounds(data) > _MAX_ROUNDS:
        return None
    try:
        file = msoffcrypto.OfficeFile(io.BytesIO(data))
        file.load_key(password=_EXCELS_OWN)
        out = io.BytesIO()
        file.decrypt(out)
    except Exception:  # noqa: BLE001 - the library raises its own errors, struct's and olefile's
        return None
    return out.getvalue() or None


def _rounds(data: bytes) -> int:
    """How many times the file asks to hash the password, as far as it tells."""
    try:
        found = re.search(rb'spinCount="(\d{1,18})"', Compound(data).read("encryptioninfo"))
    except (KeyError, ValueError, struct.error):
        return 0
    return int(found[1]) if found else 0
