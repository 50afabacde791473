"""The frames of an animation that Matplotlib has written for a script to play, as one moving picture without it."""

import re
import struct
import zlib
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

__all__ = ["Animation", "find_animation"]

_FRAME = re.compile(r'frames\[\d+\] = "data:image/png;base64,([^"]+)"')
_INTERVAL = re.compile(r"new Animation\(frames, img_id, slider_id, ([\d.]+),")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_USUAL_INTERVAL = 200.0


@dataclass(frozen=True, slots=True)
class Animation:
    """What a page shows of an animation; pictures are in base64, as in notebooks."""

    last: str
    """Its last frame, a PNG."""
    moving: str
    """All of them, an animated PNG; empty if there is only one, or if they do not fit together."""
    frames: int


def find_animation(html: str) -> Animation | None:
    """Return the animation that `Animation.to_jshtml` has written; None if `html` is none of these."""
    if "new Animation(frames" not in html:
        return None
    try:
        frames = [b64decode(re.sub(r"[\\\s]", "", frame), validate=True) for frame in _FRAME.findall(html)]
    except Error:
        return None
    if not frames or not all(frame.startswith(_SIGNATURE) for frame in frames):
        return None
    interval = _INTERVAL.search(html)
    moving = _joined(frames, float(interval[1]) if interval else _USUAL_INTERVAL) if len(frames) > 1 else b""
    return Animation(b64encode(frames[-1]).decode(), b64encode(moving).decode(), len(frames))


def _joined(frames: Sequence[bytes], interval: float) -> bytes:
    """Return an animated PNG, shown again and again; empty if the frames differ in size or colours."""
    try:
        parts = [list(_chunks(frame)) for frame in frames]
    except struct.error:
        return b""
    heads = [data for part in parts for name, data in part if name in (b"IHDR", b"PLTE", b"tRNS")]
    if len(parts) * len(dict.fromkeys(heads)) != len(heads) or not heads or len(heads[0]) != 13:
        return b""
    width, height = struct.unpack(">II", heads[0][:8])
    milliseconds = min(max(round(interval), 10), 60_000)
    numbers = count()
    written = [_SIGNATURE]
    written += [_chunk(name, data) for name, data in parts[0] if name == b"IHDR"]
    written.append(_chunk(b"acTL", struct.pack(">II", len(frames), 0)))
    written += [_chunk(name, data) for name, data in parts[0] if name in (b"PLTE", b"tRNS")]
    for index, part in enumerate(parts):
        control = struct.pack(">IIIIIHHBB", next(numbers), width, height, 0, 0, milliseconds, 1000, 0, 0)
        written.append(_chunk(b"fcTL", control))
        for data in (data for name, data in part if name == b"IDAT"):
            # The first frame is also what a program shows that knows no animations.
            written.append(_chunk(b"fdAT", struct.pack(">I", next(numbers)) + data) if index else _chunk(b"IDAT", data))
    return b"".join([*written, _chunk(b"IEND", b"")])


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place < len(picture):
        (size,) = struct.unpack_from(">I", picture, place)
        name, data, _ = struct.unpack_from(f">4s{size}sI", picture, place + 4)
        yield name, data
        place += 12 + size


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
