from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.config import Aliases, Framework, Text, load_config
from d2lbuild.config.legacy_library import hand_written
from d2lbuild.model import Span

Write = Callable[[str, str], Path]
Load = Callable[[str], Framework]

MODULE = """\
DATA = dict()
import torch

nn_Module = torch.nn.Module


#################   WARNING   ################
# The below part is generated automatically through:
#    d2lbook build lib
# Don't edit it directly

def f(): pass
"""


@pytest.fixture
def load(book: Path, defaults: Path, write: Write) -> Load:
    """Return the framework of a book with these lines in its section."""

    def framework(lines: str) -> Framework:
        write("config.ini", f"[build]\ntabs = pytorch\n[library-pytorch]\nlib_name = torch\n{lines}")
        return load_config(book, defaults=defaults).framework("pytorch")

    return framework


def test_without_a_section_the_definition_holds(book: Path, defaults: Path, write: Write) -> None:
    write("config.ini", "[build]\ntabs = pytorch\n")
    framework = load_config(book, defaults=defaults).framework("pytorch")
    assert framework.aliases.simple == {"ones": "torch.ones", "concat": "torch.cat"}
    assert framework.header is not None
    assert framework.header.text == "import torch\n"


def test_a_section_replaces_aliases_and_header_and_nothing_else(load: Load, defaults: Path) -> None:
    framework = load("lib_file = d2l/mytorch.py\nsimple_alias = zeros\n")
    assert framework.aliases.simple == {"zeros": "torch.zeros"}
    assert (framework.module, framework.library_file) == ("mytorch", PurePosixPath("d2l/mytorch.py"))
    assert framework.header is None
    assert (framework.title, framework.packages, framework.python) == ("PyTorch", ("torch",), "3.11")
    assert framework.lock == defaults / "pytorch/requirements.txt"


def test_simple_aliases_with_the_traps_of_real_books(load: Load) -> None:
    framework = load(
        "simple_alias = ones, exp(, tensor -> array,\n"
        "       randn -> random.randn, expand_dims\n"  # no comma at the end of the line
        "       rand->random.rand, log -> math.log,\n"
    )
    assert framework.aliases.simple == {
        "ones": "torch.ones",
        "exp": "torch.exp",
        "tensor": "torch.array",
        "randn": "torch.random.randn",
        "expand_dims": "torch.expand_dims",
        "rand": "torch.random.rand",
        "log": "torch.math.log",
    }


def test_fluent_aliases(load: Load) -> None:
    framework = load("fluent_alias = numpy -> detach().numpy, to,\n")
    assert framework.aliases.fluent == {"numpy": "detach().numpy", "to": "to"}


def test_args_plain_and_reverse_aliases_are_a_line_each(load: Load) -> None:
    framework = load(
        "args_alias = reduce_sum(a_1, axis=b) -> torch.sum(a_1, dim=b)\n"
        "alias =\n"
        "       # a comment\n"
        "       size = lambda a: a.numel()\n"
        "       pair = (1, 2)\n"
        "reverse_alias =\n"
        "       d2l.size\\(([\\w\\_\\d]+)\\) -> \\1.numel()\n"
        "       a -> b -> c\n"
    )
    assert framework.aliases.args == (("reduce_sum(a_1, axis=b)", "torch.sum(a_1, dim=b)"),)
    assert framework.aliases.plain == (
        Text("size = lambda a: a.numel()", Span(PurePosixPath("config.ini"), 8, 8)),
        Text("pair = (1, 2)", Span(PurePosixPath("config.ini"), 9, 9)),
    )
    assert framework.aliases.reverse == ((r"d2l.size\(([\w\_\d]+)\)", r"\1.numel()"), ("a -> b", "c"))


