"""How long the notebooks that are left may take, judged by how long they took before."""

import heapq
import statistics
from collections.abc import Sequence

__all__ = ["time_left"]

_LEAST_LEFT = 1.0
"""Seconds that a notebook is thought to need still when it has taken longer than expected."""


def time_left(
    waiting: Sequence[float | None], running: Sequence[tuple[float | None, float]], known: Sequence[float], lanes: int
) -> float | None:
    """Return the seconds until all notebooks are done, or None if nothing is known of any.

    `waiting` holds what each is expected to take, in the order in which they will start; `running` the same and how
    long it has been running. Those of which nothing is known are taken to be as long as `known` ones usually are.
    """
    times = [
        *known,
        *(time for time in waiting if time is not None),
        *(time for time, _ in running if time is not None),
    ]
    if not times:
        return None
    usual = statistics.median(times)
    free = [max(_LEAST_LEFT, (usual if time is None else time) - elapsed) for time, elapsed in running]
    free += [0.0] * (max(lanes, 1) - len(free))
    heapq.heapify(free)
    end = max(free)
    for time in waiting:
        done = heapq.heappop(free) + (usual if time is None else time)
        heapq.heappush(free, done)
        end = max(end, done)
    return end
