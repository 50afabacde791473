import pickle
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.config import HeaderLink, load_config
from d2lbuild.config.types import Elsewhere, NotebookService, Text, Translation
from d2lbuild.model import Needs, Span

Write = Callable[[str, str], Path]
Wrong = Callable[[], list[str]]

SMALL = '[book]\nname = "b"\ntitle = "B"\nframeworks = ["pytorch"]\nchapters = "."\n'


def test_a_small_book_has_sensible_values_for_the_rest(book: Path, defaults: Path, write: Write) -> None:
    write("conf/book.toml", SMALL.replace('chapters = "."\n', ""))
    write("conf/references.bib", "")
    (book / "chapters").mkdir()
    config = load_config(book, defaults=defaults)
    assert (config.root, config.source) == (book, book / "conf/book.toml")
    assert config.chapters == PurePosixPath("chapters")
    assert config.bibliography == (PurePosixPath("conf/references.bib"),)
    assert config.notebooks == ("**/*.md", "**/*.ipynb")
    assert config.output == book / "_build"
    assert config.language == "en"
    assert config.default_framework == "pytorch"
    assert config.execution.enabled
    assert config.findings == ()
    assert config.legacy == {}


def test_every_key_arrives(book: Path, defaults: Path, write: Write) -> None:
    for name in ("a.bib", "static/f.png", "static/l.svg", "static/a.css", "static/a.js"):
        write(name, "")
    write("text/index.md", "")
    write("text/cnn/lenet.md", "")
    write(
        "conf/book.toml",
        """
        [book]
        name = "book-1.0"
        title = "Ein Buch über x"
        authors = ["A", "B", "C"]
        copyright = "2024, all"
        release = "1.0"
        language = "zh_CN"
        frameworks = ["jax", "pytorch"]
        chapters = "text/"
        notebooks = ["*.md"]
        exclusions = ["README.md"]
        resources = ["img/"]
        bibliography = ["a.bib"]
        [html]
        header_links = [{ name = "Code", url = "https://x.y" }, { name = "PDF", url = "b.pdf", icon = "file" }]
        favicon = "static/f.png"
        logo = "static/l.svg"
        css = ["static/a.css"]
        javascript = ["static/a.js"]
        repository = "https://x.y/z"
        stderr = "show"
        branch = "dev"
        site_url = "https://book.x.y/en"
        image = "static/l.svg"
        forum = "https://forum.x.y/t/"
        pdf = "https://x.y/{framework}.pdf"
        [html.notebooks]
        binder = "https://b.x/{framework}?path={section}.ipynb"
        [html.math_macros]
        RR = '\\mathbb{R}'
        [library]
        package = "mylib"
        version_file = "mylib/__init__.py"
        [execution]
        enabled = false
        timeout = 30
        startup_timeout = 1.5
        max_output = 10
        data = ["data/**"]
        keep = ["data", "models/big"]
        pass_variables = ["MY_TOKEN"]
        fork = false
        sandbox = true
        memory = "1.5GiB"
        threads = 3
        shared_cache = "s3://bucket/results"
        shared_cache_writable = true
        [execution.sections."cnn/lenet"]
        gpus = 1
        gpu_memory = "8GiB"
        uses_gpu = true
        memory = "500MB"
        timeout = 900
        packages = ["networkx==3.3"]
        [execution.sections.cnn]
        [output]
        folder = "out/all"
        """,
    )
    config = load_config(book, defaults=defaults)
    assert config.author == "A, B and C"
    assert (config.name, config.title, config.copyright) == ("book-1.0", "Ein Buch über x", "2024, all")
    assert (config.release, config.language) == ("1.0", "zh_CN")
    assert [framework.name for framework in config.frameworks] == ["jax", "pytorch"]
    assert config.chapters == PurePosixPath("text")
    assert (config.notebooks, config.exclusions, config.resources) == (("*.md",), ("README.md",), ("img/",))
    assert config.bibliography == (PurePosixPath("a.bib"),)
    assert config.html.header_links == (HeaderLink("Code", "https://x.y"), HeaderLink("PDF", "b.pdf", "file"))
    assert config.html.favicon == PurePosixPath("static/f.png")
    assert config.html.logo == PurePosixPath("static/l.svg")
    assert config.html.css == (PurePosixPath("static/a.css"),)
    assert config.html.javascript == (PurePosixPath("static/a.js"),)
    assert config.html.repository == "https://x.y/z"
    assert config.html.stderr
    assert (config.html.repository, config.html.branch) == ("https://x.y/z", "dev")
    assert (config.html.site_url, config.html.image) == ("https://book.x.y/en/", PurePosixPath("static/l.svg"))
    assert config.html.forum == "https://forum.x.y/t/"
    assert config.html.pdf == {"jax": "https://x.y/jax.pdf", "pytorch": "https://x.y/pytorch.pdf"}
    assert config.html.services == (
        NotebookService(
            "Binder",
            {
                "jax": "https://b.x/jax?path={section}.ipynb",
                "pytorch": "https://b.x/pytorch?path={section}.ipynb",
            },
        ),
    )
    assert config.html.math_macros == {"RR": r"\mathbb{R}"}
    assert (config.library.package, config.library.version_file) == ("mylib", PurePosixPath("mylib/__init__.py"))
    assert (config.execution.enabled, config.execution.timeout, config.execution.startup_timeout) == (False, 30, 1.5)
    assert (config.execution.max_output, config.execution.data) == (10, ("data/**",))
    run = config.execution
    assert (run.keep, run.pass_variables) == (("data", "models/big"), ("MY_TOKEN",))
    assert (run.fork, run.sandbox, run.memory, run.threads) == (False, True, 3 * 2**29, 3)
    assert (run.shared_cache, run.shared_cache_writable) == ("s3://bucket/results", True)
    assert run.sections == {
        "cnn": Needs(origin="conf/book.toml:56"),
        "cnn/lenet": Needs(1, 8 * 2**30, True, 500_000_000, 900, ("networkx==3.3",), "conf/book.toml:49"),
    }
    assert config.output == book / "out/all"
    assert pickle.loads(pickle.dumps(config)) == config


