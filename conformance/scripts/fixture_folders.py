#!/usr/bin/env python3
"""fixture_folders.py: makes the Hugging Face folders of fixture-models/models, all but the weights.

Each folder has the structure of a real family (normalizer, pre-tokenizer, special tokens, configuration keys) and a
vocabulary of a few hundred tokens, trained on corpus.txt. The folders are committed; this script is how they came to be.
The weights are made by the Rust crate.

Needs: pip install tokenizers==0.23.3 sentencepiece==0.2.3
"""
import collections
import io
import json
import pathlib
import shutil

import sentencepiece
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / "fixture-models" / "models"
CORPUS = (HERE / "corpus.txt").read_text(encoding="utf-8").splitlines()

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")

CHATML = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + "
          "'<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
LLAMA3_CHAT = ("{{- bos_token }}{%- for message in messages %}{{- '<|start_header_id|>' + message['role'] + "
               "'<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}{%- endfor %}"
               "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}")
INST_CHAT = ("{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
             "{{ '[INST] ' + message['content'] + ' [/INST]' }}{% else %}{{ message['content'] + eos_token }}{% endif %}"
             "{% endfor %}")


def added(i, content, special=True, **more):
    return {"id": i, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": special, **more}


def decoder_entries(tokens):
    return {str(t["id"]): {k: t[k] for k in ("content", "lstrip", "normalized", "rstrip", "single_word", "special")}
            for t in tokens}


def byte_bpe(size, pre):
    """A byte-level BPE of `size` tokens whose words are cut by `pre`: (vocabulary, merges)."""
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre
    tok.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    model = json.loads(tok.to_str())["model"]
    assert len(model["vocab"]) == size, len(model["vocab"])
    return model["vocab"], model["merges"]


def split_then_bytes(pattern):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)])


def bpe_json(vocab, merges, *, specials, normalizer, pre_tokenizer, post_processor, **model):
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": specials, "normalizer": normalizer,
        "pre_tokenizer": json.loads(pre_tokenizer.__getstate__()) if pre_tokenizer else None,
        "post_processor": post_processor,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  **model, "vocab": vocab, "merges": merges},
    }


def llama3_tokenizer(size=448, strings=False):
    """Llama 3's form. `strings` writes merges as strings, as before tokenizers 0.20."""
    pre = split_then_bytes(LLAMA3)
    vocab, merges = byte_bpe(size, pre)
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|finetune_right_pad_id|>", "<|start_header_id|>",
             "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>"]
    specials = [added(size + i, n) for i, n in enumerate(names)]
    bos = {"SpecialToken": {"id": names[0], "type_id": 0}}
    a, b = ({"Sequence": {"id": s, "type_id": i}} for i, s in enumerate("AB"))
    post = {"type": "Sequence", "processors": [
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        {"type": "TemplateProcessing", "single": [bos, a],
         "pair": [bos, a, {"SpecialToken": {"id": names[0], "type_id": 1}}, b],
         "special_tokens": {names[0]: {"id": names[0], "ids": [size], "tokens": [names[0]]}}}]}
    tok = bpe_json(vocab, [" ".join(m) for m in merges] if strings else merges, specials=specials, normalizer=None,
                   pre_tokenizer=pre, post_processor=post, ignore_merges=True)
    config = {"added_tokens_decoder": decoder_entries(specials), "bos_token": names[0], "eos_token": names[6],
              "clean_up_tokenization_spaces": True, "model_input_names": ["input_ids", "attention_mask"],
              "model_max_length": 131072, "pad_token": names[2], "tokenizer_class": "PreTrainedTokenizerFast"}
    return tok, config, {n: size + i for i, n in enumerate(names)}


def smollm_tokenizer(size=480):
    """SmolLM2's form: digits one by one, then GPT-2's pattern; special tokens come first."""
    pre = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                   pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)])
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>", "<file_sep>"]
    vocab, merges = byte_bpe(size - len(names), pre)
    specials = [added(i, n) for i, n in enumerate(names)]
    vocab = {**{n: i for i, n in enumerate(names)}, **{t: i + len(names) for t, i in vocab.items()}}
    tok = bpe_json(vocab, [" ".join(m) for m in merges], specials=specials, normalizer=None, pre_tokenizer=pre,
                   post_processor=None)
    config = {"add_prefix_space": False, "added_tokens_decoder": decoder_entries(specials),
              "additional_special_tokens": names[1:3], "bos_token": names[1], "chat_template": CHATML,
              "clean_up_tokenization_spaces": False, "eos_token": names[2], "model_max_length": 8192,
              "pad_token": names[2], "tokenizer_class": "GPT2Tokenizer", "unk_token": names[0], "vocab_size": size}
    return tok, config


