"""What becomes of each key of a `config.ini` in the new layout: where it goes, or why it goes nowhere.

`d2lbuild migrate` says this of a book's own keys, and the manual of all of them.
"""

from dataclasses import dataclass

__all__ = ["FATES", "FRAMEWORK_SECTION", "Fate"]

FRAMEWORK_SECTION = "library-FRAMEWORK"
"""Stands for each of the sections ``[library-pytorch]`` and so on."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a key."""

    place: str = ""
    """The key of the new layout that has its value; empty if none has."""
    advice: str = ""
    """Of a key that goes nowhere: what there is in its place. Otherwise: what is different."""


def _to(place: str, advice: str = "") -> Fate:
    return Fate(place, advice)


def _gone(advice: str) -> Fate:
    return Fate("", advice)


_NO_TRANSLATION = _gone("d2lbuild translates no text: `d2lbuild translate status` says what is to be translated")
_NO_LOGOS = _gone("slides have no logos; `build --to slides` makes them")
_DEPLOYED = _gone("`d2lbuild deploy PLACE` is told where: `branch:gh-pages`, `s3://bucket/path`, a folder")
_NO_CODE = _gone("code in a configuration never runs")

FATES: dict[str, dict[str, Fate]] = {
    "project": {
        "name": _to("[book] name", "letters, digits, `.`, `-` and `_`; other characters become `-`"),
        "title": _to("[book] title"),
        "author": _to("[book] author"),
        "release": _to("[book] release"),
        "copyright": _to("[book] copyright"),
        "lang": _to("[book] language"),
    },
    "translation": {
        "origin_repo": _gone("`[translation] origin` is a folder: a clone of that repository"),
        **dict.fromkeys(("origin_lang", "translator", "terminology"), _NO_TRANSLATION),
    },
    "build": {
        "index": _gone("the first page is always `index`"),
        "notebooks": _to("[book] notebooks"),
        "rsts": _gone("files in reStructuredText are not read as chapters; an `eval_rst` block may hold it"),
        "non-notebooks": _to("[book] exclusions"),
        "exclusions": _to("[book] exclusions"),
        "dependencies": _to("[execution] data"),
        "resources": _to("[book] resources"),
        "eval_notebook": _to("[execution] enabled"),
        "source_dir": _to("[book] chapters", '`"."` where there is none'),
        "output_dir": _to("[output] folder"),
        "html_dir": _gone("the website is in `EDITION/html` of the output folder"),
        "warning_is_error": _gone("`d2lbuild build --strict` fails at warnings"),
        "sphinx_extensions": _NO_CODE,
        "sphinx_configs": _gone("code in a configuration never runs; numbers follow `[book] language` by themselves"),
        "tabs": _to("[book] frameworks"),
        "origin_repo": _gone("`[translation] origin` is a folder: a clone of that repository"),
    },
    "html": {
        "header_links": _to("[html] header_links", "without links that hold a place for a script to fill in"),
        "favicon": _to("[html] favicon"),
        "html_logo": _to("[html] logo"),
        "include_css": _to("[html] css"),
        "include_js": _to("[html] javascript"),
    },
    "pdf": {
        "main_font": _to("[pdf] main_font"),
        "sans_font": _to("[pdf] sans_font"),
        "mono_font": _to("[pdf] mono_font"),
        "post_latex": _to("[pdf] post_latex", "runs only with `build --to pdf --run-post-latex`"),
        "latex_logo": _to("[pdf] logo"),
        "bibfile": _to("[book] bibliography"),
        "latex_url": _gone("nothing is fetched while a book is built"),
        "style": _gone("`[pdf] document_class` and `preamble` change how the PDF looks"),
    },
    "library": {
        "save_filename": _gone("each framework has its own module: `module` in framework.toml"),
        "save_mark": _gone("the mark is always `#@save`"),
        "save_patterns": _gone(
            "sections `[library-FRAMEWORK]`, or frameworks/NAME/, say which module each framework has"
        ),
        "version": _to("[book] release"),
        "version_file": _to("[library] version_file", "the version that it holds becomes `[book] release`"),
        "root_dir": _gone("there is one module a framework, not one a section"),
    },
    FRAMEWORK_SECTION: {
        "lib_file": _to("[library] folder and package, module in framework.toml", "its hand-written head: header.py"),
        "lib_name": _to("prefix in framework.toml"),
        "simple_alias": _to("[aliases.simple] in framework.toml"),
        "fluent_alias": _to("[aliases.fluent] in framework.toml"),
        "args_alias": _to("[aliases.args] in framework.toml"),
        "alias": _to("[aliases.plain] in framework.toml"),
        "reverse_alias": _to("[aliases.reverse] in framework.toml"),
    },
    "deploy": {
        "google_analytics_tracking_id": _gone("pages tell nobody who reads them; `[html] javascript` adds a script"),
        "github_repo": _DEPLOYED,
        "s3_bucket": _DEPLOYED,
        "other_file_s3urls": _gone("`d2lbuild release` gathers what readers get"),
    },
    "colab": {
        "github_repo": _to("[html.notebooks] colab"),
        "exclusions": _to("[elsewhere.colab] exclusions", "pages that do not lead there, without `.html`"),
        "libs": _to("[elsewhere.colab] install", "`RELEASE` becomes the book's; a path to the book: its library"),
        "libs_header": _to("[elsewhere.colab] header"),
        "gpu_pattern": _to("[elsewhere.colab] gpu_pattern", "besides notebooks that are known to use a GPU"),
        "replace_svg_url": _to("[elsewhere.colab] images", "for all figures of the folder"),
    },
    "sagemaker": {
        "github_repo": _to("[html.notebooks] sagemaker"),
        "kernel": _to("[elsewhere.sagemaker] kernels"),
        "libs": _to("[elsewhere.sagemaker] install", "the same"),
        "libs_header": _to("[elsewhere.sagemaker] header"),
    },
    "slides": {
        **dict.fromkeys(("top_left", "top_right"), _NO_LOGOS),
        "github_repo": _gone("d2lbuild publishes no slides: `build --to slides` makes the folder to publish"),
    },
}
"""By section of a `config.ini`, by key."""
