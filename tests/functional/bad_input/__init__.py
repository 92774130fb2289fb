"""The corpus of bad inputs: each is made, given to the real process, and held against what must come out."""
