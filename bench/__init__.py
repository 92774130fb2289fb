"""The benchmarks: what the validator's profile costs beside reading the bytes, and beside other tools."""
