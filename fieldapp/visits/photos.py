"""Photos of a visit: whatever a phone or a stranger sends becomes two plain JPEG files, or is refused with a code.

Nothing of the file that came survives but its pixels: no EXIF, GPS, XMP, ICC profile, comment or appended bytes.
"""

import hashlib
import io
import logging
import os
import re
import tempfile
import threading
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import ExifTags, Image

Code = Literal["empty", "too_big", "too_many_pixels", "not_a_photo", "broken", "animated"]

MAX_BYTES = 30 * 1024 * 1024
"""The largest file read, in bytes."""
MAX_PIXELS = 24_500_000
"""The largest picture decoded, in pixels (width times height): what phones sell as 24 megapixels is up to 24.47."""
FULL_SIDE = 2048
"""The longest side of what is kept, in pixels."""
THUMBNAIL_SIDE = 320
"""The longest side of the thumbnail, in pixels."""
QUALITY = 82

# A progressive JPEG of a few kilobytes a scan can ask for hundreds of thousands of passes over all its pixels, and
# a PNG for thousands of inflated megabytes in texts and profiles. Cameras write 1 to 12 scans and a chunk or two.
MAX_SCANS = 64
MAX_PACKED_CHUNKS = 64

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Any marker but stuffing, fill and restarts; inside compressed data those are the only ones that may stand.
_MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
_EOI, _SOS = 0xD9, 0xDA

# `warnings.catch_warnings` saves and restores a list that all threads share: two that overlap can leave the wrong one
# behind for good, and in between other threads' warnings become errors. So one filter, for Pillow's modules alone, is
# put in and never taken out. Nothing but strictness hangs on it: sizes are checked here, warning or no warning.
_PILLOW_WARNINGS = ("error", None, Warning, re.compile(r"PIL\."), 0)

# At DEBUG Pillow writes every EXIF tag to the log, the place a photo was taken at among them.
logging.getLogger("PIL").setLevel(logging.INFO)

# One picture at a time in a process: 24 megapixels take, measured, 50 MB and 0.3 s as JPEG, 230 MB and 1.3 s as PNG,
# 420 MB and 1.2 s as WebP; eight threads at once would take 3 GB.
_one_at_a_time = threading.Lock()


class PhotoRefused(ValueError):
    """The file is not taken. `code` says why, for the caller to put into words:

    - `empty`: no bytes;
    - `too_big`: more than MAX_BYTES;
    - `too_many_pixels`: more than MAX_PIXELS by its header; nothing was decoded;
    - `not_a_photo`: by its first bytes neither JPEG, PNG nor WebP, whatever its name;
    - `broken`: truncated, damaged, built to exhaust memory or time, or Pillow warns of it;
    - `animated`: a PNG or WebP of several frames, of which one would misrepresent the rest.
    """

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code: Code = code


@dataclass(frozen=True)
class CleanPhoto:
    """An upright RGB picture as two JPEG files; `width` and `height` are those of `full`, in pixels."""

    full: bytes
    thumbnail: bytes
    width: int
    height: int
    sha256: str
    thumbnail_sha256: str


def clean(data: bytes) -> CleanPhoto:
    """Rebuild a photo from its pixels; the same bytes in give the same bytes out.

    Takes JPEG, PNG and WebP in any mode. Raises PhotoRefused and, short of memory, MemoryError; nothing else.
    """
    if not data:
        raise PhotoRefused("empty")
    if len(data) > MAX_BYTES:
        raise PhotoRefused("too_big")
    with _one_at_a_time:
        try:
            return _rebuilt(data)
        except (PhotoRefused, MemoryError):
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise PhotoRefused("too_many_pixels") from error
        except Exception as error:
            # Damaged files make Pillow raise nearly every kind there is: OSError, SyntaxError, KeyError, zlib.error...
            raise PhotoRefused("broken") from error


def _rebuilt(data: bytes) -> CleanPhoto:
    _check_header(data)
    _arm_warnings()
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as opened:
        _check_pixels(*opened.size)
        # A phone's JPEG may carry a depth map or a second exposure (MPO): the first picture is the photo.
        if opened.format in ("PNG", "WEBP") and getattr(opened, "is_animated", False):
            raise PhotoRefused("animated")
        turn = _UPRIGHT.get(opened.getexif().get(ExifTags.Base.Orientation, 1))
        full = _on_white(_shrunk(_decoded(opened), FULL_SIDE))
    if turn is not None:
        full = full.transpose(turn)
    full_file, thumbnail_file = _jpeg(full), _jpeg(_shrunk(full, THUMBNAIL_SIDE))
    return CleanPhoto(full_file, thumbnail_file, *full.size, _sha256(full_file), _sha256(thumbnail_file))


