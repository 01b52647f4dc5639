"""A drawn canvas as PNG, in a third of the time that Pillow takes for it.

Pillow tries five filters on every row, which pays for photographs. A chart is mostly runs of one colour: unfiltered rows
without the alpha channel give a smaller file. Median of 9, a line chart of 1152 × 648 pixels: 6 ms and 31 KB, Pillow's
own settings 21 ms and 40 KB.
"""

import io
import struct
import zlib
from typing import Any

_LEVEL = 4
"""The first of zlib's levels that looks for better matches: 6 ms and 31 KB, level 3 3.8 ms and 40 KB, level 6 7.2 ms and 31 KB."""

_METRES_AN_INCH = 0.0254

_GAIN = 12
"""A picture that shrinks less than this has gradients, for which Pillow's filters are made."""


def png_of(pixels: Any, dpi: float) -> bytes:
    """`pixels` is an array of rows of RGBA bytes. Without transparency the file is RGB."""
    import numpy as np

    if np.min(pixels[:, :, 3]) < 255:
        return _filtered(pixels, dpi)
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)
    rows[:, 1:].reshape(height, width, 3)[:] = pixels[:, :, :3]
    packer = zlib.compressobj(_LEVEL, memLevel=9)
    packed = packer.compress(rows) + packer.flush()
    if len(packed) * _GAIN > rows.nbytes:
        return _filtered(pixels[:, :, :3], dpi)
    dots = round(dpi / _METRES_AN_INCH)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            _chunk(b"pHYs", struct.pack(">IIB", dots, dots, 1)),
            _chunk(b"IDAT", packed),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def _filtered(pixels: Any, dpi: float) -> bytes:
    from PIL import Image

    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG", dpi=(dpi, dpi))
    return target.getvalue()
