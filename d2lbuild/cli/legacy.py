"""`d2lbuild legacy …`: the verbs of d2lbook, so that an existing Makefile needs one word changed."""

import shlex
from collections.abc import Callable, Sequence
from difflib import get_close_matches

import click

from d2lbuild.cli.messages import note
from d2lbuild.errors import UsageError

__all__ = ["legacy", "translation"]

_BUILDS = {
    "eval": ("build", "--to", "notebooks"),
    "ipynb": ("build", "--to", "notebooks", "--no-execute"),
    "html": ("build", "--to", "html"),
    "pdf": ("build", "--to", "pdf"),
    "slides": ("build", "--to", "slides"),
    "pkg": ("build", "--to", "notebooks"),
    "colab": ("build", "--to", "colab"),
    "sagemaker": ("build", "--to", "sagemaker"),
    "all": ("build", "--to", "html,notebooks,pdf"),
    "lib": ("extract-lib",),
    "linkcheck": ("check", "--links"),
    "tabcheck": ("check",),
}
_NOTHING = {
    "rst": "pages are made of notebooks directly; `d2lbuild build` writes the website",
    "merge": "the notebooks of all frameworks are joined by `d2lbuild build --framework all`",
    "outputcheck": "outputs never stand in the sources: those of a Markdown file are not read",
}
"""What `build` could be told and has no counterpart, with the reason."""
_DEPLOYED = {
    "html": "html",
    "ipynb": "notebooks",
    "eval": "notebooks",
    "colab": "colab",
    "sagemaker": "sagemaker",
    "slides": "slides",
}
"""What `deploy` could be told, and what that publishes."""
_OTHERS = {
    "clear": ("clean",),
    "slides": ("build", "--to", "slides"),
    "translate": ("translate", "status"),
}
_NO_VERBS = {
    "activate": "each cell is for the frameworks that its mark names; `d2lbuild edit` opens one framework's notebook",
}


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument(
    "words",
    nargs=-1,
    metavar="[VERB]...",
    type=click.UNPROCESSED,
    help="As for d2lbook: build html --tab pytorch",
)
def legacy(words: Sequence[str]) -> int:
    """Do what d2lbook does for the same words.

    \b
    Says which commands of d2lbuild they are, and runs them one after the other until one fails. What has no
    counterpart is an error that says why. docs/from-d2lbook.md has the whole table.

    \b
    Examples:
      d2lbuild legacy build html --tab pytorch
      d2lbuild legacy build eval pdf --tab all
      d2lbuild legacy clear
    """
    from d2lbuild.cli.app import run  # noqa: PLC0415 - it knows this command too

    for arguments in translation(words, bucket=_bucket):
        note(f"d2lbuild {shlex.join(arguments)}")
        if code := run(arguments):
            return code
    return 0


def _bucket() -> str:
    """Return where a book with a `config.ini` says that it is published."""
    from d2lbuild.cli.options import read_config  # noqa: PLC0415 - slow to import

    return read_config(None).legacy.get("deploy", {}).get("s3_bucket", "").strip()


def translation(words: Sequence[str], bucket: Callable[[], str] = lambda: "") -> list[list[str]]:
    """Return the commands that words for d2lbook stand for; `bucket` says where the book is published.

    Raises UsageError for what has no counterpart.
    """
    verbs, framework = _without_tab(words)
    if not verbs:
        raise UsageError("no verb is named", hint="for example: d2lbuild legacy build html")
    verb, *targets = verbs
    if verb in _NO_VERBS:
        raise UsageError(f"'{verb}' has no counterpart", hint=_NO_VERBS[verb])
    if verb in _OTHERS:
        return [list(_OTHERS[verb])]
    if verb == "deploy":
        return _deployments(targets or ["html"], framework, bucket())
    if verb != "build":
        raise _unknown(verb, ["build", "deploy", *_OTHERS, *_NO_VERBS], "verb")
    if not targets:
        raise UsageError("what is to be built is not named", hint=f"one of {', '.join(_BUILDS)}")
    for target in targets:
        if target in _NOTHING:
            raise UsageError(f"'build {target}' has no counterpart", hint=_NOTHING[target])
        if target not in _BUILDS:
            raise _unknown(target, [*_BUILDS, *_NOTHING], "output")
    return [[*_BUILDS[one], *(framework if _BUILDS[one][0] != "check" else [])] for one in dict.fromkeys(targets)]


def _deployments(targets: Sequence[str], framework: Sequence[str], bucket: str) -> list[list[str]]:
    """Return the commands that publish outputs; all but the website have a folder of their own."""
    for target in targets:
        if target not in _DEPLOYED:
            hint = "`d2lbuild release` gathers what readers get in one folder"
            raise UsageError(f"'deploy {target}' has no counterpart", hint=hint)
    if not bucket.startswith("s3://"):
        hint = "say where: d2lbuild deploy branch:gh-pages, for example"
        raise UsageError("config.ini has no `s3_bucket` in [deploy]", hint=hint)
    found = []
    for output in dict.fromkeys(_DEPLOYED[target] for target in targets):
        place = [bucket] if output == "html" else [f"{bucket.rstrip('/')}/{output}", "--from", output]
        found.append(["deploy", *place, *framework])
    return found


def _without_tab(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words without the option `--tab`, and what it becomes."""
    verbs: list[str] = []
    framework: list[str] = []
    rest = iter(words)
    for word in rest:
        name, sign, value = word.partition("=")
        if name == "--tab":
            value = value if sign else next(rest, "")
            if not value:
                raise UsageError("--tab names no framework", hint="for example: --tab pytorch, or --tab all")
            framework = ["--framework", value]
        elif word.startswith("-"):
            raise UsageError(f"d2lbook has no option {name}", hint="the options of d2lbuild go with its own commands")
        else:
            verbs.append(word)
    return verbs, framework


def _unknown(word: str, choices: Sequence[str], noun: str) -> UsageError:
    near = get_close_matches(word, choices, n=1)
    return UsageError(
        f"d2lbook has no {noun} '{word}'", hint=f"did you mean '{near[0]}'?" if near else f"one of {', '.join(choices)}"
    )
