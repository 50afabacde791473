"""A report in JUnit's XML, as GitHub's actions, GitLab and Jenkins show it: a suite a framework, a case a notebook."""

import datetime
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from d2lbuild.building import NotebookReport
from d2lbuild.model import Status
from d2lbuild.reporting.account import Account, error_of, failing_place, readable, source_path

__all__ = ["junit"]

_ELEMENTS = {
    Status.FAILED: "failure",
    Status.TIMEOUT: "failure",
    Status.DIED: "error",
    Status.NOT_STARTED: "error",
    Status.SKIPPED: "skipped",
}
"""A failure is the notebook's own; an error may as well be the machine's."""


def junit(account: Account) -> str:
    """Return the report of a build."""
    root = ET.Element("testsuites", {"name": readable(account.title), **_numbers(account, account.notebooks)})
    for framework in dict.fromkeys(one.framework for one in account.notebooks):
        mine = [one for one in account.notebooks if one.framework == framework]
        suite = ET.SubElement(root, "testsuite", {"name": readable(framework), **_numbers(account, mine)})
        for notebook in mine:
            suite.append(_case(account, notebook))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _numbers(account: Account, notebooks: Sequence[NotebookReport]) -> dict[str, str]:
    elements = [_element(account, notebook) for notebook in notebooks]
    return {
        "tests": str(len(notebooks)),
        "failures": str(elements.count("failure")),
        "errors": str(elements.count("error")),
        "skipped": str(elements.count("skipped")),
        "time": _seconds(sum(notebook.result.seconds for notebook in notebooks)),
        "timestamp": account.made.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S"),
    }


def _element(account: Account, notebook: NotebookReport) -> str:
    """Return the name of the element that says how a notebook ended; empty if it ended well."""
    name = _ELEMENTS.get(notebook.result.status, "")
    return "failure" if name == "skipped" and account.require_all else name


def _case(account: Account, notebook: NotebookReport) -> ET.Element:
    result = notebook.result
    attributes = {
        "classname": readable(notebook.framework),
        "name": readable(notebook.section),
        "time": _seconds(result.seconds),
    }
    if path := source_path(notebook):
        attributes["file"] = readable(str(path))
    if place := failing_place(notebook):
        attributes["line"] = str(place.first)
    case = ET.Element("testcase", attributes)
    properties = ET.SubElement(case, "properties")
    for name, value in _properties(notebook).items():
        ET.SubElement(properties, "property", {"name": name, "value": readable(value)})
    if name := _element(account, notebook):
        case.append(_ending(name, notebook))
    if result.failure and result.failure.traceback:
        ET.SubElement(case, "system-out").text = readable(result.failure.traceback)
    if result.warnings:
        ET.SubElement(case, "system-err").text = readable("\n".join(result.warnings))
    return case


def _properties(notebook: NotebookReport) -> dict[str, str]:
    result = notebook.result
    values = {
        "cached": str(notebook.cached).lower(),
        "device": result.device,
        "memory": "" if result.memory is None else str(result.memory),
        "expected": "" if notebook.expected is None else _seconds(notebook.expected),
        "attempts": str(result.attempts) if result.attempts > 1 else "",
        "finished": result.finished,
        **{f"version.{name}": version for name, version in result.versions.items()},
    }
    return {name: value for name, value in values.items() if value}


def _ending(name: str, notebook: NotebookReport) -> ET.Element:
    failure = notebook.result.failure
    kind, first = error_of(notebook)
    message = failure.message if failure else ""
    place = failing_place(notebook)
    attributes = {"type": readable(kind), "message": readable(first or kind)}
    ending = ET.Element(name, attributes)
    if name != "skipped":
        ending.text = readable("\n".join([f"{place or notebook.section}: {kind}: {message}", *_code(notebook)]))
    return ending


def _code(notebook: NotebookReport) -> list[str]:
    """Return the failing cell with the chapter's line numbers."""
    failure = notebook.result.failure
    if failure is None or failure.cell is None or not failure.cell < len(notebook.cells):
        return []
    cell = notebook.cells[failure.cell]
    marked = failure.line - 1 if failure.line else None
    return [
        f"{'>' if index == marked else ' '}{number:>6} | {line}"
        for index, (number, line) in enumerate(zip(cell.lines, cell.source.splitlines(), strict=False))
    ]


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
