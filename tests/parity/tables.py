"""The same data for both: record batches as they are read, and as TFDV wants them; taxi trips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import types
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import schema as schemas
from validator import statistics
from validator.formats.columnar import typed
from validator.profile import Profile

Columns = Mapping[str, Sequence[Any] | Any]
"""By name: values whose type Arrow finds out, or an Arrow array."""


def batch(columns: Columns) -> Any:
    """Returns a pyarrow.RecordBatch."""
    arrays = [each if isinstance(each, pa.Array) else pa.array(each) for each in columns.values()]
    return pa.record_batch(arrays, names=list(columns))


def measured(data: Any, declared: Schema | None = None) -> DatasetFeatureStatisticsList:
    """Returns our statistics of a record batch, on the product's way."""
    columns = typed.header(data.schema).columns
    profile = Profile(columns)
    profile.add(typed.conformed(data, columns))
    return statistics.of(profile.finish(), images=schemas.images(declared) if declared else ())


def as_tfdv(data: Any) -> Any:
    """Returns the batch with every value in a list, as TFDV wants it: one value is a list of one.

    Types that TFDV does not know are turned into what we turn them into.
    """
    columns = typed.header(data.schema).columns
    conformed = typed.conformed(data, columns)
    arrays = [
        original if types.is_null(original.type) else _listed(array)
        for array, original in zip(conformed.columns, data.columns, strict=True)
    ]
    return pa.record_batch(arrays, names=data.schema.names)


def _listed(array: Any) -> Any:
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if types.is_struct(array.type):
        fields = [_listed(array.field(number)) for number in range(array.type.num_fields)]
        names = [field.name for field in array.type]
        return pa.StructArray.from_arrays(fields, names=names, mask=array.is_null())
    if types.is_large_list(array.type):
        return _with_structs_listed(array)
    lengths = array.is_valid().to_numpy(zero_copy_only=False).astype(np.int64)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int64())
    return pa.LargeListArray.from_arrays(offsets, array.drop_null(), mask=array.is_null())


def _with_structs_listed(lists: Any) -> Any:
    """Turns the values inside of structs, however many lists are around them; others stay as they are."""
    inner = lists.type.value_type
    if not (types.is_struct(inner) or types.is_large_list(inner)):
        return lists
    lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int64())
    values = lists.flatten()
    values = _listed(values) if types.is_struct(inner) else _with_structs_listed(values)
    return pa.LargeListArray.from_arrays(offsets, values, mask=lists.is_null())


def taxi(rows: int, day: int = 0) -> Any:
    """Returns trips of a taxi company, the same for the same arguments; prices rise with the day."""
    random = np.random.default_rng(day)
    miles = np.where(random.random(rows) < 0.2, 0.0, np.round(random.gamma(1.2, 3.0, rows), 1))
    fare = np.round(3.25 + day + miles * 2.25 + random.normal(0, 0.3, rows), 2)
    payments = random.choice(["Cash", "Credit Card", "Mobile", "Unknown"], rows, p=[0.55, 0.38, 0.05, 0.02])
    companies = np.array([f"Company {number}" for number in range(121)])
    company = companies[np.minimum(random.zipf(1.3, rows) - 1, 120)]
    seconds = np.round(random.gamma(2.0, 400, rows) / 60).astype(np.int64) * 60

    def sometimes(values: Any, missing: float) -> Any:
        return pa.array(values, mask=random.random(rows) < missing)

    return batch(
        {
            "trip_seconds": sometimes(seconds, 0.01),
            "trip_miles": sometimes(miles, 0.001),
            "fare": sometimes(fare, 0.001),
            "payment_type": pa.array(payments),
            "company": sometimes(company, 0.3),
            "pickup_census_tract": sometimes(17_031_000_000 + 101 * random.integers(0, 900, rows), 0.35),
            "trip_start_hour": pa.array(random.integers(0, 24, rows)),
            "is_shared": sometimes(random.random(rows) < 0.1, 0.05),
            "tags": pa.array([[f"tag {n % 7}"] * (n % 3) if n % 11 else None for n in range(rows)]),
            "place": pa.array(
                [{"area": n % 77, "stops": [float(n % 5)] * (n % 4)} if n % 13 else None for n in range(rows)]
            ),
        }
    )
