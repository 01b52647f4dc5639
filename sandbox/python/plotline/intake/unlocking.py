"""Workbooks encrypted with the password that Excel itself uses where nobody chose one."""

import io

_EXCELS_OWN = "VelvetSweatshop"
"""Excel encrypts with it what is only protected against changes, and opens it without asking."""


def unlocked(data: bytes) -> bytes | None:
    """The decrypted file, an XLSX package or an OLE container; None where another password is needed."""
    import msoffcrypto

    try:
        file = msoffcrypto.OfficeFile(io.BytesIO(data))
        file.load_key(password=_EXCELS_OWN)
        out = io.BytesIO()
        file.decrypt(out)
    except Exception:  # noqa: BLE001 - the library raises its own errors, struct's and olefile's
        return None
    return out.getvalue() or None
