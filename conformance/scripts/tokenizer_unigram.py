#!/usr/bin/env python3
"""tokenizer_unigram.py OUT: hand-made Unigram tokenizers as Hugging Face folders without weights, for tests/golden/tokenizer.

The SentencePiece files have pieces of every type, and a normalizer of four rules that SentencePiece itself compiles.
Needs sentencepiece (with its protobuf module, which needs protobuf).
"""
import base64
import io
import json
import pathlib
import sys
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as pb

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
WORDS = [("▁", -2.0), ("▁a", -3.25), ("b", -3.1), ("▁the", -4.0625), ("é", -9.700000762939453), ("ö", -12.3)]


def charsmap():
    """A small normalizer: the first word of each line becomes the second (code points in hexadecimal)."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        rules.write("FF41\t61\nFB01\t66 69\n2126\t3A9\nA0\t20\n")
        rules.flush()
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["the a b c " * 20] * 20), model_writer=model, vocab_size=10, minloglevel=3,
            normalization_rule_tsv=rules.name)
    trained = pb.ModelProto()
    trained.ParseFromString(model.getvalue())
    return trained.normalizer_spec.precompiled_charsmap


def model(pieces, kind=1, prefix=True, spaces=True, chars=b""):
    proto = pb.ModelProto()
    for text, score, type_ in pieces:
        proto.pieces.add(piece=text, score=score, type=type_)
    proto.trainer_spec.model_type = kind
    proto.normalizer_spec.name = "user_defined"
    proto.normalizer_spec.precompiled_charsmap = chars
    proto.normalizer_spec.add_dummy_prefix = prefix
    proto.normalizer_spec.remove_extra_whitespaces = spaces
    return proto.SerializeToString()


def added(id, content, special):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": special}


def tokenizer_json(vocab, unk_id, tokens, normalizer, bos=None):
    frame = [{"SpecialToken": {"id": bos, "type_id": 0}}] if bos else []
    end = [{"SpecialToken": {"id": "</s>", "type_id": 0}}]
    a, b = [{"Sequence": {"id": "A", "type_id": 0}}], [{"Sequence": {"id": "B", "type_id": 0}}]
    ids = {t["content"]: t["id"] for t in tokens}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens, "normalizer": normalizer,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}]},
        "post_processor": {
            "type": "TemplateProcessing", "single": frame + a + end,
            "pair": frame + a + end + (end if bos else []) + b + end,
            "special_tokens": {t: {"id": t, "ids": [ids[t]], "tokens": [t]} for t in ([bos] if bos else []) + ["</s>"]}},
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "model": {"type": "Unigram", "unk_id": unk_id, "vocab": vocab, "byte_fallback": False}}


def folder(out, name, config, files):
    where = out / name
    where.mkdir(parents=True, exist_ok=True)
    (where / "config.json").write_text(json.dumps(config) + "\n", "utf-8")
    for file, content in files.items():
        if isinstance(content, bytes):
            (where / file).write_bytes(content)
        else:
            (where / file).write_text(json.dumps(content, ensure_ascii=False) + "\n", "utf-8")


def main():
    out = pathlib.Path(sys.argv[1])
    chars = charsmap()
    precompiled = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(chars).decode()}
    t5_head = [("<pad>", 0.0, CONTROL), ("</s>", 0.0, CONTROL), ("<unk>", 0.0, UNKNOWN)]
    words = [(text, score, NORMAL) for text, score in WORDS]
    odd = [("<user>", 0.0, USER_DEFINED), ("<later>", -7.0, UNUSED)]
    t5 = {"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "vocab_size": 16,
          "decoder_start_token_id": 0, "eos_token_id": 1, "pad_token_id": 0}
    t5_config = {"tokenizer_class": "T5Tokenizer", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>",
                 "extra_ids": 2, "additional_special_tokens": ["<extra_id_0>", "<extra_id_1>"]}
    folder(out, "t5-spm", t5, {
        "spiece.model": model(t5_head + words + odd, chars=chars), "tokenizer_config.json": t5_config,
        "added_tokens.json": {"<extra_id_0>": 12, "<extra_id_1>": 11, "<beyond>": 16}})
    folder(out, "t5-flags", {**t5, "vocab_size": 11}, {
        "tokenizer.model": model(t5_head + words + odd, prefix=False, spaces=False)})
    folder(out, "t5-bpe", t5, {"tokenizer.model": model(t5_head + words, kind=2)})
    vocab = [[text, score] for text, score, _ in t5_head + words] + [["<extra_id_1>", 0.0], ["<extra_id_0>", 0.0]]
    marks = [added(i, text, True) for i, (text, _, _) in enumerate(t5_head)]
    marks += [added(9, "<extra_id_1>", True), added(10, "<extra_id_0>", True), added(11, "<more>", False)]
    folder(out, "t5-json", t5, {
        "tokenizer.json": tokenizer_json(vocab, 2, marks, {"type": "Sequence", "normalizers": [precompiled]}),
        "tokenizer_config.json": t5_config})

    xlmr = {"architectures": ["XLMRobertaModel"], "model_type": "xlm-roberta", "vocab_size": 13, "type_vocab_size": 1,
            "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1}
    names = {"bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>",
             "pad_token": "<pad>"}
    mask = {"content": "<mask>", "lstrip": True, "rstrip": False, "normalized": True, "single_word": False}
    xlmr_head = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
    folder(out, "xlmr-spm", {**xlmr, "type_vocab_size": 2}, {
        "sentencepiece.bpe.model": model(xlmr_head + words + odd, chars=chars),
        "tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer", **names, "mask_token": mask}})
    fairseq = [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0]]
    vocab = fairseq + [[text, score] for text, score in WORDS] + [["<mask>", 0.0]]
    marks = [added(i, text, True) for i, (text, _) in enumerate(fairseq)]
    marks += [{**added(10, "<mask>", True), "lstrip": True}, added(9, "ö", False)]
    for name, config in (
            ("xlmr-json", {"tokenizer_class": "XLMRobertaTokenizer", "clean_up_tokenization_spaces": True}),
            ("xlmr-plain", {"tokenizer_class": "PreTrainedTokenizerFast", "add_prefix_space": True})):
        folder(out, name, xlmr, {
            "tokenizer.json": tokenizer_json(vocab, 3, marks, precompiled, "<s>"),
            "tokenizer_config.json": {**config, **names, "mask_token": "<mask>"}})
    folder(out, "nomic-moe", {
        "architectures": ["NomicBertModel"], "model_type": "nomic_bert", "vocab_size": 250048, "type_vocab_size": 1,
        "moe_every_n_layers": 2}, {
        "sentencepiece.bpe.model": model(xlmr_head + words),
        "tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer", **names, "mask_token": mask}})


if __name__ == "__main__":
    main()
