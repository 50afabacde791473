"""What a page says of the run of its code: when, with which versions, and for how long."""

from collections.abc import Sequence

from d2lbuild.config.types import Framework
from d2lbuild.model import ExecutionResult, Status
from d2lbuild.rendering.locale import translated
from d2lbuild.rendering.page import Page

__all__ = ["run_record"]


def run_record(page: Page, frameworks: Sequence[Framework], language: str = "en") -> list[tuple[str, str]]:
    """Say when and with which versions the page's code ran.

    Each framework with code has its name and a line in the book's language; one line for all has no name.
    """
    with_code = [framework for framework in frameworks if framework.name in page.coded]
    if with_code and not page.results:
        return [("", translated(language, "The code on this page was not executed."))]
    return [
        (framework.name, _run_line(framework, page.results.get(framework.name), language)) for framework in with_code
    ]


_ENDINGS = {
    Status.DONE: "",
    Status.FAILED: "; a cell raised an error",
    Status.TIMEOUT: "; it was stopped at the time limit",
    Status.DIED: "; its process ended early",
    Status.NOT_STARTED: "; its kernel did not start",
}
"""For what ran; the others are said to be not executed."""


def _run_line(framework: Framework, result: ExecutionResult | None, language: str) -> str:
    if result is None or result.status is Status.SKIPPED:
        return translated(language, "{framework}: not executed").format(framework=framework.title)
    versions = dict(result.versions)
    main = [package for package in framework.packages if package in versions]
    parts = [f"{framework.title} {versions.pop(main[0])}"] if main else [framework.title]
    python = versions.pop("python", "")
    others = [f"{name} {version}" for name, version in versions.items() if name in framework.packages]
    parts += others + ([f"Python {python}"] if python else [])
    day = result.finished[:10]
    text = translated(language, "Run on {day} with {tools} in {duration}")
    run = text.format(day=day, tools=" · ".join(parts), duration=_duration(result.seconds))
    return run + translated(language, _ENDINGS[result.status])


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
