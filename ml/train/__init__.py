"""Training: plain loops, frozen settings, checkpoints that resume."""