def test_the_program_for_latex_has_a_place_and_must_exist(
    book: Path, defaults: Path, write: Write, wrong: Wrong
) -> None:
    write("conf/book.toml", SMALL + '[pdf]\npost_latex = "conf/change.py"\n')
    (message,) = wrong()
    assert message.startswith("conf/book.toml:7: error: [pdf] `post_latex`: there is no file conf/change.py")
    write("conf/change.py", "")
    program = load_config(book, defaults=defaults).pdf.post_latex
    assert program == Text("conf/change.py", Span(PurePosixPath("conf/book.toml"), 7, 7))


@pytest.mark.parametrize(
    ("written", "there"), [("", ""), ("../cache", "cache"), ("/mnt/cache", "/mnt/cache"), ("https://x.y/z", "")]
)
def test_the_shared_cache_is_an_address_or_an_absolute_folder(
    book: Path, defaults: Path, write: Write, written: str, there: str
) -> None:
    write("conf/book.toml", SMALL + f'[execution]\nshared_cache = "{written}"\n')
    found = load_config(book, defaults=defaults).execution.shared_cache
    assert found == (str(book.parent / there) if there else written)


@pytest.mark.parametrize(
    ("rest", "messages"),
    [
        (
            'memory = "4"\nkeep = ["../x", 1]',
            [
                '7: error: [execution] `memory` must be a size such as `4GiB` or `500MB`, is "4"',
                '8: error: [execution] `keep[0]` must be a path with `/` that does not leave the book, is "../x"',
                "8: error: [execution] `keep[1]` must be text in quotes, is 1",
            ],
        ),
        ("memory = 4", ["7: error: [execution] `memory` must be a size such as `4GiB` or `500MB`, is 4"]),
        ('memory = "0GiB"', ["7: error: [execution] `memory` must be a size such as `4GiB` or `500MB`"]),
        ('keep = ["a", "a"]', ["7: error: [execution] `keep` names `a` twice"]),
        ('pass_variables = ["A B"]', ["7: error: [execution] `pass_variables[0]` is not the name of an environment"]),
        ("shared_cache_writable = true", ["6: error: [execution] has `shared_cache_writable`, but no `shared_cache`"]),
        ("gpus = 1", ["7: error: key [execution] `gpus` is not known (it belongs in [execution.sections])"]),
        (
            '[execution.sections.cnn]\ngpu = 1\ngpus = -1\npackages = ["x>=1"]\n[execution.sections.cnm]',
            [
                "8: error: key [execution] `sections.cnn.gpu` is not known (did you mean `gpus`?)",
                "9: error: [execution] `sections.cnn.gpus` must be greater than or equal to 0, is -1",
                "10: error: [execution] `sections.cnn.packages[0]` must name one version of one package, such as",
            ],
        ),
        (
            '[execution.sections.cnm]\n[execution.sections."cnn/page.md"]',
            [
                "7: error: [execution] `sections` has `cnm`, but . has no such section or folder (did you mean `cnn",
                (
                    "8: error: [execution] `sections` has `cnn/page.md`, but . has no such section or folder "
                    "(did you mean `cnn/page`?)"
                ),
            ],
        ),
        (
            '[execution.sections."cnn/page"]\ngpus = 2\ngpu_memory = "1GB"',
            ["7: error: [execution] `sections.cnn/page` has `gpu_memory`, which shares one GPU, and several `gpus`"],
        ),
    ],
)
def test_wrong_ways_of_running_are_named_with_their_lines(
    write: Write, wrong: Wrong, rest: str, messages: list[str]
) -> None:
    write("cnn/page.md", "")
    write("conf/book.toml", SMALL + "[execution]\n" + rest + "\n")
    found = wrong()
    assert len(found) == len(messages)
    for finding, message in zip(found, messages, strict=True):
        assert finding.startswith(f"conf/book.toml:{message}")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('site_url = "book.x.y"', "`site_url` must be an address that begins with `https://` or `http://`"),
        ('forum = ""', "`forum` must be an address"),
        ('branch = " "', "`branch` must not be empty"),
        ('pdf = "https://x.y/{section}.pdf"', "`pdf` has `{section}`, where only `{framework}` can stand"),
        (
            'notebooks = { colab = "https://x.y/{page}" }',
            "`notebooks.colab` has `{page}`, where only `{framework}` and `{section}` can stand",
        ),
        ('image = "none.png"', "`image`: there is no file none.png"),
        ('notebooks = { kaggle = "https://x.y" }', "`notebooks.kaggle` is not known"),
    ],
)
def test_wrong_addresses_are_named_with_their_lines(write: Write, wrong: Wrong, line: str, message: str) -> None:
    write("conf/book.toml", f"{SMALL}[html]\n{line}\n")
    (found,) = wrong()
    assert found.startswith("conf/book.toml:7: error: ")
    assert message in found


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('cover = "a.gif"', "`cover` must be a .png, .jpg or .svg file"),
        ('cover = "none.png"', "[epub] `cover`: there is no file none.png"),
        ('style = "a.css"', "`style` is not known"),
    ],
)
def test_wrong_settings_of_epubs_are_named_with_their_lines(
    write: Write, wrong: Wrong, line: str, message: str
) -> None:
    write("conf/book.toml", f"{SMALL}[epub]\n{line}\n")
    (found,) = wrong()
    assert found.startswith("conf/book.toml:7: error: ")
    assert message in found


