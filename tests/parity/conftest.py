"""These tests need the full TFDV: `make parity` says where it is; without it they are not collected."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.parity import asking
from tests.parity.asking import Oracle

collect_ignore_glob = [] if asking.VARIABLE in os.environ else ["test_*.py"]


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """One long-lived process: TFDV takes 13 seconds to import."""
    with asking.oracle(os.environ[asking.VARIABLE]) as running:
        yield running
