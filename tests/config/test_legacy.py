import json
import pickle
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.config import HeaderLink, load_config
from d2lbuild.config.types import Elsewhere, Translation
from d2lbuild.errors import ConfigError

Write = Callable[[str, str], Path]
Wrong = Callable[[], list[str]]

WHOLE = r"""[project]
# names the files
name = my-book
title = Ein Buch
author = A, B, and C
copyright = 2023, all. 100%% free
release = 1.0.3
lang = de

[build]
notebooks = *.md */*.md
resources = img/ lib/
            refs.bib, setup.py
exclusions = README.md contrib/*md ../secret/*.md
non-notebooks = drafts/*.md
dependencies = data/*.csv
eval_notebook = False
tabs = PyTorch, paddle,
       jax
sphinx_configs = numfig_format = {'figure': '图%%s'}
    extensions = [']']

[html]
header_links = ###_OTHER_###, ###_BASE_###/x, fas fa-book,
               Code, https://github.com/me/book, fab fa-github,
               中文版, https://zh.x.y, fas fa-link
favicon = static/favicon.png
html_logo = static/none.png
include_css = static/*.css

[pdf]
post_latex = ./static/main.py
bibfile = refs.bib
style = cambridge

[library]
version_file = lib/__init__.py

[slides]
top_right = <img height=80px src='http://x.y/logo.png'/>
"""


@pytest.fixture
def whole(book: Path, write: Write) -> Path:
    for name in ("static/favicon.png", "static/b.css", "static/a.css", "refs.bib"):
        write(name, "")
    write("config.ini", WHOLE)
    return book


def test_values_arrive(whole: Path, defaults: Path) -> None:
    config = load_config(whole, defaults=defaults)
    assert config.source == whole / "config.ini"
    assert (config.name, config.title, config.author) == ("my-book", "Ein Buch", "A, B, and C")
    assert (config.copyright, config.release, config.language) == ("2023, all. 100% free", "1.0.3", "de")
    assert config.chapters == PurePosixPath()
    assert config.output == whole / "_build"
    assert [framework.name for framework in config.frameworks] == ["pytorch", "paddle", "jax"]
    assert config.default_framework == "pytorch"
    assert config.notebooks == ("*.md", "*/*.md")
    assert config.resources == ("img/", "lib/", "refs.bib", "setup.py")
    assert config.exclusions == ("README.md", "contrib/*md", "drafts/*.md")
    assert config.bibliography == (PurePosixPath("refs.bib"),)
    assert (config.execution.enabled, config.execution.data) == (False, ("data/*.csv",))
    assert config.html.header_links == (
        HeaderLink("Code", "https://github.com/me/book", "fab fa-github"),
        HeaderLink("中文版", "https://zh.x.y", "fas fa-link"),
    )
    assert (config.html.repository, config.html.branch) == ("https://github.com/me/book", "master")
    assert config.html.services == ()
    assert (config.html.favicon, config.html.logo) == (PurePosixPath("static/favicon.png"), None)
    assert config.html.css == (PurePosixPath("static/a.css"), PurePosixPath("static/b.css"))
    assert config.library.version_file == PurePosixPath("lib/__init__.py")
    assert config.pdf.post_latex is not None
    assert (config.pdf.post_latex.text, str(config.pdf.post_latex.span)) == ("static/main.py", "config.ini:32")
    assert config.legacy["pdf"]["style"] == "cambridge"
    assert config.legacy["slides"]["top_right"] == "<img height=80px src='http://x.y/logo.png'/>"
    assert config.legacy["build"]["sphinx_configs"] == "numfig_format = {'figure': '图%s'}\nextensions = [']']"
    assert pickle.loads(pickle.dumps(config)) == config


def test_what_is_odd_is_said_and_does_not_stop_the_book(whole: Path, defaults: Path) -> None:
    assert [str(finding) for finding in load_config(whole, defaults=defaults).findings] == [
        "config.ini:14: warning: [build] `exclusions`: `../secret/*.md` leaves the book: ignored [path-leaves-book]",
        (
            "config.ini:18: warning: nothing describes the framework `paddle`: it has no environment to run "
            "notebooks in (known are jax, pytorch; a new one is described in frameworks/paddle/framework.toml) "
            "[unknown-framework]"
        ),
        (
            "config.ini:20: note: [build] `sphinx_configs` is Python code for Sphinx: it is never run unasked "
            "[code-not-run]"
        ),
        (
            "config.ini:24: note: [html] `header_links`: `###_OTHER_###` holds a place for a script to fill in: "
            "left out [placeholder]"
        ),
        "config.ini:28: warning: [html] `html_logo`: there is no file static/none.png: ignored [missing-file]",
        (
            "config.ini:32: note: [pdf] `post_latex` is a program: it is never run unasked (`d2lbuild build --to pdf "
            "--run-post-latex` runs it) [code-not-run]"
        ),
    ]


