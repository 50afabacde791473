import pytest

from d2lbuild.cli.estimate import time_left


@pytest.mark.parametrize(
    ("waiting", "running", "known", "lanes", "left"),
    [
        ([], [(10.0, 4.0)], [], 1, 6.0),
        ([5.0], [(10.0, 4.0)], [], 1, 11.0),
        ([5.0], [(10.0, 4.0)], [], 2, 6.0),
        ([9.0, 5.0], [(10.0, 4.0), (10.0, 8.0)], [], 2, 11.0),
        ([None, None], [(None, 1.0)], [3.0, 4.0, 20.0], 1, 11.0),
        ([], [(3.0, 100.0)], [], 1, 1.0),
    ],
)
def test_notebooks_take_the_first_free_lane(
    waiting: list[float | None], running: list[tuple[float | None, float]], known: list[float], lanes: int, left: float
) -> None:
    assert time_left(waiting, running, known, lanes) == left


def test_nothing_known_is_no_estimate() -> None:
    assert time_left([None], [(None, 5.0)], [], 2) is None
