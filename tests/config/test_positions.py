import tomllib

from d2lbuild.config.positions import Key, positions

HAIRY = '''\
# a comment with [brackets] and = signs
top = "a \\" # no comment" # a comment
'quoted key'."and another" = 1

[book]   # the table
frameworks = [ # in order
  "pytorch", # "mxnet",
  'jax',
]
text = """
not = "a key"
[not_a_table]
"""
literal = \'\'\'it's
x = 1\'\'\'
dotted.deep.key = true
when = 1979-05-27 07:32:00
inline = { a = 1, b = [1, 2, { c = "}" }], "d.e" = {} }
empty = []

[[html.header_links]]
name = "One"
[html.header_links.more]
x = 1

[[html.header_links]]
name = "Two"
[a.b]
c = """ends with two quotes"""""
last = 1
'''


def paths(value: object, at: Key = ()) -> list[Key]:
    found = [at] if at else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += paths(inner, (*at, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            found += paths(inner, (*at, index))
    return found


def test_every_key_and_element_has_a_line() -> None:
    assert set(positions(HAIRY)) == set(paths(tomllib.loads(HAIRY)))


def test_lines_are_those_of_the_keys() -> None:
    lines = positions(HAIRY)
    assert lines["top",] == 2
    assert lines["quoted key", "and another"] == 3
    assert lines["book",] == 5
    assert lines["book", "frameworks"] == 6
    assert lines["book", "frameworks", 1] == 8
    assert lines["book", "literal"] == 14
    assert lines["book", "inline", "b", 2, "c"] == 18
    assert lines["html", "header_links", 0, "more", "x"] == 24
    assert lines["html", "header_links", 1, "name"] == 27
    assert lines["a", "b", "last"] == 30


def test_an_empty_text_has_none() -> None:
    assert positions("") == {}
    assert positions("# only a comment") == {}
