#!/usr/bin/env python3
"""imatrix_golden.py: writes small importance matrix files, and asks llama.cpp what is in them.

gguf-py writes those of today's format, struct.pack the older ones. llama.cpp's own loader (common/imatrix-loader.cpp of
the crate llama-cpp-sys-2, built with imatrix_peer.cpp) reads them; sums become means here, in 32-bit floats, as
llama-quantize's quantize.cpp does. Writes crates/quant-recipe/tests/golden/imatrix.json: each file's bytes in hexadecimal, and
what is in it, or that llama.cpp refuses it.

Needs: pip install gguf==0.19.0 numpy; g++; and what the crate llama-cpp-sys-2 needs (cmake, clang). With --check, compares
with the committed file in place of writing it.
"""
import argparse
import glob
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy
from gguf import GGUFWriter

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "crates/quant-recipe/tests/golden/imatrix.json"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
RANDOM = numpy.random.default_rng(7)


def text(value):
    data = value.encode()
    return struct.pack("<i", len(data)) + data


def legacy(entries, end=b""):
    """entries: (name, calls, values)."""
    out = struct.pack("<i", len(entries))
    for name, calls, values in entries:
        out += text(name) + struct.pack("<ii", calls, len(values)) + numpy.asarray(values, "<f4").tobytes()
    return out + end


def gguf(path, entries, datasets=("wiki.train.raw",), chunks=3, size=512, plain=False):
    """entries: (name, sums of squares by matrix and column, counts)."""
    writer = GGUFWriter(path, "imatrix", use_temp_file=False)
    writer.kv_data[0].clear()
    writer.add_type("imatrix")
    if datasets is not None:
        writer.add_array("imatrix.datasets", list(datasets))
    if chunks is not None:
        writer.add_uint32("imatrix.chunk_count", chunks)
    if size is not None:
        writer.add_uint32("imatrix.chunk_size", size)
    for name, sums, counts in entries:
        sums = numpy.asarray(sums, numpy.float32)
        if plain:
            writer.add_tensor(f"{name}.in_sum", sums)
        if sums.size:
            writer.add_tensor(f"{name}.in_sum2", sums)
        if counts is not None:
            writer.add_tensor(f"{name}.counts", numpy.asarray(counts, numpy.float32).reshape(-1, 1))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def files(path):
    """Name and bytes of every file."""
    values = lambda *shape: (RANDOM.standard_normal(shape) ** 2 * 100).astype(numpy.float32)
    dense = [("blk.0.attn_q.weight", 7, values(8)), ("blk.0.ffn_down.weight", 3, values(5)), ("a", 1, [0.0, 1e-30])]
    yield "legacy", legacy(dense, struct.pack("<i", 12) + text("wiki.train.raw"))
    yield "legacy-no-end", legacy(dense)
    yield "legacy-chunks-only", legacy(dense[:1], struct.pack("<i", 4))
    yield "legacy-no-dataset", legacy(dense[:1], struct.pack("<ii", -1, 0))
    yield "legacy-more-behind", legacy(dense[:1], struct.pack("<i", 2) + text("é") + b"more")
    yield "legacy-calls", legacy([(f"calls.{calls}", calls, values(4)) for calls in (0, -3, 16777217, 2147483647)])
    for name, options in {
        "gguf": {}, "gguf-two-datasets": {"datasets": ["/home/someone/calibration.txt", "b"]}, "gguf-plain-sums": {"plain": True},
        "gguf-no-chunks": {"chunks": 0}, "gguf-many-chunks": {"chunks": 2**31},
        "gguf-without-datasets": {"datasets": None}, "gguf-without-chunk-count": {"chunks": None},
        "gguf-without-chunk-size": {"size": None},
    }.items():
        gguf(path, [("blk.0.attn_q.weight", values(1, 8), [512]), ("blk.0.ffn_down_exps.weight", values(4, 6), [9, 0, 3, -2]),
                    ("output.weight", values(1, 3), [1.5])], **options)
        yield name, path.read_bytes()
    gguf(path, [("rounded", values(6, 2), [0.4, 0.5, 1.5, 2.5, 16777217, 1e15])])
    yield "gguf-rounded-counts", path.read_bytes()
    gguf(path, [("one-count-for-all", values(3, 4), [5])])
    yield "gguf-one-count", path.read_bytes()
    gguf(path, [("a", values(1, 4), None)])
    yield "gguf-no-counts", path.read_bytes()
    gguf(path, [("a", [], [3])])
    yield "gguf-no-sums", path.read_bytes()


def read(peer, path):
    """What llama.cpp reads, with means in place of sums; None if it refuses."""
    head, *lines = subprocess.run([peer, path], check=True, capture_output=True, text=True).stdout.splitlines()
    if head == "refused":
        return None
    is_legacy, chunks = map(int, head.split())
    datasets = [line for line in lines if not line.startswith("\t")]
    entries = {}
    for line in lines[len(datasets):]:
        _, name, counts, sums = line.split("\t")
        counts = numpy.array(counts.split(), numpy.int64).astype(numpy.float32)[:, None]
        sums = numpy.array(sums.split(), numpy.uint32).view(numpy.float32).reshape(len(counts), -1)
        untouched = sums if is_legacy else numpy.float32(1)
        means = numpy.where(counts > 0, sums / numpy.where(counts > 0, counts, numpy.float32(1)), untouched)
        entries[name] = [int(bits) for bits in means.astype(numpy.float32).reshape(-1).view(numpy.uint32)]
    return {"chunks": max(chunks, 0), "datasets": datasets, "entries": entries}


def build(folder):
    """The peer's program, from the crate's source and the libraries that cargo built of it."""
    subprocess.run(["cargo", "build", "--release", "--quiet", "-p", "peer"], check=True, cwd=ROOT)
    metadata = subprocess.run(["cargo", "metadata", "--format-version", "1"], check=True, cwd=ROOT, capture_output=True)
    (package,) = (p for p in json.loads(metadata.stdout)["packages"] if p["name"] == "llama-cpp-sys-2")
    source = pathlib.Path(package["manifest_path"]).parent / "llama.cpp"
    libraries = pathlib.Path(glob.glob(str(TARGET / "release/build/llama-cpp-sys-2-*/out/lib/libggml-base.a"))[0]).parent
    peer = folder / "peer"
    includes = [f"-I{source / part}" for part in ("common", "include", "ggml/include")]
    archives = [libraries / name for name in ("libggml.a", "libggml-cpu.a", "libggml-base.a")]
    code = [ROOT / "conformance/scripts/imatrix_peer.cpp", source / "common/imatrix-loader.cpp"]
    subprocess.run(["g++", "-std=c++17", *includes, *code, *archives, "-fopenmp", "-o", peer], check=True)
    return f"llama-cpp-sys-2 {package['version']}, common_imatrix_load", peer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        version, peer = build(folder)
        path = folder / "file"
        lines = []
        for name, data in files(path):
            path.write_bytes(data)
            lines.append(json.dumps({"name": name, "bytes": data.hex(), "holds": read(peer, path)}))
    golden = "".join(["{\n", f'"peer": {json.dumps(version)},\n', '"files": [\n', ",\n".join(lines), "\n]\n}\n"])
    if not arguments.check:
        GOLDEN.write_text(golden, encoding="utf-8")
    elif golden != GOLDEN.read_text(encoding="utf-8"):
        sys.exit(f"{GOLDEN}: the peer says something else")


if __name__ == "__main__":
    main()
