"""The pipeline's steps around the validator; each folder is shipped alone and imports nothing of ours."""
