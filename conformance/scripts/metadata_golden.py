#!/usr/bin/env python3
"""metadata_golden.py LLAMA_CPP CARDS FILES: what gguf-py writes as `general.*` keys.

LLAMA_CPP is a source tree of llama.cpp. Every folder in CARDS (model card, config.json, generation_config.json; what
is not there is not read) gets a file `expected`. Every FILES/<name>.json, a file for the converter's --metadata, gets
<name>.model, the pairs of the folder CARDS/full, and <name>.expected, those pairs with the file over them.

A pair is a line of JSON: key, type, value. Needs Python's yaml beside what gguf-py needs.
"""
import json
import pathlib
import struct
import sys

WEIGHTS = 1_234_567_890


def pairs(folder, override=None):
    import gguf
    metadata = gguf.Metadata.load(override, folder, None, WEIGHTS)
    # As `prepare_metadata` of the converter goes on.
    if metadata.name is None:
        metadata.name = folder.name
    if metadata.size_label is None:
        metadata.size_label = gguf.size_label(WEIGHTS, WEIGHTS, 0, 0)
    writer = gguf.GGUFWriter(None, "llama")
    writer.add_type(gguf.GGUFType.MODEL)
    metadata.set_gguf_meta_model(writer)
    names = {gguf.GGUFValueType.STRING: "str", gguf.GGUFValueType.UINT32: "u32", gguf.GGUFValueType.INT32: "i32",
             gguf.GGUFValueType.FLOAT32: "f32", gguf.GGUFValueType.ARRAY: "arr"}
    lines = []
    for key, value in writer.kv_data[0].items():
        # The bytes that would be written: where Python fails here, the converter fails too.
        writer._pack_val(value.value, value.type, add_vtype=True)
        is_float = value.type == gguf.GGUFValueType.FLOAT32
        kept = struct.unpack("<f", struct.pack("<f", value.value))[0] if is_float else value.value
        lines.append(json.dumps([key, names[value.type], kept], ensure_ascii=False) + "\n")
    return "".join(lines)


def main():
    root, cards, files = (pathlib.Path(a).resolve() for a in sys.argv[1:])
    sys.path.insert(0, str(root / "gguf-py"))
    for folder in sorted(cards.iterdir()):
        (folder / "expected").write_text(pairs(folder), encoding="utf-8")
    for file in sorted(files.glob("*.json")):
        file.with_suffix(".model").write_text(pairs(cards / "full"), encoding="utf-8")
        file.with_suffix(".expected").write_text(pairs(cards / "full", file), encoding="utf-8")


if __name__ == "__main__":
    main()
