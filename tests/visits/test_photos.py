"""Photos: what comes out is upright, small and bare; what should not come in is refused by the right code."""

import hashlib
import io
import random
import re
import stat
import struct
import threading
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from fieldapp.visits import photos
from fieldapp.visits.photos import CleanPhoto, PhotoRefused, PhotoStore, clean

RED, GREEN, BLUE, YELLOW = (220, 20, 20), (20, 200, 20), (20, 20, 220), (230, 220, 20)
PNG_START = b"\x89PNG\r\n\x1a\n"


def four_corners(width: int = 120, height: int = 80) -> Image.Image:
    """Red and green above, blue and yellow below, so that every turn and mirroring shows."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def corners(data: bytes) -> list[tuple[int, ...]]:
    """The colours a quarter in from each corner: above left, above right, below left, below right."""
    image = opened(data)
    width, height = image.size
    return [image.getpixel((width * x // 4, height * y // 4)) for y in (1, 3) for x in (1, 3)]


def close(found: tuple[int, ...], wanted: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


def assert_four_corners(data: bytes) -> None:
    assert all(map(close, corners(data), [RED, GREEN, BLUE, YELLOW])), corners(data)


def refusal(data: bytes) -> str:
    with pytest.raises(PhotoRefused) as caught:
        clean(data)
    return caught.value.code


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    between = b"".join(chunk(*one) for one in extra)
    return PNG_START + header + between + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def with_size(jpeg: bytes, width: int, height: int) -> bytes:
    """The same JPEG claiming another size in its frame header."""
    return re.sub(rb"(?s)(\xff\xc0..\x08)....", lambda m: m[1] + struct.pack(">HH", height, width), jpeg, count=1)


def webp(kind: bytes, body: bytes) -> bytes:
    inner = b"WEBP" + kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


def with_secrets(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "SecretMaker"
    exif[0x0112] = orientation
    exif[0x8825] = {1: "N", 2: (31.0, 13.0, 49.0), 3: "E", 4: (121.0, 28.0, 25.0), 29: "2026:01:02"}
    exif[0x8769] = {0x9003: "2026:01:02 03:04:05", 0x9286: b"ASCII\0\0\0SecretComment"}
    return exif


def assert_bare(data: bytes) -> None:
    """A JFIF JPEG with no marker but those that picture needs, ending where the picture ends."""
    markers = {found[1][0] for found in re.finditer(rb"\xff([\x01-\xcf\xd8-\xfe])", data)}
    assert markers <= {0xD8, 0xE0, 0xDB, 0xC0, 0xC4, 0xDA, 0xD9}
    assert data.startswith(b"\xff\xd8\xff\xe0") and data.endswith(b"\xff\xd9")
    for word in (b"Exif", b"GPS", b"Secret", b"2026", b"http", b"adobe", b"ICC", b"Photoshop", b"PK\x03\x04", b"II*"):
        assert word not in data
    image = opened(data)
    assert image.format == "JPEG" and image.mode == "RGB"
    assert set(image.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not image.getexif()


def assert_clean(photo: CleanPhoto) -> None:
    for data in (photo.full, photo.thumbnail):
        assert_bare(data)
    assert opened(photo.full).size == (photo.width, photo.height)
    assert max(photo.width, photo.height) <= 2048
    assert max(opened(photo.thumbnail).size) <= 320
    assert photo.sha256 == hashlib.sha256(photo.full).hexdigest()
    assert photo.thumbnail_sha256 == hashlib.sha256(photo.thumbnail).hexdigest()


# Kinds and modes


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        ("JPEG", "RGB", {"progressive": True, "quality": 95, "subsampling": 0}),
        ("JPEG", "CMYK", {}),
        ("JPEG", "YCbCr", {}),
        ("PNG", "RGB", {}),
        ("PNG", "RGBA", {}),
        ("PNG", "P", {}),
        ("PNG", "P", {"bits": 4}),
        ("WEBP", "RGB", {"quality": 95}),
        ("WEBP", "RGBA", {"lossless": True}),
    ],
)
def test_colours_survive_every_kind(kind: str, mode: str, options: dict[str, object]) -> None:
    image = four_corners().quantize(8) if mode == "P" else four_corners().convert(mode)
    photo = clean(encoded(image, kind, **options))
    assert_clean(photo)
    assert (photo.width, photo.height) == (120, 80)
    assert_four_corners(photo.full)
    assert_four_corners(photo.thumbnail)


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "L"), ("PNG", "L"), ("PNG", "LA"), ("PNG", "1"), ("WEBP", "L")])
def test_greys_survive(kind: str, mode: str) -> None:
    image = Image.new("L", (64, 64), 0)
    image.paste(255, (32, 0, 64, 64))
    photo = clean(encoded(image.convert(mode), kind))
    assert_clean(photo)
    assert all(map(close, corners(photo.full), [(0, 0, 0), (255, 255, 255)] * 2))


@pytest.mark.parametrize(
    ("name", "data", "wanted"),
    [
        ("grey", png(1, 1, 16, 0, b"\0\x80\x00"), (128, 128, 128)),
        ("grey with a transparent grey", png(1, 1, 16, 0, b"\0\x80\x00", (b"tRNS", b"\x10\x00")), (128, 128, 128)),
        ("grey and alpha", png(1, 1, 16, 4, b"\0\x80\x00\x00\x00"), (255, 255, 255)),
        ("colour", png(1, 1, 16, 2, b"\0\x80\x00\x40\x00\xff\xff"), (128, 64, 255)),
        ("colour and alpha", png(1, 1, 16, 6, b"\0\x80\x00\x40\x00\xff\xff\xff\xff"), (128, 64, 255)),
    ],
)
def test_sixteen_bits_a_channel(name: str, data: bytes, wanted: tuple[int, int, int]) -> None:
    photo = clean(data)
    assert_clean(photo)
    assert close(opened(photo.full).getpixel((0, 0)), wanted), name


@pytest.mark.parametrize(("alpha", "wanted"), [(0, (255, 255, 255)), (128, (255, 127, 127)), (255, (255, 0, 0))])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_alpha_lies_on_white(kind: str, alpha: int, wanted: tuple[int, int, int]) -> None:
    photo = clean(encoded(Image.new("RGBA", (2100, 40), (255, 0, 0, alpha)), kind, lossless=True))
    assert_clean(photo)
    assert close(corners(photo.full)[0], wanted)


@pytest.mark.parametrize("transparency", [0, b"\0\xff"])
def test_transparent_palette_entries_are_white(transparency: object) -> None:
    image = Image.new("P", (40, 40), 0)
    image.putpalette([0, 0, 0, 200, 20, 20])
    image.paste(1, (20, 0, 40, 40))
    photo = clean(encoded(image, "PNG", transparency=transparency))
    assert close(corners(photo.full)[0], (255, 255, 255)) and close(corners(photo.full)[1], (200, 20, 20))


def test_one_pixel() -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        photo = clean(encoded(Image.new("RGB", (1, 1), RED), kind))
        assert_clean(photo)
        assert (photo.width, photo.height) == (1, 1) == opened(photo.thumbnail).size


@pytest.mark.parametrize(
    ("size", "full", "thumbnail"),
    [
        ((2048, 2048), (2048, 2048), (320, 320)),
        ((2049, 1000), (2048, 1000), (320, 156)),
        ((1500, 3000), (1024, 2048), (160, 320)),
        ((320, 200), (320, 200), (320, 200)),
        ((5000, 1), (2048, 1), (320, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_sizes(kind: str, size: tuple[int, int], full: tuple[int, int], thumbnail: tuple[int, int]) -> None:
    photo = clean(encoded(Image.new("RGB", size, BLUE), kind))
    assert (photo.width, photo.height) == full
    assert opened(photo.thumbnail).size == thumbnail
    assert_clean(photo)


def test_same_bytes_in_same_bytes_out() -> None:
    data = encoded(Image.effect_noise((700, 500), 80), exif=with_secrets(6))
    assert clean(data) == clean(data)


# Metadata


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_comes_out_upright_and_bare(kind: str, orientation: int) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    image = four_corners()
    if orientation in undo:
        image = image.transpose(Image.Transpose(undo[orientation]))
    data = encoded(image, kind, exif=with_secrets(orientation), quality=95)
    assert b"SecretMaker" in data
    photo = clean(data)
    assert (photo.width, photo.height) == (120, 80)
    assert_four_corners(photo.full)
    assert_four_corners(photo.thumbnail)
    assert_clean(photo)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_unknown_orientation_is_left(orientation: int) -> None:
    assert_four_corners(clean(encoded(four_corners(), exif=with_secrets(orientation))).full)


def test_large_photo_is_turned_too() -> None:
    data = encoded(four_corners(4000, 3000).transpose(Image.Transpose.ROTATE_90), exif=with_secrets(6))
    photo = clean(data)
    assert (photo.width, photo.height) == (2048, 1536)
    assert_four_corners(photo.full)


def test_comment_profile_xmp_and_appended_bytes_are_gone() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("Secret.txt", "Secret")
    carried = {
        "comment": b"SecretComment",
        "icc_profile": b"SecretProfile" * 40,
        "xmp": b"<x:xmpmeta>Secret</x:xmpmeta>",
    }
    small = encoded(four_corners(), exif=with_secrets(), **carried)
    large = encoded(four_corners(2600, 1800), exif=with_secrets(), **carried)
    for data in (small, large):
        assert b"SecretComment" in data
        assert_clean(clean(data + archive.getvalue()))
    assert clean(small) == clean(small + archive.getvalue())


def test_png_texts_are_gone() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("comment", "SecretComment")
    texts.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>Secret</x:xmpmeta>", zip=True)
    texts.add_text("Author", "Secret", zip=True)
    data = encoded(four_corners(), "PNG", pnginfo=texts, dpi=(72, 72), icc_profile=b"Secret")
    assert_clean(clean(data + b"PK\x03\x04Secret"))


def test_first_picture_of_a_jpeg_with_several_is_the_photo() -> None:
    second = Image.new("RGB", (60, 40), "black")
    data = encoded(four_corners(), "MPO", save_all=True, append_images=[second])
    assert opened(data).format == "MPO"
    photo = clean(data)
    assert_four_corners(photo.full)
    assert_clean(photo)


# Refusals


def test_empty() -> None:
    assert refusal(b"") == "empty"


def test_file_too_big() -> None:
    assert refusal(encoded(four_corners()).ljust(photos.MAX_BYTES + 1, b"\0")) == "too_big"
    assert_clean(clean(encoded(four_corners()).ljust(photos.MAX_BYTES, b"\0")))


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("photo.jpg", encoded(four_corners()))
    return file.getvalue()


DISGUISED: dict[str, Callable[[], bytes]] = {
    "gif": lambda: encoded(four_corners(), "GIF"),
    "bmp": lambda: encoded(four_corners(), "BMP"),
    "tiff": lambda: encoded(four_corners(), "TIFF"),
    "ppm": lambda: encoded(four_corners(), "PPM"),
    "pdf": lambda: encoded(four_corners(), "PDF"),
    "eps": lambda: encoded(four_corners(), "EPS"),
    "ico": lambda: encoded(four_corners(), "ICO"),
    "jpeg 2000": lambda: encoded(four_corners(), "JPEG2000"),
    "avif": lambda: encoded(four_corners(), "AVIF"),
    "heic": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500),
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": lambda: b"<!doctype html><script>alert(1)</script>",
    "text before a jpeg": lambda: b"GIF89a" + encoded(four_corners()),
    "sound": lambda: b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
    "zip": archive,
    "one byte": lambda: b"\xff",
}


@pytest.mark.parametrize("name", DISGUISED)
def test_other_files_are_not_photos(name: str) -> None:
    assert refusal(DISGUISED[name]()) == "not_a_photo"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "progressive"])
def test_truncated_is_broken(kind: str) -> None:
    image = Image.merge("RGB", [Image.effect_noise((90, 60), spread) for spread in (20, 60, 90)])
    data = encoded(image, "JPEG", progressive=True) if kind == "progressive" else encoded(image, kind)
    end = len(data)
    for length in {*range(16, end, end // 150), *range(end - 30, end)}:
        assert refusal(data[:length]) == "broken", length


def test_damaged_png_is_broken() -> None:
    data = bytearray(encoded(four_corners(), "PNG"))
    data[data.index(b"IDAT") + 30] ^= 1
    assert refusal(bytes(data)) == "broken"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animated(kind: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, GREEN, BLUE)]
    assert refusal(encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)) == "animated"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_twenty_four_megapixels(kind: str) -> None:
    data = encoded(Image.new("RGB", (6000, 4000), BLUE), kind, lossless=True, quality=90, method=0, compress_level=1)
    photo = clean(data)
    assert (photo.width, photo.height) == (2048, 1365)
    assert close(corners(photo.full)[0], BLUE)


@pytest.mark.parametrize("size", [(5720, 4290), (5000, 5000), (10_000, 10_000), (14_000, 14_000), (65_500, 65_500)])
def test_too_many_pixels_is_decided_by_the_header(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: Image.Image) -> None:
        raise AssertionError("decoded")

    width, height = size
    files = [with_size(encoded(four_corners()), width, height), png(width, height, 8, 2, b"")]
    canvas = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    files.append(webp(b"VP8X", canvas))
    if max(size) <= 16_383:
        files.append(webp(b"VP8L", b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little") + bytes(20)))
        files.append(webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(20)))
    monkeypatch.setattr(Image.Image, "load", never)
    assert [refusal(file) for file in files] == ["too_many_pixels"] * len(files)


def test_strip_of_the_allowed_pixels_takes_no_gigabyte() -> None:
    photo = clean(png(24_000_000, 1, 1, 0, bytes(1 + 3_000_000)))
    assert (photo.width, photo.height) == (2048, 1)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_packed_chunks_that_burst_are_broken(kind: bytes) -> None:
    def carrying(size: int, times: int) -> bytes:
        start = b"key\0\x01\0\0\0" if kind == b"iTXt" else b"key\0\0"
        return png(1, 1, 8, 0, b"\0\0", *[(kind, start + zlib.compress(bytes(size)))] * times)

    assert_clean(clean(carrying(100_000, 1)))
    assert refusal(carrying(50_000_000, 1)) == "broken"
    assert refusal(carrying(900_000, 3000)) == "broken"


def test_long_plain_text_is_dropped() -> None:
    assert_clean(clean(png(1, 1, 8, 0, b"\0\0", (b"iTXt", b"Secret\0\0\0\0\0" + b"Secret" * 1_000_000))))


def test_jpeg_of_endless_scans_is_broken() -> None:
    data = encoded(Image.new("L", (3000, 3000), 90), progressive=True)
    last_scan = data[data.rindex(b"\xff\xc4") : -2]
    assert_clean(clean(data[:-2] + last_scan * 3 + b"\xff\xd9"))
    assert refusal(data[:-2] + last_scan * 5000 + b"\xff\xd9") == "broken"


# Warnings


def with_cut_exif() -> bytes:
    """A good picture of whose EXIF Pillow only warns."""
    return encoded(four_corners(), exif=with_secrets().tobytes()[:60])


def test_pillow_warning_is_an_error_and_nobody_elses() -> None:
    with pytest.raises(PhotoRefused) as refused:
        clean(with_cut_exif())
    assert refused.value.code == "broken" and isinstance(refused.value.__cause__, UserWarning)
    with warnings.catch_warnings(record=True) as caught:
        warnings.warn("of another", UserWarning, stacklevel=1)
    assert len(caught) == 1


def test_warnings_are_errors_again_after_others_took_the_filters_away() -> None:
    warnings.resetwarnings()
    assert refusal(with_cut_exif()) == "broken"
    length = len(warnings.filters)
    assert refusal(with_cut_exif()) == "broken"
    assert len(warnings.filters) == length


# Properties


SEEDS = [
    encoded(four_corners(), exif=with_secrets(6), comment=b"x"),
    encoded(four_corners(), progressive=True),
    encoded(four_corners(), "PNG", exif=with_secrets(6)),
    encoded(four_corners(), "WEBP", exif=with_secrets(6)),
    encoded(four_corners(), "MPO", save_all=True, append_images=[four_corners()], exif=with_secrets(6)),
]


def taken_or_refused(data: bytes) -> None:
    try:
        photo = clean(data)
    except PhotoRefused:
        return
    assert_clean(photo)


@settings(max_examples=150, deadline=None)
@given(
    start=st.sampled_from([b"", b"\xff\xd8\xff", PNG_START, b"RIFF\x40\0\0\0WEBPVP8X", b"RIFF\x40\0\0\0WEBPVP8 "]),
    rest=st.binary(max_size=400),
)
def test_any_bytes_are_taken_or_refused(start: bytes, rest: bytes) -> None:
    taken_or_refused(start + rest)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_photos_are_taken_or_refused(draw: st.DataObject) -> None:
    data = bytearray(draw.draw(st.sampled_from(SEEDS)))
    # Headers are where a changed byte does most.
    reach = draw.draw(st.sampled_from([40, 400, len(data)]))
    for _ in range(draw.draw(st.integers(1, 6))):
        data[draw.draw(st.integers(0, min(reach, len(data)) - 1))] = draw.draw(st.integers(0, 255))
    cut = draw.draw(st.integers(0, len(data)) | st.just(len(data)))
    taken_or_refused(bytes(data[:cut]))


# Threads


def test_eight_threads_with_a_bad_photo_among_good_ones() -> None:
    good = {name: encoded(Image.effect_noise((300 + name, 200), 50), exif=with_secrets()) for name in range(7)}
    wanted = {name: clean(data) for name, data in good.items()}
    bad = with_cut_exif()
    begin = threading.Barrier(8)

    def work(name: int) -> list[object]:
        begin.wait()
        if name == 7:
            return [refusal(bad) for _ in range(12)]
        return [clean(good[name]) for _ in range(12)]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))
    assert results[7] == ["broken"] * 12
    assert all(results[name] == [wanted[name]] * 12 for name in range(7))


# The store


@pytest.fixture
def store(tmp_path: Path) -> PhotoStore:
    return PhotoStore(tmp_path / "instance" / "photos")


def files(store: PhotoStore) -> Iterator[Path]:
    return (path for path in store.root.rglob("*") if path.is_file())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_store_keeps_the_same_bytes_once(store: PhotoStore) -> None:
    data = clean(encoded(four_corners())).full
    sha256 = store.put(data)
    assert sha256 == hashlib.sha256(data).hexdigest() == store.put(data)
    path = store.path(sha256)
    assert path == store.root / sha256[:2] / f"{sha256[2:]}.jpg"
    assert path.read_bytes() == data
    assert list(files(store)) == [path]


def test_store_is_for_the_program_alone(store: PhotoStore) -> None:
    path = store.path(store.put(b"one"))
    assert (mode(store.root), mode(path.parent), mode(path)) == (0o700, 0o700, 0o600)


def test_store_deletes(store: PhotoStore) -> None:
    sha256 = store.put(b"one")
    store.delete(sha256)
    store.delete(sha256)
    assert not store.path(sha256).exists()
    assert store.put(b"one") == sha256
    assert store.path(sha256).read_bytes() == b"one"


@pytest.mark.parametrize(
    "name", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 64 + "\n", "../" + "a" * 61, "٣" * 64, "/" * 64]
)
def test_store_names_lead_nowhere_else(store: PhotoStore, name: str) -> None:
    with pytest.raises(ValueError):
        store.path(name)
    with pytest.raises(ValueError):
        store.delete(name)


def test_store_leaves_nothing_behind_when_the_disk_fails(store: PhotoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    store.put(b"one")
    monkeypatch.setattr(photos.os, "fsync", full)
    monkeypatch.setattr(photos, "_sync_directory", lambda directory: None)
    with pytest.raises(OSError):
        store.put(b"two")
    assert [path.read_bytes() for path in files(store)] == [b"one"]


def test_store_from_many_threads(store: PhotoStore) -> None:
    contents = [random.Random(seed % 4).randbytes(20_000) for seed in range(32)]
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(store.put, contents))
    assert len(list(files(store))) == 4
    assert all(store.path(name).read_bytes() == data for name, data in zip(names, contents, strict=True))
