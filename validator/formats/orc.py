"""Apache ORC, a stripe after the other; a stripe is held whole.

Nothing of pyarrow tells where a stripe starts, so they count as of equal size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pyarrow import orc

from validator.cuts import Cut, Extent, Weight
from validator.formats import columnar, typed
from validator.formats.columnar import explained
from validator.formats.header import Header, Reading, Seen
from validator.formats.stream import native
from validator.profile import Column
from validator.store import Object

_MARK: Final = b"ORC"


class Orc:
    """Reads ORC."""

    @property
    def weight(self) -> Weight:
        """Stripes are read apart."""
        return Weight(columnar.SHARD_BYTES)

    def header(self, target: Object) -> Header:
        """Reads the schema of the footer."""
        columnar.demand_mark(target, "ORC", _MARK)
        with explained(target, "footer"), native(target) as source:
            return typed.header(orc.ORCFile(source).schema)

    def survey(self, cut: Cut) -> Iterator[Sequence[Seen]]:
        """Yields the declared kinds: ORC knows them."""
        return columnar.survey(self.header(cut.target))

    def read(self, cut: Cut, columns: Sequence[Column]) -> Reading:
        """Reads the stripes of a cut, typed as the columns say."""
        return Reading(_batches(cut, columns), Extent(cut.start, cut.stop))


def _batches(cut: Cut, columns: Sequence[Column]) -> Iterator[Any]:
    target = cut.target
    with native(target) as source:
        with explained(target, "footer"):
            file = orc.ORCFile(source)
            numbers = columnar.owned(cut, file.nstripes)
        for number in numbers:
            stripe = _stripe(file, number, target)
            yield from columnar.batches(stripe, columns, f"stripe {number}", target)


def _stripe(file: Any, number: int, target: Object) -> Any:
    try:
        return file.read_stripe(number)
    except columnar.TROUBLE as error:
        column = columnar.culprit(file.schema.names, lambda name: file.read_stripe(number, [name]))
        with explained(target, f"stripe {number}{column}"):
            raise error
