"""Animations that Matplotlib writes for a script, as pictures."""

import struct
import zlib
from base64 import b64decode, b64encode

from d2lbuild.rendering.outputs.animation import find_animation

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(grey: int, width: int = 2) -> bytes:
    """Return a picture of one grey."""
    rows = zlib.compress((b"\0" + bytes([grey]) * width) * 3)
    head = struct.pack(">IIBBBBB", width, 3, 8, 0, 0, 0, 0)
    text = chunk(b"tEXt", b"Software\0x")
    return SIGNATURE + chunk(b"IHDR", head) + text + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jshtml(*frames: bytes, interval: str = "200.0") -> str:
    """Return what Matplotlib writes, in short: base64 in lines that end with a backslash."""
    lines = []
    for index, frame in enumerate(frames):
        text = b64encode(frame).decode()
        parts = "\\\n".join(text[at : at + 20] for at in range(0, len(text), 20))
        lines.append(f'  frames[{index}] = "data:image/png;base64,{parts}\\\n"')
    body = "\n".join(lines)
    return (
        f"<script>var frames = new Array({len(frames)});\n{body}\n"
        f"anim1 = new Animation(frames, img_id, slider_id, {interval}, loop_select_id);</script>"
    )


def chunks(picture: bytes) -> list[tuple[bytes, bytes]]:
    place, found = len(SIGNATURE), []
    while place < len(picture):
        (size,) = struct.unpack_from(">I", picture, place)
        name, data = picture[place + 4 : place + 8], picture[place + 8 : place + 8 + size]
        assert picture[place + 8 + size : place + 12 + size] == struct.pack(">I", zlib.crc32(name + data))
        found.append((name, data))
        place += 12 + size
    return found


def test_frames_become_a_moving_picture_and_the_last_one_a_still() -> None:
    frames = [png(10), png(90), png(200)]
    found = find_animation(jshtml(*frames, interval="40"))
    assert found is not None
    assert found.frames == 3
    assert b64decode(found.last) == frames[-1]
    parts = chunks(b64decode(found.moving))
    assert [name for name, _ in parts] == [b"IHDR", b"acTL", b"fcTL", b"IDAT", *[b"fcTL", b"fdAT"] * 2, b"IEND"]
    assert parts[1][1] == struct.pack(">II", 3, 0)
    controls = [struct.unpack(">IIIIIHHBB", data) for name, data in parts if name == b"fcTL"]
    assert [(one[1], one[2], one[5] / one[6]) for one in controls] == [(2, 3, 0.04)] * 3
    numbered = [data for name, data in parts if name in (b"fcTL", b"fdAT")]
    assert [struct.unpack(">I", data[:4])[0] for data in numbered] == [0, 1, 2, 3, 4]
    pictures = [data[4:] if name == b"fdAT" else data for name, data in parts if name in (b"IDAT", b"fdAT")]
    assert [zlib.decompress(data)[1] for data in pictures] == [10, 90, 200]


def test_one_frame_is_a_still() -> None:
    found = find_animation(jshtml(png(10)))
    assert found is not None
    assert (found.moving, found.frames) == ("", 1)


def test_frames_that_do_not_fit_together_are_shown_by_the_last() -> None:
    found = find_animation(jshtml(png(10), png(20, width=4)))
    assert found is not None
    assert b64decode(found.last) == png(20, width=4)
    assert found.moving == ""


def test_broken_frames_do_not_move() -> None:
    found = find_animation(jshtml(png(10), png(20)[:-30], png(30)))
    assert found is not None
    assert (b64decode(found.last), found.moving) == (png(30), "")


def test_other_html_is_no_animation() -> None:
    assert find_animation("<p>new Animation</p>") is None
    assert find_animation(jshtml(b"no picture")) is None
    assert find_animation('<script>new Animation(frames, 1); frames[0] = "data:image/png;base64,@@"</script>') is None
