"""Parquet, Arrow IPC and ORC: parts that a cut owns, checked before anything is decoded -> typed batches."""
