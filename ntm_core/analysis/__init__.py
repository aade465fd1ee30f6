"""What a machine did, measured: its operations, where two traces part, and statistics over many sequences.

Measures of one trace are plain numpy; those that run a machine take it, and yield their progress step by step.
"""
