"""Delimited text: a text -> blocks of whole rows, its quotation marks understood -> typed batches."""
