"""TFRecord of tf.Example: a file -> frames with checksums -> the wire format of many examples -> batches."""
