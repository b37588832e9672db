#!/usr/bin/env python3
"""convert.py LLAMA_CPP [--keep-going] < JOBS: runs llama.cpp's convert_hf_to_gguf, unchanged but for one answer, over several
models.

LLAMA_CPP is a source tree of llama.cpp. JOBS is a JSON list of {"folder", "out", "outtype", "pre"}. Where "pre" is not
null, it answers the converter's question for the tokenizer's family (get_vocab_base_pre), which it otherwise looks up by
a hash over a fixed text's tokens: a vocabulary cut down to a few hundred tokens cannot have any known hash.

Prints one line of JSON with the versions of what took part. With --keep-going a model that fails does not end the run: what
the converter said of it is then in a file "out" + ".error".
"""
import importlib.metadata
import json
import os
import pathlib
import sys
import traceback


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    keep_going = "--keep-going" in sys.argv[2:]
    jobs = json.load(sys.stdin)
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    os.environ["HF_HUB_OFFLINE"] = "1"
    sys.path[:0] = [str(root), str(root / "gguf-py")]
    import convert_hf_to_gguf
    from conversion.base import TextModel
    table_look_up = TextModel.get_vocab_base_pre
    for job in jobs:
        pre = job["pre"]
        TextModel.get_vocab_base_pre = table_look_up if pre is None else lambda self, tokenizer, pre=pre: pre
        sys.argv = ["convert_hf_to_gguf.py", job["folder"], "--outfile", job["out"], "--outtype", job["outtype"]]
        try:
            convert_hf_to_gguf.main()
        except (Exception, SystemExit) as error:
            if not keep_going:
                raise
            traceback.print_exc()
            pathlib.Path(job["out"] + ".error").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
    print(json.dumps({name: importlib.metadata.version(name) for name in ("torch", "transformers", "sentencepiece")}))


if __name__ == "__main__":
    main()
