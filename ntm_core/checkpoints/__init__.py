"""Checkpoints: files that hold a machine. One module a format."""