@pytest.mark.parametrize(
    ("lines", "warning"),
    [
        ("simple_alias = a b", "5: warning: [library-pytorch]: `a b -> a b` is not an alias"),
        ("fluent_alias = a -> (", "5: warning: [library-pytorch]: `a -> ` is not an alias"),
        ("args_alias = a -> b", "5: warning: [library-pytorch] `args_alias`: `a -> b` is not `f(a_1, key=k)"),
        ("reverse_alias = ( -> b", "5: warning: [library-pytorch] `reverse_alias`: `( -> b` is not usable: missing )"),
        (
            "reverse_alias = a -> \\2",
            "5: warning: [library-pytorch] `reverse_alias`: `a -> \\2` is not usable: invalid",
        ),
        ("reverse_alias = a", "5: warning: [library-pytorch] `reverse_alias`: `a` is not usable: there is no `->`"),
        ("lib_file = ../d2l/torch.py", "5: warning: [library-pytorch] `lib_file` must be a Python file of the book"),
        ("lib_file = d2l/torch", "5: warning: [library-pytorch] `lib_file` must be a Python file of the book"),
    ],
)
def test_what_cannot_be_used_is_left_out_with_a_warning(
    load: Load, book: Path, defaults: Path, lines: str, warning: str
) -> None:
    framework = load(lines)
    (finding,) = [str(finding) for finding in load_config(book, defaults=defaults).findings]
    assert finding.startswith(f"config.ini:{warning}")
    assert framework.library_file is None
    assert framework.aliases == Aliases()


def test_simple_aliases_need_something_to_hang_on(book: Path, defaults: Path, write: Write) -> None:
    write("config.ini", "[build]\ntabs = jax\n[library-jax]\nsimple_alias = ones\n")
    config = load_config(book, defaults=defaults)
    assert config.framework("jax").aliases.simple == {}
    assert [finding.rule for finding in config.findings] == ["missing-key"]


def test_a_framework_that_nothing_describes(book: Path, defaults: Path, write: Write) -> None:
    write(
        "config.ini",
        "[build]\ntabs = paddle\n[library-paddle]\nlib_file = d2l/paddle.py\nlib_name = paddle\nsimple_alias = ones\n",
    )
    config = load_config(book, defaults=defaults)
    framework = config.framework("paddle")
    assert (framework.title, framework.module, framework.lock) == ("Paddle", "paddle", None)
    assert framework.aliases.simple == {"ones": "paddle.ones"}
    assert [(finding.rule, str(finding.span)) for finding in config.findings] == [("unknown-framework", "config.ini:2")]


def test_an_existing_book_may_describe_its_own_framework(book: Path, defaults: Path, write: Write) -> None:
    write("config.ini", "[build]\ntabs = paddle\n")
    write("frameworks/paddle/framework.toml", 'title = "PaddlePaddle"\nmodule = "paddle"\n')
    config = load_config(book, defaults=defaults)
    assert config.framework("paddle").title == "PaddlePaddle"
    assert config.findings == ()


def test_the_hand_written_head_of_the_library_file_is_the_header(load: Load, write: Write) -> None:
    write("d2l/torch.py", MODULE)
    framework = load("lib_file = d2l/torch.py\n")
    text = "DATA = dict()\nimport torch\n\nnn_Module = torch.nn.Module\n"
    assert framework.header == Text(text, Span(PurePosixPath("d2l/torch.py"), 1, 4))


def test_the_package_is_the_folder_of_the_library_files(book: Path, defaults: Path, write: Write) -> None:
    write("config.ini", "[build]\ntabs = jax\n[library-jax]\nlib_file = mylib/jax.py\n")
    assert load_config(book, defaults=defaults).library.package == "mylib"


@pytest.mark.parametrize(
    ("text", "head"),
    [
        (MODULE[MODULE.index("####") :], ""),
        ("import torch\n", ""),
        ("# WARNING: slow\nimport torch\n", ""),
        ("", ""),
        ("a = 1\n# WARNING\n# generated automatically\n", "a = 1"),
    ],
)
def test_a_module_without_the_mark_or_with_nothing_above_it_has_no_head(text: str, head: str) -> None:
    assert hand_written(text) == head
