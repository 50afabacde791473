"""What Sphinx is told: one dictionary, made from the book's configuration. No code of the book's is run."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from d2lbuild.config.types import Config, HeaderLink
from d2lbuild.model import Book
from d2lbuild.rendering.api.entries import Described
from d2lbuild.rendering.api.pages import api_objects
from d2lbuild.rendering.book_language import translations_script
from d2lbuild.rendering.locale import language_tag, numbering_formats, sphinx_language
from d2lbuild.rendering.page import Page
from d2lbuild.rendering.sources.myst import PAGE_SCHEME
from d2lbuild.source.links import is_inside

__all__ = ["EXTENSIONS", "made_static_files", "mathjax_settings", "settings_of_pages", "sphinx_configuration"]

_THEME = Path(__file__).parent / "theme"

EXTENSIONS = [
    "sphinx.ext.mathjax",
    "myst_nb",
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
    "d2lbuild.rendering.sphinx_extension",
]
"""What Sphinx loads, beside its own and the theme."""

_COLOURS = {
    "color-brand-content": "var(--color-brand-primary)",
    "color-api-name": "var(--color-foreground-primary)",
    "color-api-pre-name": "var(--color-foreground-muted)",
}
_LIGHT = {
    "color-brand-primary": "#1d5fa8",
    "color-background-primary": "#fdfdfc",
    "color-code-background": "#f5f6f8",
    "d2l-rule": "#c9d6e6",
}
_DARK = {
    "color-brand-primary": "#82b4ee",
    "color-background-primary": "#15181d",
    "color-background-secondary": "#191d23",
    "color-code-background": "#1e2229",
    "d2l-rule": "#33475f",
}

_STYLES = [
    f"book/{name}.css"
    for name in (
        "text", "figures", "formulas", "cells", "frameworks", "furniture", "front-page", "drawers", "references", "api",
        "print",
    )
]  # fmt: skip

_SETTINGS = "book/settings.js"

_SUPPRESSED = [
    "toc.not_included",  # the source stage reports orphans
    "toc.no_title",  # and pages without a heading
    "myst.header",  # books skip heading levels
    "config.cache",
    "misc.highlighting_failure",  # shell commands in cells
    "ref.footnote",
]


def sphinx_configuration(
    config: Config, book: Book, frameworks: Sequence[str], modules: Mapping[str, Path], *, source: Path, made: Path
) -> dict[str, Any]:
    """Return the settings for a site of `frameworks`.

    `source` is the folder of the notebooks, `made` that of the `made_static_files`.
    """
    return {
        **_general(config, book),
        **_markdown(),
        **_look(config, source, made),
        **_mathematics(),
        "d2lbuild_frameworks": [(name, config.framework(name).title) for name in frameworks],
        "d2lbuild_language_tag": language_tag(config.language),
        "d2lbuild_package": config.library.package,
        "d2lbuild_modules": {
            f"{config.library.package}.{config.framework(name).module}": str(modules[name])
            for name in frameworks
            if name in modules
        },
        "d2lbuild_root": str(config.root),
        "d2lbuild_sources": {name: str(section.path) for name, section in book.sections.items()},
    }


def settings_of_pages(pages: Sequence[Page], described: Mapping[str, Described]) -> dict[str, Any]:
    """Return the settings that say which pages there are: those of the book, and those of its library's reference."""
    return {
        "d2lbuild_api": api_objects(described),
        "d2lbuild_page_frameworks": {
            **{page.section.id: list(page.frameworks) for page in pages},
            **{one.page: [framework] for framework, one in described.items()},
        },
    }


def _general(config: Config, book: Book) -> dict[str, Any]:
    return {
        "project": config.title,
        "author": config.author,
        "copyright": config.copyright,
        "release": config.release,
        "version": config.release,
        "language": sphinx_language(config.language),
        "root_doc": book.root,
        "source_suffix": {".ipynb": "myst-nb"},
        "extensions": EXTENSIONS,
        "suppress_warnings": _SUPPRESSED,
        "show_warning_types": False,
        "numfig": True,
        "numfig_format": numbering_formats(config.language),
        "numfig_secnum_depth": 2,
        "math_numfig": True,
        "math_number_all": False,
        "math_eqref_format": "({number})",
        "smartquotes": True,
        "bibtex_bibfiles": [_from(config, path) for path in _present(config, book.bibliography)],
        "bibtex_reference_style": "author_year",
        "bibtex_default_style": "plain",
    }


def _markdown() -> dict[str, Any]:
    return {
        "myst_enable_extensions": ["dollarmath", "colon_fence", "deflist"],
        "myst_dmath_allow_labels": False,
        "myst_dmath_double_inline": True,
        "myst_heading_anchors": 0,
        "myst_url_schemes": ["http", "https", "mailto", "ftp", PAGE_SCHEME],
        "nb_execution_mode": "off",
    }


