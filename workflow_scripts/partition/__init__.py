"""Halves of a dataset's classes, and the tasks made of them."""
