"""Halves of a dataset's classes, and the tasks that they are."""
