#!/usr/bin/env python3
"""turn_gguf.py FILE: turns a GGUF file's byte order to big, in place, with gguf-py's own tool."""
import sys
from types import SimpleNamespace

import gguf
from gguf.scripts import gguf_convert_endian

# The tool asks whether it may.
gguf_convert_endian.input = lambda _: "YES"
gguf_convert_endian.convert_byteorder(gguf.GGUFReader(sys.argv[1], "r+"), SimpleNamespace(order="big", dry_run=False))
