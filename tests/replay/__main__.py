"""`python -m tests.replay FILE...`."""

import sys

from tests.replay.command import main

if __name__ == "__main__":
    sys.exit(main())