def qwen_tokenizer(size, names, plain=()):
    """Qwen2's form. `plain` names the added tokens that are not special."""
    pre = split_then_bytes(QWEN2)
    vocab, merges = byte_bpe(size, pre)
    specials = [added(size + i, n, special=n not in plain) for i, n in enumerate(names)]
    tok = bpe_json(vocab, merges, specials=specials, normalizer={"type": "NFC"}, pre_tokenizer=pre,
                   post_processor={"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False,
                                   "use_regex": False}, continuing_subword_prefix="", end_of_word_suffix="")
    tok["decoder"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    config = {"add_bos_token": False, "add_prefix_space": False, "added_tokens_decoder": decoder_entries(specials),
              "additional_special_tokens": [n for n in names if n.startswith("<|im")], "bos_token": None,
              "clean_up_tokenization_spaces": False, "eos_token": "<|im_end|>", "errors": "replace",
              "model_max_length": 32768, "pad_token": "<|endoftext|>", "split_special_tokens": False,
              "tokenizer_class": "Qwen2Tokenizer", "unk_token": None}
    return tok, config


def common(lines, n):
    """The lines with only their n commonest characters left, so that a trainer has no ties to break by chance."""
    count = collections.Counter("".join(lines))
    keep = set(sorted(count, key=lambda c: (-count[c], c))[:n]) | {" "}
    return ["".join(c for c in line if c in keep) for line in lines]


def mistral_tokenizer(size=512):
    """Llama 2's and Mistral's form: characters joined by BPE, what is unknown spelled in byte tokens."""
    control = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    lead = control + [f"<0x{b:02X}>" for b in range(256)]
    tok = Tokenizer(models.BPE(unk_token="<unk>"))
    words = ["▁" + w for line in common(CORPUS, 72) for w in line.split()]
    tok.train_from_iterator(words, trainers.BpeTrainer(vocab_size=size - len(lead), show_progress=False))
    model = json.loads(tok.to_str())["model"]
    # As in SentencePiece: control and byte tokens, then merged pieces by rank, then single characters.
    merged = [a + b for a, b in model["merges"]]
    single = [t for t in sorted(model["vocab"], key=model["vocab"].get) if len(t) == 1]
    order = lead + merged + single
    assert len(order) == size == len(set(order)), (len(order), len(set(order)))
    specials = [added(i, n) for i, n in enumerate(control)]
    bos = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    out = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": specials,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
        "pre_tokenizer": None,
        "post_processor": {"type": "TemplateProcessing", "single": [bos, {"Sequence": {"id": "A", "type_id": 0}}],
                           "pair": [bos, {"Sequence": {"id": "A", "type_id": 0}},
                                    {"SpecialToken": {"id": "<s>", "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}],
                           "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
            {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
                  "vocab": {t: i for i, t in enumerate(order)}, "merges": [" ".join(m) for m in model["merges"]]},
    }
    config = {"add_bos_token": True, "add_eos_token": False, "add_prefix_space": None,
              "added_tokens_decoder": decoder_entries(specials), "additional_special_tokens": [], "bos_token": "<s>",
              "chat_template": INST_CHAT, "clean_up_tokenization_spaces": False, "eos_token": "</s>", "legacy": False,
              "model_max_length": 1000000000000000019884624838656, "pad_token": None, "sp_model_kwargs": {},
              "spaces_between_special_tokens": False, "tokenizer_class": "LlamaTokenizer", "unk_token": "<unk>",
              "use_default_system_prompt": False}
    return out, config


def sentencepiece_model(size=480):
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=out, model_type="bpe", vocab_size=size, byte_fallback=True,
        character_coverage=0.98, unk_id=0, bos_id=1, eos_id=2, pad_id=-1, add_dummy_prefix=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True,
        user_defined_symbols=["<tool>"], num_threads=1, minloglevel=2)
    return out.getvalue()


def wordpiece(pieces=253):
    """BERT's form: every piece once as the start of a word, once (`##`) as its continuation."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tok.train_from_iterator(common([line.lower() for line in CORPUS], 50),
                            trainers.BpeTrainer(vocab_size=pieces, show_progress=False))
    bpe = tok.get_vocab()
    assert len(bpe) == pieces
    starts = sorted(bpe, key=bpe.get)
    tokens = special + starts + ["##" + t for t in starts]
    vocab = {t: i for i, t in enumerate(tokens)}
    specials = [added(vocab[n], n) for n in special]
    a, b = ({"Sequence": {"id": s, "type_id": i}} for i, s in enumerate("AB"))
    cls, sep, sep2 = ({"SpecialToken": {"id": n, "type_id": i}} for n, i in (("[CLS]", 0), ("[SEP]", 0), ("[SEP]", 1)))
    out = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": specials,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": [cls, a, sep], "pair": [cls, a, sep, b, sep2],
                           "special_tokens": {n: {"id": n, "ids": [vocab[n]], "tokens": [n]} for n in ("[CLS]", "[SEP]")}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": vocab},
    }
    config = {"added_tokens_decoder": decoder_entries(specials), "clean_up_tokenization_spaces": True,
              "cls_token": "[CLS]", "do_lower_case": True, "mask_token": "[MASK]", "model_max_length": 128,
              "never_split": None, "pad_token": "[PAD]", "sep_token": "[SEP]", "strip_accents": None,
              "tokenize_chinese_chars": True, "tokenizer_class": "BertTokenizer", "unk_token": "[UNK]"}
    return out, config, tokens


def llama_config(**more):
    base = {"architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
            "hidden_act": "silu", "initializer_range": 0.02, "max_position_embeddings": 2048, "mlp_bias": False,
            "model_type": "llama", "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": None,
            "rope_theta": 10000.0, "use_cache": True}
    return {**base, **more}


def write(folder, files):
    out = OUT / folder
    if out.exists():
        shutil.rmtree(out)
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            # Token tables one entry a line would treble the size; configurations are read by people.
            indent = None if name == "tokenizer.json" else 2
            path.write_text(json.dumps(content, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")
    print(f"{folder}: {sum(p.stat().st_size for p in out.rglob('*') if p.is_file())} bytes")


def card(front, body):
    return "---\n" + front.strip("\n") + "\n---\n\n" + body + "\n"


def main():
    tok, tok_config, ids = llama3_tokenizer()
    write("Tiny-Llama-3.2-1M-Instruct", {
        "config.json": llama_config(
            bos_token_id=ids["<|begin_of_text|>"], eos_token_id=[ids["<|end_of_text|>"], ids["<|eom_id|>"], ids["<|eot_id|>"]],
            head_dim=32, hidden_size=256, intermediate_size=512, max_position_embeddings=131072, num_attention_heads=8,
            num_hidden_layers=3, num_key_value_heads=2, rope_theta=500000.0, tie_word_embeddings=True,
            rope_scaling={"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                          "original_max_position_embeddings": 8192, "rope_type": "llama3"},
            torch_dtype="bfloat16", transformers_version="4.45.0", vocab_size=456),
        "generation_config.json": {
            "bos_token_id": ids["<|begin_of_text|>"], "do_sample": True,
            "eos_token_id": [ids["<|end_of_text|>"], ids["<|eom_id|>"], ids["<|eot_id|>"]], "temperature": 0.6, "top_p": 0.9,
            "transformers_version": "4.45.0"},
        "tokenizer.json": tok, "tokenizer_config.json": {**tok_config, "chat_template": LLAMA3_CHAT},
        "special_tokens_map.json": {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
        "README.md": card("""
language:
- en
- fr
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
tags:
- fixture
- llama-3
base_model: example-org/Tiny-Llama-3.2-1M
datasets:
- example-org/small-corpus-v1.1
""", "# Tiny Llama\n\nA model of random weights, for tests."),
    })

    tok, tok_config = smollm_tokenizer()
    write("tiny-llama-untied-v2", {
        "config.json": llama_config(
            bos_token_id=1, eos_token_id=2, pad_token_id=2, hidden_size=512, intermediate_size=768, num_attention_heads=8,
            num_hidden_layers=2, num_key_value_heads=8, rope_theta=100000, tie_word_embeddings=False,
            torch_dtype="float16", transformers_version="4.42.3", vocab_size=480),
        "generation_config.json": {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2,
                                   "transformers_version": "4.42.3"},
        "tokenizer.json": tok, "tokenizer_config.json": tok_config,
        "special_tokens_map.json": {
            "bos_token": {"content": "<|im_start|>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False},
            "eos_token": {"content": "<|im_end|>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}},
    })

    write("spm-llama", {
        "config.json": llama_config(
            _name_or_path="example-org/spm-llama", bos_token_id=1, eos_token_id=2, hidden_size=256, intermediate_size=512,
            num_attention_heads=4, num_hidden_layers=2, num_key_value_heads=2, rms_norm_eps=1e-06,
            rope_scaling={"factor": 4.0, "type": "linear"}, tie_word_embeddings=False, torch_dtype="float32",
            transformers_version="4.31.0", vocab_size=488),
        "tokenizer.model": sentencepiece_model(),
        "tokenizer_config.json": {
            "add_bos_token": True, "add_eos_token": False,
            "added_tokens_decoder": decoder_entries(
                [added(i, n) for i, n in enumerate(["<unk>", "<s>", "</s>"])] + [added(481, "<|user|>"), added(482, "<note>", False)]),
            "bos_token": {"__type": "AddedToken", "content": "<s>", "lstrip": False, "normalized": True, "rstrip": False,
                          "single_word": False},
            "chat_template": INST_CHAT, "clean_up_tokenization_spaces": False, "eos_token": "</s>", "legacy": False,
            "model_max_length": 2048, "pad_token": None, "tokenizer_class": "LlamaTokenizer", "unk_token": "<unk>"},
        "special_tokens_map.json": {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
    })

    tok, tok_config = mistral_tokenizer()
    write("Tiny-Mistral-7B-Instruct-v0.3", {
        "config.json": {
            "architectures": ["MistralForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2,
            "head_dim": 64, "hidden_act": "silu", "hidden_size": 256, "initializer_range": 0.02,
            "intermediate_size": 768, "max_position_embeddings": 32768, "model_type": "mistral",
            "num_attention_heads": 6, "num_hidden_layers": 3, "num_key_value_heads": 3, "rms_norm_eps": 1e-05,
            "rope_theta": 1000000.0, "sliding_window": None, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
            "transformers_version": "4.42.0", "use_cache": True, "vocab_size": 512},
        "generation_config.json": {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2,
                                   "transformers_version": "4.42.0"},
        "tokenizer.json": tok, "tokenizer_config.json": tok_config,
        "README.md": card("""
license: other
license_name: example-research
license_link: LICENSE.md
base_model:
- example-org/Tiny-Mistral-7B-v0.3
- other-org/Second-Parent-1B-chat
language: en
""", "# Tiny Mistral"),
    })

    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tok, tok_config = qwen_tokenizer(432, names)
    write("qwen2.5-mini-chat", {
        "config.json": {
            "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 432, "eos_token_id": 434,
            "hidden_act": "silu", "hidden_size": 256, "initializer_range": 0.02, "intermediate_size": 512,
            "max_position_embeddings": 32768, "max_window_layers": 2, "model_type": "qwen2", "num_attention_heads": 4,
            "num_hidden_layers": 2, "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
            "rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 32768, "type": "yarn"},
            "sliding_window": 131072, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
            "transformers_version": "4.43.1", "use_cache": True, "use_sliding_window": False, "vocab_size": 512},
        "generation_config.json": {
            "bos_token_id": 432, "do_sample": True, "eos_token_id": [434, 432], "pad_token_id": 432,
            "repetition_penalty": 1.05, "temperature": 0.7, "top_k": 20, "top_p": 0.8, "transformers_version": "4.37.0"},
        "tokenizer.json": tok, "tokenizer_config.json": {**tok_config, "chat_template": CHATML},
        "merges.txt": "#version: 0.2\n" + "".join(" ".join(m) + "\n" for m in tok["model"]["merges"]),
        "vocab.json": tok["model"]["vocab"],
    })

    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>", "<think>", "</think>"]
    tok, tok_config = qwen_tokenizer(436, names, plain=names[3:])
    del tok_config["added_tokens_decoder"]  # as transformers 5 saves it
    write("Qwen3-0.001B-Thinking-2507", {
        "config.json": {
            "architectures": ["Qwen3ForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 436,
            "dtype": "bfloat16", "eos_token_id": 438, "head_dim": 64, "hidden_act": "silu", "hidden_size": 256,
            "initializer_range": 0.02, "intermediate_size": 768, "layer_types": ["full_attention"] * 3,
            "max_position_embeddings": 40960, "max_window_layers": 3, "model_type": "qwen3", "num_attention_heads": 8,
            "num_hidden_layers": 3, "num_key_value_heads": 2, "pad_token_id": None, "rms_norm_eps": 1e-06,
            "rope_parameters": {"rope_theta": 1000000, "rope_type": "default"}, "sliding_window": None,
            "tie_word_embeddings": True, "transformers_version": "5.2.0", "use_cache": True,
            "use_sliding_window": False, "vocab_size": 448},
        "generation_config.json": {"bos_token_id": 436, "do_sample": True, "eos_token_id": [438, 436], "min_p": 0.01,
                                   "pad_token_id": 436, "temperature": 0.6, "top_k": 20, "top_p": 0.95,
                                   "transformers_version": "5.2.0"},
        "tokenizer.json": tok, "tokenizer_config.json": tok_config,
        "chat_template.jinja": CHATML,
        "README.md": card("""
library_name: transformers
license: mit
license_link: https://example.org/licence
pipeline_tag: text-generation
base_model:
- Qwen/Qwen3-0.001B-Base
model_name: Little Qwen
datasets: example-org/thoughts
""", "# Little Qwen"),
    })

    tok, tok_config, tokens = wordpiece()
    write("all-tiny-L2-v2", {
        "config.json": {
            "_name_or_path": "example-org/tiny-bert", "architectures": ["BertModel"],
            "attention_probs_dropout_prob": 0.1, "classifier_dropout": None, "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1, "hidden_size": 256, "initializer_range": 0.02, "intermediate_size": 512,
            "layer_norm_eps": 1e-12, "max_position_embeddings": 128, "model_type": "bert", "num_attention_heads": 4,
            "num_hidden_layers": 2, "pad_token_id": 0, "position_embedding_type": "absolute",
            "torch_dtype": "float32", "transformers_version": "4.48.0", "type_vocab_size": 2, "use_cache": True,
            "vocab_size": len(tokens)},
        "tokenizer.json": tok, "tokenizer_config.json": tok_config, "vocab.txt": "\n".join(tokens) + "\n",
        "special_tokens_map.json": {"cls_token": "[CLS]", "mask_token": "[MASK]", "pad_token": "[PAD]",
                                    "sep_token": "[SEP]", "unk_token": "[UNK]"},
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}],
        "sentence_bert_config.json": {"max_seq_length": 128, "do_lower_case": False},
        "1_Pooling/config.json": {
            "word_embedding_dimension": 256, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False},
        "README.md": card("""
language: en
license: apache-2.0
tags:
- sentence-transformers
- feature-extraction
pipeline_tag: sentence-similarity
""", "# all-tiny-L2-v2"),
    })

    # The rest are about widths and layers; they share one small tokenizer.
    tok, tok_config, ids = llama3_tokenizer(size=280, strings=True)
    rest = {"bos_token_id": ids["<|begin_of_text|>"], "eos_token_id": ids["<|eot_id|>"], "vocab_size": 288,
            "torch_dtype": "bfloat16", "transformers_version": "4.46.3"}
    plain = {"tokenizer.json": tok, "tokenizer_config.json": tok_config}
    write("llama-rows-of-160-and-96", {"config.json": llama_config(
        hidden_size=160, intermediate_size=96, num_attention_heads=5, num_hidden_layers=2, num_key_value_heads=1,
        tie_word_embeddings=False, **rest), **plain})
    write("llama-rows-of-80-and-72", {"config.json": llama_config(
        hidden_size=80, intermediate_size=72, num_attention_heads=5, num_hidden_layers=2, num_key_value_heads=5,
        tie_word_embeddings=True, **rest), **plain})
    write("llama-ten-layers", {"config.json": llama_config(
        hidden_size=256, intermediate_size=256, num_attention_heads=4, num_hidden_layers=10, num_key_value_heads=1,
        tie_word_embeddings=False, **rest), **plain})
    write("llama-eighty-layers", {"config.json": llama_config(
        head_dim=16, hidden_size=256, intermediate_size=32, num_attention_heads=2, num_hidden_layers=80,
        num_key_value_heads=1, tie_word_embeddings=True, **rest), **plain})


if __name__ == "__main__":
    main()
