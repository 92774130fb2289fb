"""`python -m validator`: signals and threads are settled before anything slow is imported."""

from __future__ import annotations

import os
import sys

from validator import settings, streams
from validator.interruption import Interruption

if __name__ == "__main__":
    streams.settle()
    interruption = Interruption().install()
    settings.settle_native_libraries()

    import pyarrow as pa

    from validator import cli

    # Its readers take both signals for themselves wherever this thread calls them.
    pa.enable_signal_handlers(False)
    code = cli.main(sys.argv[1:], interruption)
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: a thread of pyarrow that still reads ahead would abort the interpreter while it is taken
    # down, and once in fifty times the exit code would be 134 instead of what the contract says.
    os._exit(code)
