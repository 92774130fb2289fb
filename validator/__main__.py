"""`python -m validator`: signals and threads are settled before anything slow is imported."""

from __future__ import annotations

import sys

from validator import settings
from validator.interruption import Interruption

if __name__ == "__main__":
    interruption = Interruption().install()
    settings.limit_threads()

    from validator import cli

    sys.exit(cli.main(sys.argv[1:], interruption))
