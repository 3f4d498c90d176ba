"""`python -m scenarios`."""

import sys

if __name__ == "__main__":
    try:
        from scenarios.cli import main
    except ModuleNotFoundError as error:
        print(f"{error}. Install this project first: pip install '.[testing]'", file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
