#!/usr/bin/env python3
"""convert_lora.py LLAMA_CPP OUT: runs llama.cpp's convert_lora_to_gguf over the adapters OUT/<case>/0 that lora_models.py
wrote, to OUT/<case>/converted.gguf, in F32. Prints the cases that it converted; of the others, why not, to standard error.
"""
import logging
import os
import pathlib
import runpy
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    cases = sorted(p.parent for p in pathlib.Path(sys.argv[2]).glob("*/scales"))
    sys.path[:0] = [str(root), str(root / "gguf-py")]
    logging.disable(logging.CRITICAL)
    for case in cases:
        out = case / "converted.gguf"
        out.unlink(missing_ok=True)
        sys.argv = ["convert_lora_to_gguf.py", "--base", str(case / "base"), "--outfile", str(out), str(case / "0")]
        try:
            runpy.run_path(str(root / "convert_lora_to_gguf.py"), run_name="__main__")
        except (Exception, SystemExit) as error:
            out.unlink(missing_ok=True)
            print(f"{case.name}: {error!r}", file=sys.stderr)
        else:
            print(case.name, flush=True)


if __name__ == "__main__":
    main()
