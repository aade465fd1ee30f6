"""What the server keeps: checkpoints on disk, and machines in memory."""