def _check_header(data: bytes) -> None:
    """Refuse by first bytes, and what Pillow would spend memory or time on before its size can be asked."""
    if data.startswith(b"\xff\xd8\xff"):
        if _scans(data) > MAX_SCANS:
            raise PhotoRefused("broken")
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        packed = sum(data.count(kind) for kind in (b"iCCP", b"iTXt", b"zTXt"))
        # Pillow is content with the last row; a file without its end mark was cut.
        if packed > MAX_PACKED_CHUNKS or b"IEND\xaeB`\x82" not in data:
            raise PhotoRefused("broken")
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        _check_pixels(*_webp_size(data))
    else:
        raise PhotoRefused("not_a_photo")


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PhotoRefused("too_many_pixels")


def _scans(data: bytes) -> int:
    """How many scans a JPEG has, up to its end: not those of a preview or a film inside or behind it."""
    scans, at = 0, 2
    while (found := _MARKER.search(data, at)) and found[1][0] != _EOI:
        scans += found[1][0] == _SOS
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    return scans


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height in the first chunk: Pillow reserves the whole canvas, up to 1 GB, when it opens a WebP."""
    little = int.from_bytes
    match data[12:16]:
        case b"VP8X":
            return little(data[24:27], "little") + 1, little(data[27:30], "little") + 1
        case b"VP8L":
            bits = little(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return little(data[26:28], "little") & 0x3FFF, little(data[28:30], "little") & 0x3FFF
        case _:
            raise PhotoRefused("broken")


def _arm_warnings() -> None:
    if _PILLOW_WARNINGS not in warnings.filters:
        warnings.filterwarnings("error", module=r"PIL\.")


def _decoded(opened: Image.Image) -> Image.Image:
    """The pixels with 8 bits a channel, in a mode that can be resized; a JPEG no larger than is needed."""
    opened.draft(None, _fitting(opened.size, FULL_SIDE))
    opened.load()
    if opened.mode == "I;16":
        # Pillow's own conversion clips: every grey above 255 of 65535 would be white.
        return opened.point(lambda grey: grey / 256).convert("L")
    wanted = "RGBA" if opened.has_transparency_data else "RGB"
    # A copy of 24 megapixels is 96 MB, so none where none is needed.
    return opened if opened.mode in (wanted, "CMYK") else opened.convert(wanted)


def _fitting(size: tuple[int, int], side: int) -> tuple[int, int]:
    """The size with the same proportions and no side longer than `side`, at least 1 by 1; never larger than `size`."""
    longest = max(size)
    if longest <= side:
        return size
    width, height = (max(1, round(length * side / longest)) for length in size)
    return width, height


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    # Without the gap, a strip of 24 million by 1 pixels would need a gigabyte of filter weights.
    size = _fitting(image.size, side)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _on_white(image: Image.Image) -> Image.Image:
    """A new RGB image with nothing but the pixels: Pillow's copies carry comments along, and its JPEG writes them."""
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(image, mask=image if image.mode == "RGBA" else None)
    return canvas


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class PhotoStore:
    """A directory of JPEG files named by the SHA-256 of their bytes: `ab/cdef….jpg`, for the program's user alone."""

    def __init__(self, root: Path) -> None:
        """`root` is made at the first `put`, with mode 0700."""
        self.root = root

    def put(self, data: bytes) -> str:
        """Keep the bytes and say their SHA-256 (64 lower-case hexadecimal digits). Raises OSError.

        When it returns, the file is whole and on the disk; a crash before leaves no file of that name.
        """
        sha256 = _sha256(data)
        path = self.path(sha256)
        _make_directory(self.root)
        _make_directory(path.parent)
        if not path.exists():
            _write(path, data)
        # Also when it was there: the thread that wrote it may not have come this far.
        _sync_directory(path.parent)
        return sha256

    def path(self, sha256: str) -> Path:
        """Where the file of that name is or would be. Raises ValueError unless it is 64 lower-case hexadecimal digits,
        so no name leads out of the directory."""
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise ValueError("not a SHA-256")
        return self.root / sha256[:2] / f"{sha256[2:]}.jpg"

    def delete(self, sha256: str) -> None:
        """Remove the file; nothing happens if there is none. Raises ValueError as `path` does."""
        self.path(sha256).unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    """Write aside and rename, so that nobody ever reads half a file. `mkstemp` gives mode 0600."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _make_directory(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sync_directory(directory.parent)


def _sync_directory(directory: Path) -> None:
    """A rename is on the disk only when its directory is."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
