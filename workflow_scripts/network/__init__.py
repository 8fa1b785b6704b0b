"""Architectures as lists of layers, networks, initial weights, what a layer costs."""
