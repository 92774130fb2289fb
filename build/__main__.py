"""`python -m build`: the tooling's door."""

import sys

from build.cli import main

sys.exit(main())
