"""The size of a packed store. Light on purpose: the Snakefile imports this at parse time."""


def packed_bytes(images: int, image_size: int) -> int:
    """Bytes of `images` images in a packed store: uint8 RGB, square."""
    return images * image_size**2 * 3
