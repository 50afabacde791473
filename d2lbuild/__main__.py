"""Run the command line with `python -m d2lbuild`."""

import sys

from d2lbuild.cli import main

if __name__ == "__main__":
    sys.exit(main())
