import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from d2lbuild.config import Text, default_frameworks, load_config
from d2lbuild.model import Span

Write = Callable[[str, str], Path]
Wrong = Callable[[], list[str]]

BOOK = '[book]\nname = "b"\ntitle = "B"\nchapters = "."\nframeworks = ["own"]\n'
OWN = 'title = "Own"\nmodule = "own"\n'


def test_a_definition_of_the_book_goes_before_that_of_the_program(book: Path, defaults: Path, write: Write) -> None:
    write("conf/book.toml", BOOK.replace("own", "pytorch"))
    packaged = load_config(book, defaults=defaults).framework("pytorch")
    assert packaged.title == "PyTorch"
    assert packaged.lock == defaults / "pytorch/requirements.txt"
    assert packaged.requirements == defaults / "pytorch/requirements.in"
    assert packaged.header == Text("import torch\n", Span(PurePosixPath(defaults / "pytorch/header.py"), 1, 1))
    write("frameworks/pytorch/framework.toml", OWN)
    own = load_config(book, defaults=defaults).framework("pytorch")
    assert (own.title, own.module, own.lock, own.header) == ("Own", "own", None, None)


def test_every_key_of_a_definition_arrives(book: Path, defaults: Path, write: Write) -> None:
    write("conf/book.toml", BOOK)
    write("frameworks/own/requirements.txt", "x==1\n")
    write("frameworks/own/requirements-gpu.in", "x[gpu]\n")
    write("frameworks/own/requirements-gpu.txt", "x==1\ny==2\n")
    write("frameworks/own/header.py", "import x\n\nNAME = 1\n")
    write(
        "frameworks/own/framework.toml",
        'name = "own"\ntitle = "Own"\nmodule = "own_module"\nprefix = "x.np"\npackages = ["x", "y"]\npython = "3.12"\n'
        'interpreter = "env/bin/python"\npreload = ["x", "x.y"]\n'
        '[variables]\nX_LEVEL = "2"\n'
        '[aliases]\nsame = ["ones"]\n'
        '[aliases.simple]\nconcat = "cat"\nlog = "x.math.log"\n'
        '[aliases.fluent]\nnumpy = "detach().numpy"\n'
        '[aliases.args]\n"f(a_1, keepdims=k)" = "x.f(a_1, keepdim=k)"\n'
        '[aliases.plain]\nsize = "lambda a: a.numel()"\n'
        "[aliases.reverse]\n'd2l\\.size\\((\\w+)\\)' = '\\1.numel()'\n",
    )
    own = load_config(book, defaults=defaults).framework("own")
    assert (own.module, own.prefix, own.packages, own.python) == ("own_module", "x.np", ("x", "y"), "3.12")
    assert own.interpreter == book / "env/bin/python"
    assert own.variables == {"X_LEVEL": "2"}
    assert own.lock == book / "frameworks/own/requirements.txt"
    assert own.requirements is None
    assert own.gpu_requirements == book / "frameworks/own/requirements-gpu.in"
    assert own.gpu_lock == book / "frameworks/own/requirements-gpu.txt"
    assert own.preload == ("x", "x.y")
    assert (own.language, own.comment, own.kernel) == ("python", "#", ())
    assert own.library_file is None
    assert own.header == Text("import x\n\nNAME = 1\n", Span(PurePosixPath("frameworks/own/header.py"), 1, 3))
    assert own.aliases.simple == {"ones": "x.np.ones", "concat": "x.np.cat", "log": "x.math.log"}
    assert own.aliases.fluent == {"numpy": "detach().numpy"}
    assert own.aliases.args == (("f(a_1, keepdims=k)", "x.f(a_1, keepdim=k)"),)
    place = Span(PurePosixPath("frameworks/own/framework.toml"), 21, 21)
    assert own.aliases.plain == (Text("size = lambda a: a.numel()", place),)
    assert own.aliases.reverse == ((r"d2l\.size\((\w+)\)", r"\1.numel()"),)


