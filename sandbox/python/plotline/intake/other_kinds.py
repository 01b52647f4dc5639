"""Files that are not tables: what can be said about them without reading them as one."""

import logging
from pathlib import Path

from plotline.intake.model import Reading


def describe_other(path: Path, reading: Reading) -> str | None:
    """One sentence about an image, PDF, sound or film; None for kinds with tables."""
    match reading.kind:
        case "image":
            return _image(path)
        case "pdf":
            return _pdf(path)
        case "audio":
            return f"A sound file ({path.suffix.lstrip('.') or 'unknown format'}), {_size(path)}."
        case "video":
            return f"A video ({path.suffix.lstrip('.') or 'unknown format'}), {_size(path)}."
        case _:
            return None


def _image(path: Path) -> str:
    if path.suffix.lower() == ".svg":
        return f"A drawing (SVG), {_size(path)}."
    try:
        from PIL import Image

        with Image.open(path) as image:
            frames = getattr(image, "n_frames", 1)
            moving = f", {frames} frames" if frames > 1 else ""
            return f"An image ({image.format}), {image.width} × {image.height} pixels{moving}, {_size(path)}."
    except Exception:  # noqa: BLE001 - a damaged image is described, whatever the decoder raises
        return f"An image that cannot be opened; it may be damaged ({_size(path)})."


def _pdf(path: Path) -> str:
    try:
        from pypdf import PdfReader

        logging.getLogger("pypdf").setLevel(logging.CRITICAL)
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            return "A PDF that is password-protected; remove the password and send it again."
        pages = len(reader.pages)
        has_text = any((page.extract_text() or "").strip() for page in list(reader.pages)[:3])
        words = "with text" if has_text else "without text (scanned pages)"
        return f"A PDF of {pages} page{'s' if pages != 1 else ''} {words}, {_size(path)}."
    except Exception:  # noqa: BLE001 - a damaged PDF is described, whatever the parser raises
        return f"A PDF that cannot be opened; it may be damaged ({_size(path)})."


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB" if size >= 1000 else f"{size} bytes"
