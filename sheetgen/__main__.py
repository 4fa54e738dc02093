"""`python -m sheetgen` is the command `sheetgen`."""

import sys

if __name__ == "__main__":
    try:
        from sheetgen.cli import main

        code = main()
    except KeyboardInterrupt:
        # While modules were imported, or once more while the first interrupt was heeded.
        print("sheetgen: interrupted.", file=sys.stderr)
        code = 130
    sys.exit(code)
