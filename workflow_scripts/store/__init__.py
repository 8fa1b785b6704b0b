"""Decoding, resizing and packing images once; reading the packed ones."""
