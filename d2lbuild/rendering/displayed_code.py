"""Code as a reader sees it: without the comments that only tell d2lbuild what to do."""

import io
import re
import tokenize

__all__ = ["without_save_marks"]

_MARK = re.compile(r"#\s*@save\s*")


def without_save_marks(code: str) -> tuple[str, bool]:
    """Drop ``#@save`` comments from `code`, and say whether there was one. Text that is no Python stays as it is."""
    if "@save" not in code:
        return code, False
    try:
        comments = [
            token.start
            for token in tokenize.generate_tokens(io.StringIO(code).readline)
            if token.type == tokenize.COMMENT and _MARK.fullmatch(token.string)
        ]
    except (tokenize.TokenError, SyntaxError):
        return code, False
    lines = code.split("\n")
    for row, column in reversed(comments):
        kept = lines[row - 1][:column].rstrip()
        if kept:
            lines[row - 1] = kept
        else:
            del lines[row - 1]
    return "\n".join(lines), bool(comments)
