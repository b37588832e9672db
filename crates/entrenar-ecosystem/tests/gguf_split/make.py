"""Makes the golden files of this folder: inputs with gguf-py, splits and merges with llama.cpp's own tool.

    python -m venv venv && venv/bin/pip install gguf==0.19.0 && venv/bin/python make.py PATH/TO/llama-gguf-split [FOLDER]

The tool is tools/gguf-split of llama.cpp as in llama-cpp-python 0.3.36, in any build.
"""

import logging
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, quants

TOOL = Path(sys.argv[1]).resolve()
HERE = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent
T, Q = GGUFValueType, GGMLQuantizationType

SCALARS = [("u8", T.UINT8, 7), ("i8", T.INT8, -7), ("u16", T.UINT16, 7), ("i16", T.INT16, -7), ("u64", T.UINT64, 2**60),
           ("i64", T.INT64, -(2**60)), ("f64", T.FLOAT64, 0.1), ("bool", T.BOOL, True)]
# In bytes; limits of 1M are met exactly, passed by one tensor alone, and passed by padding.
SIZES = [600_000, 300_000, 100_000, 1_200_000, 5, 999_968, 32]


def write(path, fill):
    writer = GGUFWriter(path, "llama")
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def small(writer):
    writer.add_name("split me")
    writer.add_uint32("llama.block_count", 2)
    writer.add_array("tokenizer.ggml.tokens", ["<s>", "a", "▁b", "é"])
    writer.add_array("tokenizer.ggml.scores", [0.0, -1.0, -2.5, 1e-45])
    for name, ty, value in SCALARS:
        writer.add_key_value(f"x.{name}", value, ty)
        writer.add_key_value(f"x.{name}s", [value, value], T.ARRAY, sub_type=ty)
    rng = np.random.default_rng(1)
    matrix = lambda *shape: rng.standard_normal(shape).astype(np.float32)
    # Not in canonical order, which a split leaves as it is.
    writer.add_tensor("token_embd.weight", quants.quantize(matrix(3, 64), Q.Q8_0), raw_dtype=Q.Q8_0)
    writer.add_tensor("output_norm.weight", matrix(9))
    writer.add_tensor("blk.1.attn_q.weight", matrix(3, 64).astype(np.float16))
    writer.add_tensor("blk.0.attn_norm.weight", matrix(9))
    writer.add_tensor("blk.0.attn_q.weight", quants.quantize(matrix(3, 64), Q.Q4_0), raw_dtype=Q.Q4_0)
    writer.add_tensor("blk.1.ffn_down_exps.weight", matrix(2, 3, 32))
    writer.add_tensor("ids", np.arange(5, dtype=np.int32))


def zeros(writer):
    for i, size in enumerate(SIZES):
        writer.add_tensor(f"zeros.{i}", np.zeros(size, dtype=np.int8))


def tool(*args):
    subprocess.run([TOOL, *map(str, args)], check=True, capture_output=True)


def only_header(path, to):
    """The header of a file whose tensors are zeros, and nothing else."""
    start = GGUFReader(path).data_offset
    data = path.read_bytes()
    assert not any(data[start:])
    to.write_bytes(data[:start])


def main():
    logging.disable(logging.WARNING)
    assert version("gguf") == "0.19.0", version("gguf")
    for old in HERE.glob("*.gguf*"):
        old.unlink()
    write(HERE / "small.gguf", small)
    tool("--split-max-tensors", 3, HERE / "small.gguf", HERE / "by-three")
    tool("--split-max-tensors", 2, "--no-tensor-first-split", HERE / "small.gguf", HERE / "by-two-metadata-alone")
    tool(HERE / "small.gguf", HERE / "whole")
    tool("--merge", HERE / "by-three-00001-of-00003.gguf", HERE / "merged.gguf")
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        write(work / "zeros.gguf", zeros)
        only_header(work / "zeros.gguf", HERE / "zeros.gguf.header")
        tool("--split-max-size", "1M", work / "zeros.gguf", work / "by-size")
        tool("--split-max-size", "1M", "--no-tensor-first-split", work / "zeros.gguf", work / "by-size-metadata-alone")
        for shard in work.glob("by-size*"):
            only_header(shard, HERE / f"{shard.name}.header")


if __name__ == "__main__":
    main()