def test_unknown_names_are_warnings_with_the_nearest_known_one(book: Path, defaults: Path, write: Write) -> None:
    write(
        "config.ini",
        "[build]\ntabs = jax\ndependences = x\neval_notebooks = False\nfavicon = f\n[htlm]\na = b\n"
        "[library-jaxx]\nlib_name = j\n[library-jax]\nsimple_aliases = ones\n",
    )
    config = load_config(book, defaults=defaults)
    assert [str(finding) for finding in config.findings] == [
        (
            "config.ini:3: warning: key `dependences` of [build] is not known: ignored (did you mean "
            "`dependencies`?) [unknown-key]"
        ),
        (
            "config.ini:4: warning: key `eval_notebooks` of [build] is not known: ignored (did you mean "
            "`eval_notebook`?) [unknown-key]"
        ),
        "config.ini:5: warning: key `favicon` of [build] is not known: ignored (it belongs in [html]) [unknown-key]",
        "config.ini:6: warning: section [htlm] is not known: ignored (did you mean `html`?) [unknown-section]",
        (
            "config.ini:8: warning: section [library-jaxx] is of no use: `tabs` does not name `jaxx` (did you "
            "mean `jax`?) [unknown-framework]"
        ),
        (
            "config.ini:11: warning: key `simple_aliases` of [library-jax] is not known: ignored (did you mean "
            "`simple_alias`?) [unknown-key]"
        ),
    ]


def test_wrong_values_are_errors_all_at_once(write: Write, wrong: Wrong) -> None:
    write("config.ini", "[build]\ntabs = jax, all\neval_notebook = perhaps\nwarning_is_error = 2\nnothing\n")
    assert wrong() == [
        "config.ini:2: error: [build] `tabs`: no framework can be called `all` [bad-value]",
        "config.ini:3: error: [build] `eval_notebook` must be True or False, is `perhaps` [bad-value]",
        "config.ini:4: error: [build] `warning_is_error` must be True or False, is `2` [bad-value]",
        "config.ini:5: error: is neither `key = value` nor [section] (indent it to continue a value) [syntax]",
    ]


def test_a_file_that_is_not_utf8(write: Write, wrong: Wrong) -> None:
    write("config.ini", "").write_bytes(b"[project]\ntitle = \xff\n")
    (finding,) = wrong()
    assert finding.startswith("config.ini:2: error: is not UTF-8: byte 0xff cannot stand here")


def test_a_book_that_says_nothing_still_has_values(book: Path, defaults: Path, write: Write) -> None:
    write("config.ini", "")
    write("index.md", "\n# The *Title*\n\ntext\n")
    config = load_config(book, defaults=defaults)
    assert (config.name, config.title, config.release, config.language) == ("my book ü", "The *Title*", "", "en")
    assert config.default_framework == "python"
    assert config.notebooks == ("**/*.md",)
    assert [str(finding) for finding in config.findings] == [
        "note: [build] names no `tabs`: the book has one edition, called `python` [no-frameworks]"
    ]


def test_without_tabs_the_notebooks_say_what_the_language_is(book: Path, defaults: Path, write: Write) -> None:
    write("config.ini", "[build]\nnotebooks = *.md\n")
    for number, language in enumerate(["java", "Java", "python", ""]):
        kernel = {"name": "x", "display_name": "x"} | ({"language": language} if language else {})
        write(f"chapter/{number}.ipynb", json.dumps({"cells": [], "metadata": {"kernelspec": kernel}}))
    assert load_config(book, defaults=defaults).default_framework == "java"
    write("broken.ipynb", "{")
    write("list.ipynb", "[]")
    write("chapter/5.ipynb", '{"metadata": 1}')
    write("chapter/6.ipynb", json.dumps({"metadata": {"language_info": {"name": "java"}}}))
    write("chapter/7.ipynb", json.dumps({"metadata": {"language_info": {"name": "java"}}}))
    (framework,) = load_config(book, defaults=defaults).frameworks
    assert (framework.name, framework.title, framework.language, framework.comment) == ("java", "Java", "java", "//")


