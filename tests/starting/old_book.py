"""A small book with a `config.ini` that uses every key that is carried over."""

from pathlib import Path

__all__ = ["CONFIG", "write_old_book"]

CONFIG = r"""[project]
name = my-book
title = Ein "Buch"
author = A, B, and C
copyright = 2023, all. 100%% free
lang = de

[build]
notebooks = *.md */*.md
resources = img/
exclusions = README.md contrib/*md
non-notebooks = drafts/*.md
dependencies = data/*.csv
eval_notebook = False
output_dir = out
html_dir = out/html
warning_is_error = True
tabs = pytorch, paddle, jax
sphinx_configs = numfig_format = {'figure': 'F%%s'}

[html]
header_links = ###_OTHER_###, ###_BASE_###/x, fas fa-book,
               Code, https://github.com/me/book, fab fa-github,
               Text, https://x.y/text, fas fa-link
favicon = static/favicon.png
html_logo = static/none.png
include_css = static/*.css
include_js = static/x.js

[pdf]
main_font = Some Serif
post_latex = ./static/main.py
bibfile = refs.bib
style = cambridge

[library]
version_file = lib/__init__.py

[library-pytorch]
lib_file = lib/torch.py
lib_name = torch
simple_alias = ones, exp(, concat -> cat, nn_Module -> nn.Module
fluent_alias = numpy -> detach().numpy, reshape
args_alias = sum2(a_1, keepdims=k) -> torch.sum(a_1, keepdim=k)
alias = size = lambda a: a.numel()
reverse_alias = d2l.size\(([\w\_\d]+)\) -> \1.numel()

[library-paddle]
lib_file = lib/paddle.py
lib_name = paddle
simple_alias = ones

[colab]
github_repo = pytorch, me/torch-notebooks
              jax, me/jax-notebooks
libs = pytorch, d2l, d2l==1
libs_header = What this notebook
    needs:
gpu_pattern = cuda
exclusions = *.html **/nothing.html

[sagemaker]
github_repo = me/pages

[slides]
top_right = <img height=80px src='http://x.y/logo.png'/>

[mistake]
nokey = 1
"""

_HEAD = '''\
"""The library."""
import torch

HEIGHT = 3

################# WARNING ################
# The code below is generated automatically.
'''
_INDEX = """\
# A Book
:label:`chap_book`

```toc
:numbered:

one/index
two
```
"""
_ONE = """\
# One
:label:`sec_one`

As :cite:`Legendre.1805` has it, see :numref:`fig_x`.

![A figure](../img/x.svg)
:label:`fig_x`

```{.python .input}
#@tab pytorch
def one(n):  #@save
    \"\"\"Return ones.\"\"\"
    return d2l.reshape(d2l.ones(n), (n, 1)) * HEIGHT
```

```{.python .input}
#@tab paddle, jax
def one(n):  #@save
    return d2l.ones(n)
```
"""
_TWO = """\
# Two

See :numref:`sec_one`.

```{.python .input}
#@tab all
d2l.size(d2l.concat([d2l.one(3), d2l.one(4)]))
```
"""
_WORKS = "@book{Legendre.1805,\n author = {Legendre, A.}, title = {Comets}, publisher = {Didot}, year = {1805}}\n"


def write_old_book(root: Path, config: str = CONFIG) -> Path:
    """Write the book; return its folder."""
    files = {
        "config.ini": config,
        "index.md": _INDEX,
        "one/index.md": _ONE,
        "two.md": _TWO,
        "README.md": "# Not a section\n",
        "refs.bib": _WORKS,
        "img/x.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4"/></svg>\n',
        "static/favicon.png": "",
        "static/a.css": "b { color: red }\n",
        "static/b.css": "i { color: red }\n",
        "static/x.js": "let x;\n",
        "static/main.py": "",
        "lib/__init__.py": '__version__ = "1.2.3"\n',
        "lib/torch.py": _HEAD + "def old(): ...\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
