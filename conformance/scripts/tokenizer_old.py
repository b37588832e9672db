#!/usr/bin/env python3
"""tokenizer_old.py OUT: tokenizers as folders had them before tokenizer.json, without weights, for tests/golden/tokenizer.

Vocabularies and merges are those of the small fixture models, written out as vocab.json and merges.txt or as vocab.txt;
beside them what older folders say of added and special tokens, in each of the files that may say it. Needs nothing.
"""
import json
import pathlib
import sys

MODELS = pathlib.Path(__file__).resolve().parent.parent / "fixture-models" / "models"
TEMPLATE = "{% for m in messages %}{{ m['content'] }}{% endfor %}"


def added(content, **flags):
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, **flags}


def byte_level(model):
    """vocab.json and merges.txt of a fixture model."""
    model = json.loads((MODELS / model / "tokenizer.json").read_text("utf-8"))["model"]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    return {"vocab.json": model["vocab"], "merges.txt": "\n".join(["#version: 0.2", *merges, ""])}


def folder(out, name, config, files):
    where = out / name
    where.mkdir(parents=True, exist_ok=True)
    for file, content in {"config.json": config, **files}.items():
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False) + "\n"
        (where / file).write_text(text, "utf-8")


def main():
    out = pathlib.Path(sys.argv[1])
    smol = byte_level("tiny-llama-untied-v2")
    size = len(smol["vocab.json"])
    qwen = byte_level("qwen2.5-mini-chat")
    gpt2 = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": size, "bos_token_id": 0, "eos_token_id": 0}
    folder(out, "old-gpt2", gpt2, smol)
    folder(out, "old-gpt2-added", {**gpt2, "vocab_size": size + 8}, {
        **smol, "added_tokens.json": {"<|pad|>": size + 1, "<tool>": size, "two words": size + 2},
        "special_tokens_map.json": {"bos_token": "<|endoftext|>", "eos_token": added("<|endoftext|>"), "pad_token": "<|pad|>",
                                    "additional_special_tokens": ["<tool>"]},
        "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "add_prefix_space": True,
                                  "errors": "replace", "unk_token": "<|endoftext|>"}})
    code = {"tokenizer_class": "CodeGenTokenizer", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
            "unk_token": "<|endoftext|>", "added_tokens_decoder": {str(size + 1): added("    ", normalized=True),
                                                                  str(size): added("  ", normalized=True)}}
    folder(out, "old-codegen", {"architectures": ["PhiForCausalLM"], "model_type": "phi", "vocab_size": size + 3,
                                "bos_token_id": 0, "eos_token_id": 0}, {**smol, "tokenizer_config.json": code})
    folder(out, "old-llama", {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": size + 2,
                              "bos_token_id": 0, "eos_token_id": 0},
           {**smol, "tokenizer_config.json": {"tokenizer_class": "GPT2TokenizerFast", "add_prefix_space": False,
                                              "additional_special_tokens": ["<|fim|>", "<more>"]}})
    folder(out, "old-neox", {"architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "vocab_size": size + 3,
                             "bos_token_id": 0, "eos_token_id": 0}, smol)
    # The converter takes RoBERTa's for WordPiece.
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    marked = {names[id] if id < len(names) else token: id for token, id in smol["vocab.json"].items()}
    folder(out, "old-roberta", {"architectures": ["RobertaModel"], "model_type": "roberta", "vocab_size": size + 2,
                                "type_vocab_size": 1, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1},
           {**smol, "vocab.json": marked})
    # It does not know these vocabularies.
    folder(out, "old-unknown", {**gpt2, "vocab_size": size + 2}, {
        **smol, "special_tokens_map.json": {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<new>"},
        "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "chat_template": TEMPLATE}})
    folder(out, "old-cohere", {"architectures": ["CohereForCausalLM"], "model_type": "cohere", "vocab_size": size + 9,
                               "bos_token_id": 1, "eos_token_id": 2},
           {**smol, "tokenizer_config.json": {"tokenizer_class": "CohereTokenizer", "bos_token": "<|im_start|>",
                                              "chat_template": TEMPLATE}})

    named = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    first = len(qwen["vocab.json"])
    qwen2 = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": first + 16, "bos_token_id": first,
             "eos_token_id": first + 2}
    decoder = {str(first + i): added(token, special=i < 3) for i, token in enumerate([*named, "<tool_call>", "<|vision|>"])}
    folder(out, "old-qwen2", qwen2, {**qwen, "tokenizer_config.json": {
        "add_prefix_space": False, "added_tokens_decoder": decoder, "additional_special_tokens": named[1:], "bos_token": None,
        "chat_template": TEMPLATE, "clean_up_tokenization_spaces": False, "eos_token": "<|im_end|>", "errors": "replace",
        "pad_token": "<|endoftext|>", "split_special_tokens": False, "tokenizer_class": "Qwen2Tokenizer", "unk_token": None}})
    folder(out, "old-qwen2-first", qwen2, {
        **qwen, "added_tokens.json": {token: first + i for i, token in enumerate(named)},
        "special_tokens_map.json": {"additional_special_tokens": named[1:], "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"},
        "tokenizer_config.json": {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>"}})

    words = (MODELS / "all-tiny-L2-v2" / "vocab.txt").read_text("utf-8").split("\n")[:-1]
    bert = {"architectures": ["BertModel"], "model_type": "bert", "vocab_size": len(words) + 10, "type_vocab_size": 2,
            "pad_token_id": 0}
    plain = "\n".join(words) + "\n"
    folder(out, "old-bert", bert, {"vocab.txt": plain})
    odd = [*words[:20], words[5], *words[20:], "trailing ", "no-break\u00a0", "ideographic\u3000", "", "line\u2028end", "carriage\r", "##é"]
    folder(out, "old-bert-odd", {**bert, "vocab_size": len(odd) + 4}, {"vocab.txt": "\n".join(odd)})
    folder(out, "old-bert-added", bert, {
        "vocab.txt": plain, "added_tokens.json": {"[NEW]": len(words) + 1, "new": len(words)},
        "special_tokens_map.json": {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]",
                                    "mask_token": "[MASK]", "additional_special_tokens": ["[NEW]"]},
        "tokenizer_config.json": {"do_lower_case": True, "model_max_length": 512}})
    folder(out, "old-bert-cased", bert, {
        "vocab.txt": plain, "tokenizer_config.json": {
            "tokenizer_class": "BertTokenizer", "do_lower_case": False, "strip_accents": None, "tokenize_chinese_chars": True,
            "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]",
            "added_tokens_decoder": {str(words.index(t)): added(t, special=True) for t in
                                     ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")}}})
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    moved = ["[unused0]", *marks, *(word for word in words if word not in marks)]
    folder(out, "old-bert-unknown", {**bert, "vocab_size": len(moved), "pad_token_id": 1}, {
        "vocab.txt": "\n".join(moved) + "\n", "tokenizer_config.json": {"do_lower_case": False}})


if __name__ == "__main__":
    main()