def test_a_language_that_nobody_knows_is_no_framework(book: Path, defaults: Path, write: Write) -> None:
    write("config.ini", "[build]\nnotebooks = *.md\n")
    write("one.ipynb", json.dumps({"metadata": {"kernelspec": {"language": "brain fog"}}}))
    assert load_config(book, defaults=defaults).frameworks[0].language == "python"


def test_without_a_release_the_library_tells_it(book: Path, defaults: Path, write: Write) -> None:
    write("config.ini", "[build]\ntabs = jax\n[library]\nversion_file = d2l/__init__.py\n")
    assert load_config(book, defaults=defaults).release == ""
    write("d2l/__init__.py", '"""Doc."""\n__version__ = "2.0"\n')
    assert load_config(book, defaults=defaults).release == "2.0"


def test_folders_of_sources_and_outputs(book: Path, defaults: Path, write: Write) -> None:
    write("config.ini", "[build]\ntabs = jax\nsource_dir = docs/\noutput_dir = out\n")
    config = load_config(book, defaults=defaults)
    assert (config.chapters, config.output) == (PurePosixPath("docs"), book / "out")
    write("config.ini", "[build]\ntabs = jax\noutput_dir = .\n")
    assert load_config(book, defaults=defaults).output == book / "_build"


@pytest.mark.parametrize("key", ["output_dir = ../out", "source_dir = /etc", "resources = /etc/passwd"])
def test_a_path_that_leaves_the_book_is_not_used(book: Path, defaults: Path, write: Write, key: str) -> None:
    write("config.ini", f"[build]\ntabs = jax\n{key}\n")
    config = load_config(book, defaults=defaults)
    assert (config.chapters, config.output, config.resources) == (PurePosixPath(), book / "_build", ())
    assert [finding.rule for finding in config.findings] == ["path-leaves-book"]


def test_patterns_that_only_the_old_tool_takes_still_work(book: Path, defaults: Path, write: Write) -> None:
    write("static/a.css", "")
    write("config.ini", "[build]\ntabs = jax\n[html]\ninclude_css = static/**.css\n")
    assert load_config(book, defaults=defaults).html.css == (PurePosixPath("static/a.css"),)


def test_odd_header_links_are_cut_and_reported(book: Path, defaults: Path, write: Write) -> None:
    write("config.ini", "[build]\ntabs = jax\n[html]\nheader_links = A, http://a, i, B,\n  http://b\n")
    config = load_config(book, defaults=defaults)
    assert config.html.header_links == (HeaderLink("A", "http://a", "i"),)
    assert [str(finding.span) for finding in config.findings] == ["config.ini:4"]


