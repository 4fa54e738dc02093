"""`python -m cnn` is the command line of the second part."""

import sys

from cnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
