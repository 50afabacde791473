"""The garbage collector is left as it was."""

import gc

import pytest

from d2lbuild.garbage import without_collections


@pytest.mark.parametrize("freeze", [False, True])
def test_it_rests_inside_and_works_afterwards(freeze: bool) -> None:
    assert gc.isenabled()
    gc.unfreeze()
    with without_collections(freeze=freeze):
        assert not gc.isenabled()
        with without_collections():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    assert bool(gc.get_freeze_count()) is freeze
    gc.unfreeze()
