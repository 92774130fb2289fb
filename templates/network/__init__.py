"""The network of the validator's tasks: one module per mode, one `Network` whatever the mode.

No mode has a way in. What they differ in is the way out, and what it costs by the hour: docs/network.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from templates.config import Config, NetworkMode
from templates.network import existing, private, public
from templates.network.placement import Network, Placement

__all__ = ["Network", "Placement", "network"]

MODES: Final[Mapping[NetworkMode, Callable[[Config], Network]]] = {
    NetworkMode.CREATE_PUBLIC: public.network,
    NetworkMode.CREATE_PRIVATE: private.network,
    NetworkMode.EXISTING: existing.network,
}


def network(config: Config) -> Network:
    """Return the network of the configured mode."""
    return MODES[config.network](config)
