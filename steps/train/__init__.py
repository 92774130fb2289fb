"""Train: the training script; ``main`` is shipped as one file."""
