"""Makes the golden files of this folder with gguf-py.

    python -m venv venv && venv/bin/pip install gguf==0.19.0 && venv/bin/python make.py
"""

import logging
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFEndian, GGUFValueType, GGUFWriter

HERE = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
T = GGUFValueType

# name, type, scalar, array
VALUES = [
    ("u8", T.UINT8, 255, [0, 1, 255]),
    ("i8", T.INT8, -128, [-128, 0, 127]),
    ("u16", T.UINT16, 0x1234, [0, 0x1234, 65535]),
    ("i16", T.INT16, -2, [-32768, -2, 32767]),
    ("u32", T.UINT32, 0x12345678, [0, 0x12345678, 2**32 - 1]),
    ("i32", T.INT32, -(2**31), [-(2**31), -2, 2**31 - 1]),
    ("u64", T.UINT64, 0x123456789ABCDEF0, [0, 0x123456789ABCDEF0, 2**64 - 1]),
    ("i64", T.INT64, -(2**63), [-(2**63), -2, 2**63 - 1]),
    ("f32", T.FLOAT32, 0.1, [0.1, -0.0, float("inf"), 1e-45]),
    ("f64", T.FLOAT64, 0.1, [0.1, -0.0, float("-inf"), 5e-324]),
    ("bool", T.BOOL, True, [True, False, True]),
    ("str", T.STRING, "naïve ▁token", ["", "a", "▁the", "\0", "日本語"]),
]


def tensors():
    yield "token_embd.weight", np.arange(12, dtype=np.float32).reshape(3, 4), None
    yield "half", (np.arange(5) - 2).astype(np.float16), None
    yield "double", np.array([[0.5, -0.25]], dtype=np.float64), None
    yield "bytes", np.arange(-3, 4, dtype=np.int8), None
    yield "shorts", np.arange(-3, 3, dtype=np.int16).reshape(1, 2, 3, 1), None
    yield "ints", np.arange(3, dtype=np.int32), None
    yield "longs", np.array([2**62, -1], dtype=np.int64), None
    yield "blk.0.q8_0", np.arange(2 * 2 * 34, dtype=np.uint8).reshape(2, 2 * 34), GGMLQuantizationType.Q8_0


def write(name, fill, **options):
    writer = GGUFWriter(HERE / name, "golden", **options)
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def every_type(writer):
    for name, ty, scalar, array in VALUES:
        writer.add_key_value(f"scalar.{name}", scalar, ty)
        writer.add_key_value(f"array.{name}", array, T.ARRAY, sub_type=ty)
    writer.add_array("array.nested", [[1, 2, 3], ["x"], [[True], [0.5, 0.25]]])
    for name, tensor, ty in tensors():
        writer.add_tensor(name, tensor, raw_dtype=ty)


def aligned(writer):
    writer.add_custom_alignment(64)
    for name, tensor, ty in list(tensors())[:2]:
        writer.add_tensor(name, tensor, raw_dtype=ty)


def plain(writer):
    writer.add_uint32("golden.block_count", 0)


def three_tensors(writer):
    plain(writer)
    for name, tensor, ty in list(tensors())[:3]:
        writer.add_tensor(name, tensor, raw_dtype=ty)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    assert version("gguf") == "0.19.0", version("gguf")
    write("every-type-le.gguf", every_type)
    write("every-type-be.gguf", every_type, endianess=GGUFEndian.BIG)
    write("alignment-64.gguf", aligned)
    write("no-tensors.gguf", plain)
    write("split.gguf", three_tensors, split_max_tensors=1)