def test_a_definition_that_is_wrong_fails_an_existing_book_too(book: Path, defaults: Path, write: Write) -> None:
    write("config.ini", "[build]\ntabs = jax\n")
    (defaults / "jax" / "framework.toml").write_text("title = 1\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(book, defaults=defaults)
    assert [finding.rule for finding in caught.value.findings] == ["bad-value", "missing-key"]


def test_notebooks_elsewhere_have_a_repository_for_each_framework(book: Path, defaults: Path, write: Write) -> None:
    write(
        "config.ini",
        "[build]\ntabs = jax, pytorch\n"
        "[colab]\ngithub_repo = JAX, me/colab\n    torch, me/other\n    pytorch, nowhere\n"
        "[sagemaker]\ngithub_repo = me/all\n",
    )
    config = load_config(book, defaults=defaults)
    studio = "https://studiolab.sagemaker.aws/import/github/me/all/blob/main/{section}.ipynb"
    assert [(one.name, one.addresses) for one in config.html.services] == [
        ("Colab", {"jax": "https://colab.research.google.com/github/me/colab/blob/master/{section}.ipynb"}),
        ("SageMaker Studio Lab", {"jax": studio, "pytorch": studio}),
    ]
    assert [str(finding) for finding in config.findings] == [
        (
            "config.ini:5: warning: [colab] `github_repo` names `torch`, which is not in `tabs`: ignored "
            "(did you mean `pytorch`?) [unknown-framework]"
        ),
        (
            "config.ini:6: warning: [colab] `github_repo`: `nowhere` is no repository on GitHub: ignored "
            "(write it as owner/name) [bad-value]"
        ),
    ]


def test_what_notebooks_elsewhere_install(book: Path, defaults: Path, write: Write) -> None:
    write(
        "config.ini",
        "[project]\nrelease = 1.2\n[build]\ntabs = jax, pytorch\n"
        "[colab]\nreplace_svg_url = img, https://x.y/_images\n"
        "libs = jax, d2l, d2l==RELEASE\n    JAX, flax, -U flax>=0.8,<1\n    torch, d2l, d2l\n"
        "[sagemaker]\nkernel = jax, conda_jax\n    torch, none\nlibs = pytorch, d2l, ..  # installing d2l\n",
    )
    config = load_config(book, defaults=defaults)
    assert config.elsewhere == {
        "colab": Elsewhere({"jax": ("d2l==1.2", "-U flax>=0.8,<1")}, images=(("img", "https://x.y/_images"),)),
        "sagemaker": Elsewhere({"pytorch": (".",)}, {"jax": "conda_jax"}),
    }
    assert [finding.rule for finding in config.findings] == ["bad-value"]
    assert config.translation is None


def test_what_holds_for_notebooks_elsewhere_in_all_frameworks(book: Path, defaults: Path, write: Write) -> None:
    write(
        "config.ini",
        "[project]\nrelease = 1.2\n[build]\ntabs = jax, pytorch\n"
        "[colab]\ngithub_repo = me/all\nlibs = d2l, d2l==RELEASE\n    jax, flax, flax>=0.8,<1\n    nothing\n"
        "libs_header = What is **needed**\n    here.\ngpu_pattern = num_gpus()\n"
        "exclusions = *.html, **/index.html a/*\n"
        "[sagemaker]\nkernel = conda_python3\nlibs_header = Installing:\n",
    )
    config = load_config(book, defaults=defaults)
    assert config.elsewhere == {
        "colab": Elsewhere(
            {"jax": ("d2l==1.2", "flax>=0.8,<1"), "pytorch": ("d2l==1.2",)},
            header="What is **needed** here.",
            gpu_pattern="num_gpus()",
            exclusions=("*", "**/index", "a/*"),
        ),
        "sagemaker": Elsewhere(kernels={"jax": "conda_python3", "pytorch": "conda_python3"}, header="Installing:"),
    }
    assert [(finding.rule, str(finding.span)) for finding in config.findings] == [("bad-value", "config.ini:9")]


def test_a_translation_says_so(book: Path, defaults: Path, write: Write) -> None:
    write("config.ini", "[translation]\norigin_repo = me/book\n[build]\ntabs = jax\n")
    assert load_config(book, defaults=defaults).translation == Translation()


def test_what_is_not_supported_is_told(book: Path, defaults: Path, write: Write) -> None:
    write("index.md", "")
    write("config.ini", "[project]\ntitle = T\n[build]\ntabs = pytorch\nindex = start\nrsts = a.rst\n")
    found = [str(one) for one in load_config(book, defaults=defaults).findings]
    assert any("`index` is `start`: the table of contents always starts from `index`" in one for one in found)
    assert any("`rsts`: files in reStructuredText are not read" in one for one in found)


def test_files_that_are_not_utf8_are_errors(book: Path, write: Write, wrong: Wrong) -> None:
    write(
        "config.ini", "[library]\nversion_file = v.py\n[library-pytorch]\nlib_file = lib.py\n[build]\ntabs = pytorch\n"
    )
    for name in ("v.py", "index.md", "lib.py"):
        write(name, "").write_bytes(b"# a\n\xff")
    assert {one.split(":")[0] for one in wrong() if "UTF-8" in one} == {"index.md", "lib.py", "v.py"}


def test_a_book_without_a_title_or_a_heading_has_that_of_its_folder(book: Path, defaults: Path, write: Write) -> None:
    write("index.md", "No heading.\n")
    write("config.ini", "[build]\ntabs = pytorch\n")
    assert load_config(book, defaults=defaults).title == book.name


def test_a_line_of_libs_without_a_framework_is_passed_over(book: Path, defaults: Path, write: Write) -> None:
    write("index.md", "# T\n")
    write("config.ini", "[build]\ntabs = pytorch\n[colab]\nlibs = , a\n    pytorch, b, c==1\n")
    config = load_config(book, defaults=defaults)
    assert config.elsewhere["colab"].install == {"pytorch": ("c==1",)}