def test_all_problems_of_all_files_are_reported_at_once(write: Write, wrong: Wrong) -> None:
    write(
        "conf/book.toml",
        "[book]\n"  # 1
        'name = "a book"\n'
        'tittle = "B"\n'
        'frameworks = ["own", "jaxx"]\n'
        'favicon = "x.png"\n'  # 5
        'resources = ["img/",\n'
        '  "../other"]\n'
        "[htlm]\n"
        "[execution]\n"
        'timeout = "soon"\n'  # 10
        "startup_timeout = 0\n"
        "enabled = 1\n"
        "[[html.header_links]]\n"
        'name = ""\n',
    )
    write("frameworks/own/framework.toml", 'titel = "Own"\nmodule = "my-own"\n[aliases.simple]\n"a.b" = "x"\n')
    assert wrong() == [
        "conf/book.toml:1: error: [book] `title` is missing [missing-key]",
        (
            "conf/book.toml:2: error: [book] `name` must consist of letters, digits, `.`, `-` and `_`, since "
            'files are named after it, is "a book" [bad-value]'
        ),
        "conf/book.toml:3: error: key [book] `tittle` is not known (did you mean `title`?) [unknown-key]",
        (
            "conf/book.toml:4: error: [book] `frameworks` names `jaxx`, which nothing describes (did you mean "
            "`jax`?; a new one is described in frameworks/jaxx/framework.toml) [unknown-framework]"
        ),
        "conf/book.toml:5: error: key [book] `favicon` is not known (it belongs in [html]) [unknown-key]",
        (
            "conf/book.toml:7: error: [book] `resources[1]` must be a pattern with `/` that does not leave the "
            'book, is "../other" [bad-value]'
        ),
        "conf/book.toml:8: error: table [htlm] is not known (did you mean `html`?) [unknown-key]",
        'conf/book.toml:10: error: [execution] `timeout` must be a number, is "soon" [bad-value]',
        "conf/book.toml:11: error: [execution] `startup_timeout` must be greater than 0, is 0 [bad-value]",
        "conf/book.toml:12: error: [execution] `enabled` must be true or false, is 1 [bad-value]",
        "conf/book.toml:13: error: [html] `header_links[0].url` is missing [missing-key]",
        'conf/book.toml:14: error: [html] `header_links[0].name` must not be empty, is "" [bad-value]',
        "frameworks/own/framework.toml:1: error: `title` is missing [missing-key]",
        "frameworks/own/framework.toml:1: error: key `titel` is not known (did you mean `title`?) [unknown-key]",
        'frameworks/own/framework.toml:2: error: `module` must be a Python name, is "my-own" [bad-value]',
        'frameworks/own/framework.toml:4: error: [aliases] `simple.a.b` must be a Python name, is "a.b" [bad-key]',
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("frameworks = []", "[book] `frameworks` must not be empty"),
        ('frameworks = ["all"]', "cannot be called `all`, which means every framework"),
        ('frameworks = ["PyTorch"]', "must be a name of lower-case letters, digits and `_`"),
        ('frameworks = ["jax", "jax"]', "[book] `frameworks` names `jax` twice"),
        ("frameworks = 3", "[book] `frameworks` must be a list, is 3"),
        ('title = " "', "[book] `title` must not be empty"),
        ('chapters = "/etc"', "[book] `chapters` must be a path with `/` that does not leave the book"),
        ('chapters = "a/../.."', "[book] `chapters` must be a path with `/` that does not leave the book"),
        ('chapters = "a\\\\b"', "[book] `chapters` must be a path with `/` that does not leave the book"),
        ('chapters = "nowhere"', "[book] `chapters`: there is no folder nowhere"),
        ('bibliography = ["no.bib"]', "[book] `bibliography`: there is no file no.bib"),
        ('language = "a language"', "must be a language code such as `en` or `zh_CN`"),
        ('notebooks = ["**.md"]', "[book] `notebooks[0]` must have `**` only alone between slashes"),
        ("notebooks = []", "[book] `notebooks` must not be empty"),
    ],
)
def test_a_wrong_value_of_the_book_is_named_with_its_line(write: Write, wrong: Wrong, line: str, message: str) -> None:
    key = line.partition(" ")[0]
    kept = [written for written in SMALL.splitlines() if not written.startswith(f"{key} ")]
    write("conf/book.toml", "\n".join([*kept, line]))
    (finding,) = wrong()
    assert finding.startswith(f"conf/book.toml:{len(kept) + 1}: error: ")
    assert message in finding


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ('author = "A"\nauthors = ["B"]', "conf/book.toml:1: error: [book] has both `author` and `authors`"),
        ('[html]\nfavicon = "f.png"', "conf/book.toml:7: error: [html] `favicon`: there is no file f.png"),
        ("[html]\nmath_macros = { R = 1 }", "conf/book.toml:7: error: [html] `math_macros.R` must be text in quotes"),
        ('[html]\nstderr = "yes"', "conf/book.toml:7: error: [html] `stderr` must be 'remove' or 'show'"),
        ('[output]\nfolder = "."', "conf/book.toml:6: error: [output] folder must not be the book itself"),
        ("[execution]\ntimeout = nan", "conf/book.toml:7: error: [execution] `timeout` must be"),
        ("[execution]\ntimeout = inf", "conf/book.toml:7: error: [execution] `timeout` must be"),
        ("[execution]\nmax_output = 1.5", "conf/book.toml:7: error: [execution] `max_output` must be a whole number"),
        ("[library]\npackage = 'a-b'", "conf/book.toml:7: error: [library] `package` must be a Python name"),
        ("html = 1", "conf/book.toml:6: error: key [book] `html` is not known"),
    ],
)
def test_a_wrong_value_of_another_table(write: Write, wrong: Wrong, rest: str, message: str) -> None:
    write("conf/book.toml", SMALL + rest)
    (finding,) = wrong()
    assert finding.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[book]\nname = \n", "conf/book.toml:2:8: error: is not TOML: invalid value [syntax]"),
        ("[book]\nname = '''\n\n", "conf/book.toml:2: error: is not TOML: expected \"'''\""),
        ("[book]\na = 1\na = 2\n", "conf/book.toml:3:6: error: is not TOML: cannot overwrite a value [syntax]"),
        ("", "conf/book.toml:1: error: [book] is missing [missing-key]"),
        ("book = 1", "conf/book.toml:1: error: [book] must be a table, is 1 [bad-value]"),
    ],
)
def test_a_file_that_is_not_a_configuration(write: Write, wrong: Wrong, text: str, message: str) -> None:
    write("conf/book.toml", text)
    (finding,) = wrong()
    assert finding.startswith(message)


