"""`python -m scenarios`."""

import sys

if __name__ == "__main__":
    try:
        from persidict.testing.command_line import status_of
        from scenarios.cli import main
    except ModuleNotFoundError as error:
        print(f"{error}. Install this project first: pip install '.[testing]'", file=sys.stderr)
        sys.exit(2)
    sys.exit(status_of(main))
