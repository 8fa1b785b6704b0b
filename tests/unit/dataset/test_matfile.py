"""The reader of meta.mat: what SciPy reads of sound files, and a reason for each kind of damage (tests/attacks.py)."""

import io
import struct

import numpy as np
import pytest
import scipy.io
from attacks import array, element, mat, structs
from fuzz_targets import small_rows

from workflow_scripts.dataset.devkit import FIELDS
from workflow_scripts.dataset.matfile import MatError, read_structs
from workflow_scripts.dataset.sample.draw_sample import meta_mat, synsets

NUMBERS = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")


def saved(rows, shape=(-1, 1), **options):
    """The bytes that SciPy writes of `rows`, among other variables."""
    array = np.zeros(len(rows), dtype=[(name, object) for name in rows[0]])
    for row, record in zip(rows, array, strict=True):
        for name, value in row.items():
            record[name] = value
    buffer = io.BytesIO()
    variables = {"before": np.arange(5), "synsets": array.reshape(shape), "text": "after", "cells": array}
    scipy.io.savemat(buffer, variables, **options)
    return buffer.getvalue()


def assert_as_scipy(data):
    """Both readers find the same structs, fields and values in `data`."""
    expected = scipy.io.loadmat(io.BytesIO(data))["synsets"].ravel(order="F")
    found = read_structs(data, "synsets", expected.dtype.names)
    assert len(found) == len(expected)
    for row, record in zip(found, expected, strict=True):
        assert tuple(row) == expected.dtype.names
        for name, value in row.items():
            if isinstance(value, str):
                assert value == "".join(record[name].tolist())
            else:
                assert value.tolist() == record[name].ravel(order="F").tolist()


@pytest.mark.parametrize("seed", range(3))
def test_drawn_devkits_are_read_as_scipy_does(seed):
    assert_as_scipy(meta_mat(synsets(7, seed)))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("shape", [(-1, 1), (1, -1), (2, -1)], ids=["column", "row", "table"])
def test_files_of_other_shapes_are_read_as_scipy_does(compressed, shape):
    assert_as_scipy(saved(synsets(7, 0)[:-1], shape, do_compression=compressed))


def test_text_that_is_not_ascii():
    rows = small_rows()
    for row, words in zip(rows, ("crème brûlée", "漢字, \U0001f408", ""), strict=True):
        row["words"] = words
    assert [row["words"] for row in read_structs(saved(rows), "synsets", FIELDS)] == [row["words"] for row in rows]
    assert_as_scipy(saved(rows))


def test_text_of_16_bits_as_matlab_writes_it():
    """MATLAB writes miUINT16; SciPy writes only miUTF8, so the type, the length and the bytes are exchanged."""
    data = meta_mat(small_rows())
    wnid = small_rows()[0]["WNID"].encode()
    written = (16).to_bytes(4, "little") + len(wnid).to_bytes(4, "little") + wnid.ljust(16, b"\0")
    wide = wnid.decode().encode("utf-16-le")
    start = data.index(written)
    assert len(wide) == 18  # in three words in place of two: the lengths of all that holds it change too
    for place in (start - 48, 128):
        assert data[place] == 14
        size = int.from_bytes(data[place + 4 : place + 8], "little") + 8
        data = data[: place + 4] + size.to_bytes(4, "little") + data[place + 8 :]
    exchanged = (4).to_bytes(4, "little") + len(wide).to_bytes(4, "little") + wide.ljust(24, b"\0")
    data = data.replace(written, exchanged, 1)
    assert read_structs(data, "synsets", FIELDS)[0]["WNID"] == wnid.decode()
    assert_as_scipy(data)


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_every_kind(kind):
    rows = [row | {"children": np.array([1, 2, 100], dtype=kind)} for row in small_rows()]
    assert_as_scipy(saved(rows))
    assert_as_scipy(saved(rows, do_compression=True))


def test_numbers_stored_in_fewer_bytes():
    """As MATLAB stores doubles that are small whole numbers; four bytes of them fit into the element's header."""
    small = array(6, (1, 3), struct.pack("<HH4s", 2, 3, bytes([7, 8, 9])), b"")
    larger = array(6, (1, 3), element(4, struct.pack("<3H", 7, 800, 9)), b"")
    data = mat(structs((1, 1), ("small", "larger"), small + larger))
    (row,) = read_structs(data, "synsets", ("small", "larger"))
    assert row["small"].tolist() == [7, 8, 9]
    assert row["larger"].tolist() == [7, 800, 9]
    assert_as_scipy(data)


def test_only_the_fields_asked_for_are_read():
    rows = [row | {"gloss": {"nested": "struct"}} for row in small_rows()]
    assert set(read_structs(saved(rows), "synsets", FIELDS)[0]) == set(FIELDS)
    with pytest.raises(MatError, match="the field gloss holds neither text nor numbers"):
        read_structs(saved(rows), "synsets", ["gloss"])
    with pytest.raises(MatError, match="no field nothing"):
        read_structs(saved(rows), "synsets", ["nothing"])


@pytest.mark.parametrize("compressed", [False, True])
def test_every_truncation_is_noticed(compressed):
    """Those that do not only cut what follows the structs."""
    data = saved(small_rows(), do_compression=compressed)
    whole = read_structs(data, "synsets", FIELDS)
    seen = 0
    for length in range(len(data)):
        try:
            rows = read_structs(data[:length], "synsets", FIELDS)
        except MatError as error:
            seen += 1
            assert "\n" not in str(error)
        else:
            assert repr(rows) == repr(whole)
    assert seen > len(data) // 4
