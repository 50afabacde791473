"""Every rule that anything in the package names is registered, and documented."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import d2lbuild
from d2lbuild.checking.rules import RULES, rules_table
from d2lbuild.rendering.sphinx_warnings import RULE_OF_WARNING

PACKAGE = Path(d2lbuild.__file__).parent
DOCS = PACKAGE.parent / "docs" / "checking.md"
MAKERS = {"Finding", "found", "error", "warn", "note", "_find", "_add", "_missing"}
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def named_rules() -> Iterator[tuple[str, str]]:
    """Yield file and rule of each call that makes a finding."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.is_relative_to(PACKAGE / "execution" / "kernels"):
            continue  # they run in other environments, and make none
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if name not in MAKERS or not isinstance(first, ast.Constant) or not isinstance(first.value, str):
                continue
            if _NAME.fullmatch(first.value) and len(node.args) > 1:
                yield str(path.relative_to(PACKAGE)), first.value


def test_every_rule_is_registered() -> None:
    named = list(named_rules())
    assert len({rule for _, rule in named}) > 60
    assert [(path, rule) for path, rule in named if rule not in RULES] == []
    assert set(RULE_OF_WARNING.values()) <= RULES.keys()


def test_every_registered_rule_is_used() -> None:
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "rules.py"
    )  # fmt: skip
    assert [name for name in RULES if f'"{name}"' not in text] == []


def test_the_documentation_has_the_table_of_all_rules() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert "\n".join(rules_table()) in text
