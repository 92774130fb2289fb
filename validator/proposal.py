"""The schema that is proposed to a person: what TFDV's core infers, without lists that tomorrow breaks.

The core closes the list of every text with few different values. One day's dates, or the names of its rows,
are few too, and none of them comes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from validator import features, schema
from validator.profile import dates

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.schema_pb2 import Schema
    from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

FEW: Final = 20
"""So many different values are a list, however few rows there are."""

IDENTIFIER_SHARE: Final = 0.9
"""A text with more different values than this share of its values names its rows."""


def of(statistics: DatasetFeatureStatisticsList) -> Schema:
    """Proposes a schema; a feature whose list was left open says why in its annotation.

    Raises:
        DataError: The statistics hold no dataset.
    """
    proposed = schema.infer(statistics)
    found = features.by_name(features.overall(statistics))
    domains = {domain.name: domain for domain in proposed.string_domain}
    for path, feature in schema.paths(proposed):
        domain = domains.get(feature.domain)
        described = found.get(".".join(path))
        if domain is None or described is None:
            continue
        if why := _open_ended(domain.value, features.values(described)):
            feature.ClearField("domain")
            feature.annotation.comment.append(f"No list of values: {why}")
            proposed.string_domain.remove(domain)
    return proposed


def _open_ended(values: Sequence[str], total: int) -> str | None:
    """Says why other days will have other values; None if nothing tells so.

    Args:
        values: The different ones.
        total: Of values, equal ones too.
    """
    if values and all(map(dates.is_date, values)):
        return "they are dates"
    if len(values) > max(FEW, IDENTIFIER_SHARE * total):
        return "nearly every one is different"
    return None
