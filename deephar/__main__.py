"""`python -m deephar`: see deephar.commands."""

import sys

from deephar.commands import main

if __name__ == "__main__":
    sys.exit(main())