def test_a_file_that_is_not_utf8(book: Path, write: Write, wrong: Wrong) -> None:
    write("conf/book.toml", "").write_bytes(b'[book]\n# fine\ntitle = "\xe9"\n')
    assert wrong() == [
        "conf/book.toml:3: error: is not UTF-8: byte 0xe9 cannot stand here (save the file as UTF-8) [encoding]"
    ]


def test_a_byte_order_mark_and_windows_newlines_do_no_harm(book: Path, defaults: Path, write: Write) -> None:
    text = SMALL.replace("\n", "\r\n")
    write("conf/book.toml", "").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_config(book, defaults=defaults).title == "B"


def test_notebooks_may_be_elsewhere_for_each_framework(book: Path, defaults: Path, write: Write) -> None:
    conf = SMALL.replace('["pytorch"]', '["pytorch", "jax"]')
    write("conf/book.toml", f'{conf}[html.notebooks.colab]\njax = "https://x.y/{{framework}}/{{section}}"\n')
    assert load_config(book, defaults=defaults).html.services == (
        NotebookService("Colab", {"jax": "https://x.y/jax/{section}"}),
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            'notebooks.colab = { jaxx = "https://x.y" }',
            "`notebooks.colab` names `jaxx`, which is no framework of the book",
        ),
        ('notebooks.colab = { pytorch = "x.y" }', "`notebooks.colab.pytorch` must be an address"),
        ("notebooks.colab = 3", "`notebooks.colab` must be an address, or a table with an address for each framework"),
        ("notebooks.colab = { pytorch = 3 }", "`notebooks.colab.pytorch` must be text in quotes"),
    ],
)
def test_wrong_addresses_of_notebooks(write: Write, wrong: Wrong, line: str, message: str) -> None:
    write("conf/book.toml", f"{SMALL}[html]\n{line}\n")
    (found,) = wrong()
    assert found.startswith("conf/book.toml:7: error: ")
    assert message in found