def test_a_framework_of_another_language(book: Path, defaults: Path, write: Write) -> None:
    write("conf/book.toml", BOOK)
    write("frameworks/own/header.py", "this is no Python")
    command = '["{environment}/bin/jsk", "--file={connection_file}"]'
    write("frameworks/own/framework.toml", f'title = "JS"\nlanguage = "javascript"\n[kernel]\ncommand = {command}\n')
    own = load_config(book, defaults=defaults).framework("own")
    assert (own.module, own.language, own.comment) == ("own", "javascript", "//")
    assert own.kernel == ("{environment}/bin/jsk", "--file={connection_file}")
    assert own.header is None


def test_a_comment_sign_of_its_own(book: Path, defaults: Path, write: Write) -> None:
    write("conf/book.toml", BOOK)
    write("frameworks/own/framework.toml", 'title = "X"\nlanguage = "nobodys"\ncomment = "(*"\n')
    assert load_config(book, defaults=defaults).framework("own").comment == "(*"


def test_a_link_to_an_interpreter_is_not_followed(book: Path, defaults: Path, write: Write) -> None:
    write("conf/book.toml", BOOK)
    target = write("elsewhere/python", "")
    (book / "python").symlink_to(target)
    write("frameworks/own/framework.toml", OWN + 'interpreter = "./python"\n')
    assert load_config(book, defaults=defaults).framework("own").interpreter == book / "python"


def test_an_interpreter_in_the_home_of_nobody_does_no_harm(book: Path, defaults: Path, write: Write) -> None:
    write("conf/book.toml", BOOK)
    write("frameworks/own/framework.toml", OWN + 'interpreter = "~nobody-has-this-name/python"\n')
    interpreter = load_config(book, defaults=defaults).framework("own").interpreter
    assert interpreter == book / "~nobody-has-this-name/python"


def test_a_folder_without_a_definition_is_reported(book: Path, defaults: Path, write: Write) -> None:
    write("conf/book.toml", BOOK.replace("own", "pytorch"))
    write("frameworks/pytorch/requirements.txt", "torch==1.0\n")
    config = load_config(book, defaults=defaults)
    assert config.framework("pytorch").lock == defaults / "pytorch/requirements.txt"
    assert [str(finding) for finding in config.findings] == [
        "warning: the folder frameworks/pytorch has no framework.toml: nothing in it is used [missing-file]"
    ]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ('name = "other"', "3: error: `name` must be that of its folder, `own`, is `other`"),
        ('python = "3"', "3: error: `python` must be a Python version such as `3.11`"),
        ("python = 3.11", "3: error: `python` must be text in quotes, is 3.11"),
        ('prefix = "a-b"', "3: error: `prefix` must be Python names joined by dots"),
        ('preload = ["a-b"]', "3: error: `preload[0]` must be Python names joined by dots"),
        ('language = "Java"', "3: error: `language` must be the name of a language in lower case, such as `java`"),
        ('language = "nobodys"', "1: error: the file needs `comment`, what begins a comment in nobodys"),
        ('comment = "rem"', "3: error: `comment` must be what begins a comment, such as `#` or `//`"),
        (
            'language = "java"\nprefix = "x"\n[aliases]\nsame = ["ones"]',
            "1: error: the file has aliases, which only code in Python can have, not java",
        ),
        ("[kernel]\ncommand = []", "4: error: [kernel] `command` must not be empty"),
        ('[kernel]\ncommand = ["k"]', "3: error: [kernel] needs `{connection_file}` in its command"),
        (
            '[kernel]\ncommand = ["{env}/k", "{connection_file}"]',
            "3: error: [kernel] has `{env}` in its command, where `{connection_file}` and `{environment}` are known",
        ),
        ("[kernel]", "3: error: [kernel] `command` is missing"),
        ("[variables]\nX = 1", "4: error: [variables] `X` must be text in quotes, is 1"),
        ('[variables]\n"A=B" = "1"', "4: error: [variables] `A=B` is not the name of an environment variable"),
        ('[aliases]\nsame = ["ones"]', "1: error: the file needs a `prefix`, since the alias `ones` stands for a name"),
        ('[aliases.simple]\na = "1 +"', "4: error: [aliases] `simple.a` must be a Python expression"),
        ('[aliases.fluent]\na = "(1"', "4: error: [aliases] `fluent.a` must be what follows `x.`"),
        ('[aliases.args]\n"f" = "1"', "4: error: [aliases] `args.f` must be a call with names as arguments"),
        ('[aliases.args]\n"f(1)" = "1"', "4: error: [aliases] `args.f(1)` must be a call with names as arguments"),
        ('[aliases.plain]\na = "b = 1"', "4: error: [aliases] `plain.a` must be a Python expression"),
        ('[aliases.plain]\na = "1"\n[aliases.fluent]\na = "b"', "3: error: [aliases] defines `a` twice"),
        ("[aliases.reverse]\n'(' = ''", "3: error: [aliases] reverse: `(` is not a usable regular expression"),
        ("[aliases.reverse]\n'a' = '\\1'", "3: error: [aliases] reverse: `a` is not a usable regular expression"),
        ("[aliases]\nsimpel = {}", "4: error: key [aliases] `simpel` is not known (did you mean `simple`?)"),
    ],
)
def test_a_wrong_definition_is_named_with_its_line(write: Write, wrong: Wrong, rest: str, message: str) -> None:
    write("conf/book.toml", BOOK)
    write("frameworks/own/framework.toml", OWN + rest)
    (finding,) = wrong()
    assert finding.startswith(f"frameworks/own/framework.toml:{message}")


