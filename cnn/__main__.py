"""`python -m cnn` is the command line of the second part."""

import sys

if __name__ == "__main__":
    try:
        from cnn.cli import main

        code = main()
    except KeyboardInterrupt:
        # While modules were imported, or once more while the first interrupt was heeded.
        print("cnn: interrupted.", file=sys.stderr)
        code = 130
    sys.exit(code)
