from d2lbuild.rendering.epub.drawings import mended_drawing


def test_nothing_is_named_that_lies_elsewhere() -> None:
    kind = b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"'
    assert mended_drawing(b"<?xml?>\n" + kind + b">\n<svg/>") == b"<?xml?>\n<svg/>"
    own = b'[<!ENTITY ns "http://x.y">]'
    assert mended_drawing(kind + b" " + own + b">\n<svg/>") == b"<!DOCTYPE svg " + own + b"><svg/>"


def test_paths_lead_somewhere() -> None:
    assert mended_drawing(b'<path id="a>b"/><path\n d="M1 1"/>') == b'<path id="a>b" d="M0 0"/><path\n d="M1 1"/>'
    assert mended_drawing(b'<pathology/><path id="x"></path>') == b'<pathology/><path id="x" d="M0 0"></path>'