def _look(config: Config, source: Path, made: Path) -> dict[str, Any]:
    html = config.html
    css, scripts = _present(config, html.css), _present(config, html.javascript)
    logo, favicon, image = (_present(config, [path] if path else []) for path in (html.logo, html.favicon, html.image))
    files = [*css, *scripts, *image]
    return {
        "html_theme": "furo",
        "html_title": config.title,
        "html_short_title": config.title,
        "html_theme_options": {
            "sidebar_hide_name": bool(logo),
            "light_css_variables": {**_COLOURS, **_LIGHT},
            "dark_css_variables": {**_COLOURS, **_DARK},
        },
        "html_logo": _from(config, logo[0]) if logo else None,
        "html_favicon": _from(config, favicon[0]) if favicon else None,
        "html_static_path": [
            str(_THEME / "static"),
            str(made),
            *(str(source / _from(config, path)) for path in files),
        ],
        "html_css_files": [
            *_STYLES,
            *(["book/versions.css"] if html.versions else []),
            *(path.name for path in css),
        ],
        "html_js_files": [
            _SETTINGS,
            ("book/frameworks.js", {"defer": "defer"}),
            ("book/scrolling.js", {"defer": "defer"}),
            *([("book/versions.js", {"defer": "defer"})] if html.versions else []),
            *(path.name for path in scripts),
        ],
        "html_baseurl": html.site_url,
        "d2lbuild_site": {"url": html.site_url, "image": image[0].name if image else "", "versions": html.versions},
        "html_copy_source": False,
        "html_show_sourcelink": False,
        "html_use_index": True,
        "toc_object_entries_show_parents": "hide",
        "html_domain_indices": False,
        "html_last_updated_fmt": None,
        "html_permalinks_icon": "#",
        "html_sidebars": {
            "**": [
                "sidebar/brand.html",
                "sidebar/search.html",
                "sidebar/scroll-start.html",
                "sidebar/navigation.html",
                "sidebar/book-links.html",
                "sidebar/scroll-end.html",
            ]
        },
        "html_context": {"book_links": [(link.name, link.url) for link in html.header_links if _leads_anywhere(link)]},
        "templates_path": [str(_THEME / "templates")],
        "copybutton_exclude": ".linenos, .gp, .go, .d2l-saved",
        "pygments_style": "a11y-light",
        "pygments_dark_style": "a11y-dark",
    }


def _mathematics() -> dict[str, Any]:
    return {
        # A path below _static: the page asks nobody else for it.
        "mathjax_path": "mathjax/tex-chtml-full.js",
        # MyST would put MathJax's settings into each page: they are in a file of their own.
        "myst_update_mathjax": False,
    }


def made_static_files(config: Config) -> dict[str, str]:
    """Return the files for `_static` that depend on the book: their names there, and what they hold."""
    files = {_SETTINGS: mathjax_settings(config)}
    if texts := translations_script(config.language):
        files["translations.js"] = texts
    return files


def mathjax_settings(config: Config) -> str:
    """Return the script that tells MathJax, before it is loaded, what it must know."""
    mathjax = {
        "tex": {"macros": {name: _macro(text) for name, text in config.html.math_macros.items()}, "tags": "none"},
        # MyST marks what is a formula by these classes, and the rest of a page as none.
        "options": {
            "enableMenu": False,
            "processHtmlClass": "tex2jax_process|mathjax_process|math|output_area",
        },
    }
    return f"window.MathJax = {json.dumps(mathjax, sort_keys=True)};\n"


def _macro(text: str) -> str | list[str | int]:
    """MathJax wants the number of arguments of a macro that has any."""
    count = max((int(digit) for digit in "123456789" if f"#{digit}" in text), default=0)
    return [text, count] if count else text


def _leads_anywhere(link: HeaderLink) -> bool:
    # Existing books have placeholders that a script of theirs replaces.
    return bool(link.url) and not link.url.startswith("#")


def _from(config: Config, path: PurePosixPath) -> str:
    """Return where the copy of a book's file lies, relative to the folder of the notebooks."""
    return str(PurePosixPath(*([".."] * len(PurePosixPath(config.chapters).parts)), path))


def _present(config: Config, paths: Sequence[PurePosixPath]) -> list[PurePosixPath]:
    """Leave out files that the book lacks: those are reported elsewhere, in the book's terms."""
    files = ((path, config.root / path) for path in paths)
    return [path for path, file in files if file.is_file() and is_inside(file, config.root)]
