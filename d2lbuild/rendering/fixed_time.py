"""The time that files of a build bear, so that the same input gives the same bytes."""

import os
from datetime import UTC, datetime

__all__ = ["FIXED_SECONDS", "fixed_time"]

FIXED_SECONDS = os.environ.get("SOURCE_DATE_EPOCH", "315532800")
"""Seconds since 1970, as text: what `SOURCE_DATE_EPOCH` says, or the first that archives know, in 1980."""


def fixed_time() -> datetime:
    """Return the time as such."""
    return datetime.fromtimestamp(int(FIXED_SECONDS), UTC)
