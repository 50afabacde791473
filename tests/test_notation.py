import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lbuild.notation import is_exact, parse_size, show_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GiB", 4 * 1024**3),
        ("500MB", 500_000_000),
        ("2G", 2 * 1024**3),
        ("1.5 gib", 3 * 1024**3 // 2),
        ("64k", 64 * 1024),
        ("1TB", 10**12),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "4", "4 bytes", "-1GiB", "GiB", "4PiB", "4GiBs", "four GiB", "4 Gi"])
def test_what_is_no_size(text: str) -> None:
    assert parse_size(text) is None


@pytest.mark.parametrize(
    ("size", "text"),
    [(512, "512 bytes"), (4 * 1024**3, "4 GiB"), (3 * 1024**3 // 2, "1.5 GiB"), (300 * 1024**2, "300 MiB")],
)
def test_sizes_are_shown(size: int, text: str) -> None:
    assert show_size(size) == text


@given(st.integers(min_value=1024, max_value=2**49))
def test_a_shown_size_is_nearly_the_size(size: int) -> None:
    again = parse_size(show_size(size))
    assert again is not None
    assert abs(again - size) <= 0.05 * size


@pytest.mark.parametrize("text", ["networkx==3.3", "jax[cuda12]==0.4.30", "a.b-c == 1.0+cpu"])
def test_exact_requirements(text: str) -> None:
    assert is_exact(text)


@pytest.mark.parametrize(
    "text",
    ["networkx", "networkx>=3", "networkx==3.*", "a==1,!=2", "a @ https://x.org/a.whl", "a==1; os_name=='nt'", ""],
)
def test_inexact_requirements(text: str) -> None:
    assert not is_exact(text)