def test_odd_but_possible_code_and_patterns_pass_without_python_warning(
    book: Path, defaults: Path, write: Write
) -> None:
    write("conf/book.toml", BOOK)
    write("frameworks/own/framework.toml", OWN + "[aliases.plain]\na = '\"\\d\"'\n[aliases.reverse]\n'[[a]' = 'b'\n")
    aliases = load_config(book, defaults=defaults).framework("own").aliases
    assert [text.text for text in aliases.plain] == ['a = "\\d"']
    assert aliases.reverse == (("[[a]", "b"),)


def test_a_header_that_is_not_python(write: Write, wrong: Wrong) -> None:
    write("conf/book.toml", BOOK)
    write("frameworks/own/framework.toml", OWN)
    write("frameworks/own/header.py", "import x\nimport\n")
    (finding,) = wrong()
    assert finding.startswith("frameworks/own/header.py:2: error: is not Python: ")


def test_the_four_definitions_of_the_program_are_sound(book: Path, write: Write) -> None:
    names = ["pytorch", "mxnet", "tensorflow", "jax"]
    assert {path.parent.name for path in default_frameworks().glob("*/framework.toml")} >= set(names)
    write("conf/book.toml", BOOK.replace('["own"]', str(names)))
    config = load_config(book)
    assert [framework.title for framework in config.frameworks] == ["PyTorch", "MXNet", "TensorFlow", "JAX"]
    assert [framework.module for framework in config.frameworks] == ["torch", "mxnet", "tensorflow", "jax"]
    assert all(framework.packages and framework.python for framework in config.frameworks)
    for name in ("ones", "concat", "tensor", "matmul", "nn_Module"):
        assert all(name in framework.aliases.simple for framework in config.frameworks), name


@pytest.mark.parametrize("number", range(2))
def test_the_examples_of_the_documentation_are_sound(book: Path, defaults: Path, write: Write, number: int) -> None:
    text = (Path(__file__).parents[2] / "docs" / "frameworks.md").read_text("utf-8")
    examples = [one for one in re.findall(r"^```toml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE) if "title" in one]
    assert len(examples) == 2
    write("conf/book.toml", BOOK)
    write("frameworks/own/framework.toml", examples[number])
    own = load_config(book, defaults=defaults).framework("own")
    assert own.comment == ("#" if own.is_python else "//")


def test_files_that_are_not_utf8(book: Path, write: Write, wrong: Wrong) -> None:
    write("conf/book.toml", BOOK)
    write("frameworks/own/framework.toml", "").write_bytes(b'title = "\xff"')
    assert any("frameworks/own/framework.toml:1: error: " in one and "UTF-8" in one for one in wrong())
    write("frameworks/own/framework.toml", OWN)
    write("frameworks/own/header.py", "").write_bytes(b"x = 1\ny = '\xff'")
    assert any("frameworks/own/header.py:2: error: " in one and "UTF-8" in one for one in wrong())


def test_a_pattern_of_a_call_that_is_not_python(write: Write, wrong: Wrong) -> None:
    write("conf/book.toml", BOOK)
    write("frameworks/own/framework.toml", OWN + "[aliases.args]\n'f(' = 'g()'\n")
    assert any("frameworks/own/framework.toml:" in one and "f(" in one for one in wrong())