def test_a_book_may_keep_its_library(book: Path, defaults: Path, write: Write) -> None:
    write("conf/book.toml", f'{SMALL}[library]\npackage = "mine"\nfolder = "src"\n')
    assert load_config(book, defaults=defaults).frameworks[0].library_file == PurePosixPath("src/mine/torch.py")
    write("conf/book.toml", f'{SMALL}[library]\nfolder = "."\n')
    assert load_config(book, defaults=defaults).frameworks[0].library_file == PurePosixPath("d2l/torch.py")
    write("conf/book.toml", SMALL)
    assert load_config(book, defaults=defaults).frameworks[0].library_file is None


def test_notebooks_for_services_and_a_translation(book: Path, defaults: Path, write: Write) -> None:
    tables = (
        '[html]\nversions = "../versions.json"\n[translation]\norigin = "../book@v1"\n'
        '[elsewhere.colab]\ninstall.pytorch = ["-U torch", "."]\nimages.img = "https://x.y/i"\n'
        'header = "Needs:"\ngpu_pattern = "cuda"\nexclusions = ["**/index"]\n'
        '[elsewhere.sagemaker]\nkernels.pytorch = "conda"\n'
    )
    write("conf/book.toml", SMALL + tables)
    config = load_config(book, defaults=defaults)
    assert config.elsewhere == {
        "colab": Elsewhere(
            {"pytorch": ("-U torch", ".")}, {}, (("img", "https://x.y/i"),), "Needs:", "cuda", ("**/index",)
        ),
        "sagemaker": Elsewhere(kernels={"pytorch": "conda"}),
    }
    assert config.translation == Translation("../book@v1")
    assert config.html.versions == "../versions.json"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('[elsewhere.colab]\ninstall.jaxx = ["."]', "`colab.install` names `jaxx`, which is no framework of the book"),
        ('[elsewhere.colab]\ninstall.pytorch = ["a\\nb"]', "must be one line of text"),
        ('[elsewhere.colab]\nimages.img = "i"', "must be an address"),
        ('[elsewhere.colab]\nheader = "a\\nb"', "must be one line of text"),
        ('[html]\nversions = "https://x.y/versions.json"', "must lead from the site's folder to a file"),
    ],
)
def test_wrong_tables_of_services(write: Write, wrong: Wrong, table: str, message: str) -> None:
    write("conf/book.toml", f"{SMALL}{table}\n")
    assert any(message in one for one in wrong())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("[check.words]\n'(' = 'no'", "is not a usable regular expression"),
        ("[check.words]\n'x*' = 'no'", "fits where there is nothing"),
        ("[pdf]\nmain_font = 'a{b}'", "must be the name of a family of fonts"),
        ("[pdf]\ndocument_class = 'my class.sty'", "must be a file that ends in .cls"),
    ],
)
def test_values_that_cannot_be_used(write: Write, wrong: Wrong, table: str, message: str) -> None:
    write("conf/book.toml", f"{SMALL}{table}\n")
    assert any(message in one for one in wrong())


def test_values_that_can(book: Path, defaults: Path, write: Write) -> None:
    write("conf/my-class.cls", "")
    write("conf/book.toml", f"{SMALL}[pdf]\nmain_font = 'Noto Serif'\ndocument_class = 'conf/my-class.cls'\n")
    assert load_config(book, defaults=defaults).pdf.main_font == "Noto Serif"
