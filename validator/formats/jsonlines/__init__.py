"""JSON Lines: a text -> blocks of whole lines -> typed batches, by pyarrow where it is exact, else by row."""
