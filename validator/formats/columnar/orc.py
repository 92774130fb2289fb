"""Apache ORC: a cut owns the stripes that start in it; a stripe is held whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pyarrow import orc

from validator.cuts import Cut, Extent, Weight
from validator.formats.columnar import parts, typed
from validator.formats.columnar.parts import explained
from validator.formats.columnar.stripes import Stripe, stripes
from validator.formats.header import Header, Reading, Sights
from validator.formats.stream import native
from validator.profile import Column
from validator.store import Object

_MARK: Final = b"ORC"


class Orc:
    """Reads ORC."""

    @property
    def weight(self) -> Weight:
        """Stripes are read apart."""
        return Weight(parts.SHARD_BYTES, is_certain=True)

    def header(self, target: Object) -> Header:
        """Reads the schema of the footer."""
        parts.demand_mark(target, "ORC", _MARK)
        with explained(target, "footer"), native(target) as source:
            return typed.header(orc.ORCFile(source).schema)

    def survey(self, cut: Cut) -> Sights:
        """Tells the declared kinds: ORC knows them."""
        return parts.survey(cut, self.header(cut.target))

    def read(self, cut: Cut, columns: Sequence[Column]) -> Reading:
        """Reads the stripes of a cut, typed as the columns say."""
        return Reading(_batches(cut, columns), Extent(cut.start, cut.stop))


def _batches(cut: Cut, columns: Sequence[Column]) -> Iterator[Any]:
    target = cut.target
    with native(target) as source:
        with explained(target, "footer"):
            file = orc.ORCFile(source)
            # The tail's only way out of pyarrow.
            found = stripes(file.reader.serialized_file_tail(), target.size)
            if len(found) != file.nstripes:
                raise ValueError(f"it has {file.nstripes} stripes, its tail {len(found)}")
        for number, stripe in enumerate(found):
            if cut.start <= stripe.start < cut.stop:
                part = _stripe(file, number, stripe, target)
                yield from parts.batches(part, columns, _place(number), target)


def _stripe(file: Any, number: int, stripe: Stripe, target: Object) -> Any:
    with explained(target, _place(number)):
        parts.demand_held(stripe.decoded, stripe.stored, "stripes")
    try:
        return file.read_stripe(number)
    except parts.TROUBLE as error:
        column = parts.culprit(file.schema.names, lambda name: file.read_stripe(number, [name]))
        with explained(target, f"{_place(number)}{column}"):
            raise error


def _place(number: int) -> str:
    return f"stripe {number}"
