"""What networks have learned: similarity of layers, first-layer filters."""
