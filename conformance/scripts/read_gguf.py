#!/usr/bin/env python3
"""read_gguf.py FILE: what gguf-py reads out of a file, a line each: keys with types, then tensors with digests."""
import hashlib
import sys

import gguf

NAMES = {"UINT8": "u8", "INT8": "i8", "UINT16": "u16", "INT16": "i16", "UINT32": "u32", "INT32": "i32", "FLOAT32": "f32",
         "BOOL": "bool", "STRING": "str", "UINT64": "u64", "INT64": "i64", "FLOAT64": "f64"}


def main():
    reader = gguf.GGUFReader(sys.argv[1])
    for name, field in reader.fields.items():
        if name.startswith("GGUF."):
            continue  # the header's counts, which gguf-py lists as if they were metadata
        types = [t.name for t in field.types]
        print(name, f"arr[{NAMES[types[-1]]}]" if types[0] == "ARRAY" else NAMES[types[0]])
        field.contents()  # must not raise
    for t in reader.tensors:
        digest = hashlib.sha256(t.data.tobytes()).hexdigest()[:32]
        print(t.name, t.tensor_type.name, [int(d) for d in t.shape], digest)


if __name__ == "__main__":
    main()
