"""Batches, learners, the engine that trains a curve; devices, leases, checkpoints, progress."""
