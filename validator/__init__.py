"""The container's code: dataset -> statistics -> schema -> anomalies -> verdict -> report."""
