#!/usr/bin/env python3
"""tokenizer_jina.py OUT: tokenizers of RoBERTa's class as Jina's embeddings have them, for tests/golden/tokenizer: byte-level BPE
(code), and BPE of words between spaces (two languages). Vocabularies are a small fixture model's. Needs nothing.
"""
import json
import pathlib
import sys

from tokenizer_old import byte_level, folder

NAMES = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def tokenizer(vocab, merges, normalizer, pre_tokenizer, decoder):
    added = [{"id": id, "content": token, "single_word": False, "lstrip": token == "<mask>", "rstrip": False,
              "normalized": False, "special": True} for id, token in enumerate(NAMES)]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": normalizer,
            "pre_tokenizer": pre_tokenizer, "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0],
                                                               "trim_offsets": True, "add_prefix_space": False},
            "decoder": decoder, "model": {
                "type": "BPE", "dropout": None, "unk_token": "<unk>" if decoder is None else None, "continuing_subword_prefix": "",
                "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "vocab": vocab, "merges": merges}}


def main():
    out = pathlib.Path(sys.argv[1])
    files = byte_level("tiny-llama-untied-v2")
    vocab = {NAMES[id] if id < len(NAMES) else token: id for token, id in files["vocab.json"].items()}
    merges = files["merges.txt"].split("\n")[1:-1]
    config = {"architectures": ["JinaBertModel"], "model_type": "bert", "vocab_size": len(vocab), "type_vocab_size": 2,
              "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1}
    named = {"tokenizer_class": "RobertaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>",
             "unk_token": "<unk>", "pad_token": "<pad>",
             "mask_token": {"__type": "AddedToken", "content": "<mask>", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False},
             "added_tokens_decoder": {str(id): {"content": token, "lstrip": token == "<mask>", "normalized": False, "rstrip": False,
                                                "single_word": False, "special": True} for id, token in enumerate(NAMES)}}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    folder(out, "roberta", config, {
        "tokenizer.json": tokenizer(vocab, merges, None, level, level), "tokenizer_config.json": named})
    folder(out, "words", config, {
        "tokenizer.json": tokenizer(vocab, merges, {"type": "Lowercase"}, {"type": "Whitespace"}, None),
        "tokenizer_config.json": named})


if __name__ == "__main__":
    main()
