"""Prepare: the PySpark job; ``main`` is shipped as one file."""
