"""Code as a reader sees it: without the comments that only tell d2lbuild what to do."""

import io
import re
import tokenize

__all__ = ["displayed_code"]

_MARK = re.compile(r"#\s*(?P<name>@save|(?:@tab|%%tab)\b.*)\s*")


def displayed_code(code: str) -> tuple[str, bool]:
    """Drop ``#@save`` and stray ``#@tab`` comments, and say whether something is saved; leave what is no Python."""
    if "@save" not in code and "tab" not in code:
        return code, False
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return code, False
    lines = code.split("\n")
    saved = False
    for token in reversed(tokens):
        mark = _MARK.fullmatch(token.string) if token.type == tokenize.COMMENT else None
        if mark is None:
            continue
        saved = saved or mark["name"] == "@save"
        row, column = token.start
        kept = lines[row - 1][:column].rstrip()
        lines[row - 1 : row] = [kept] if kept else []
    return "\n".join(lines), saved
