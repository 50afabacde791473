"""How fast d2lbuild is, beside the other tools of the field: see `bench/__main__.py`."""
