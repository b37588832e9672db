//! The table of models.

use crate::family::{BERT, DECODER, FORWARD, Part, QK_NORMS, QKV_BIASES, ROTARY, Sizes, UNTIED};
use crate::weights::Dtype;

/// One model: which folder, which tensors, which element type.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    /// What it is called here.
    pub name: &'static str,
    /// What its folder is called: `general.name`, `basename`, `version` and the like are read off it.
    pub folder: &'static str,
    /// What it is there to show.
    pub shows: &'static str,
    /// Tables of tensors.
    pub(crate) parts: &'static [Part],
    /// The sizes that fill them.
    pub sizes: Sizes,
    /// Element type of the weights.
    pub dtype: Dtype,
    /// Element type of norms and biases.
    pub norm_dtype: Dtype,
    /// Number of safetensors files.
    pub shards: usize,
    /// All blocks have the same weights: for the model whose many blocks would make its golden file large.
    pub(crate) same_blocks: bool,
    /// The converter's name for the tokenizer's family (`tokenizer.ggml.pre`), where it looks a hash up that a
    /// vocabulary cut down to a few hundred tokens cannot have; `None` where it looks nothing up.
    pub pre: Option<&'static str>,
}

const fn sizes(
    hidden: u64,
    ffn: u64,
    heads: u64,
    kv_heads: u64,
    head_dim: u64,
    vocab: u64,
    layers: u64,
) -> Sizes {
    Sizes { hidden, ffn, heads, kv_heads, head_dim, vocab, positions: 128, layers }
}

const LLAMA: Model = Model {
    name: "llama",
    folder: "Tiny-Llama-3.2-1M-Instruct",
    shows: "BF16, byte-level BPE, tied head, 4 query heads a key head, rope scaling llama3, model card",
    parts: &[DECODER, FORWARD],
    sizes: sizes(256, 512, 8, 2, 32, 456, 3),
    dtype: Dtype::Bf16,
    norm_dtype: Dtype::Bf16,
    shards: 1,
    same_blocks: false,
    pre: Some("llama-bpe"),
};

/// The models, each once.
pub(crate) static MODELS: &[Model] = &[
    LLAMA,
    Model {
        name: "llama-sharded",
        folder: "tiny-llama-untied-v2",
        shows: "F16 in three shards, own head, as many key heads as query heads, SmolLM's tokenizer form",
        parts: &[DECODER, FORWARD, UNTIED],
        sizes: sizes(512, 768, 8, 8, 64, 480, 2),
        dtype: Dtype::F16,
        norm_dtype: Dtype::F16,
        shards: 3,
        pre: Some("smollm"),
        ..LLAMA
    },
    Model {
        name: "llama-spm",
        folder: "spm-llama",
        shows: "F32, SentencePiece with added tokens, rope scaling linear, stray inv_freq tensors",
        parts: &[DECODER, FORWARD, UNTIED, ROTARY],
        sizes: sizes(256, 512, 4, 2, 64, 488, 2),
        dtype: Dtype::F32,
        norm_dtype: Dtype::F32,
        pre: None,
        ..LLAMA
    },
    Model {
        name: "mistral",
        folder: "Tiny-Mistral-7B-Instruct-v0.3",
        shows: "BF16 with F32 norms, BPE with byte fallback, head_dim apart from hidden / heads, own head",
        parts: &[DECODER, FORWARD, UNTIED],
        sizes: sizes(256, 768, 6, 3, 64, 512, 3),
        norm_dtype: Dtype::F32,
        pre: None,
        ..LLAMA
    },
    Model {
        name: "qwen2",
        folder: "qwen2.5-mini-chat",
        shows: "BF16, biases, rope scaling yarn, more embedding rows than tokens",
        parts: &[DECODER, FORWARD, UNTIED, QKV_BIASES],
        sizes: sizes(256, 512, 4, 2, 64, 512, 2),
        pre: Some("qwen2"),
        ..LLAMA
    },
    Model {
        name: "qwen3",
        folder: "Qwen3-0.001B-Thinking-2507",
        shows: "BF16, norms of Q and K, a config as transformers 5 writes it, plain added tokens, model card",
        parts: &[DECODER, FORWARD, QK_NORMS],
        sizes: sizes(256, 768, 8, 2, 64, 448, 3),
        pre: Some("qwen2"),
        ..LLAMA
    },
    Model {
        name: "bert",
        folder: "all-tiny-L2-v2",
        shows: "F32, WordPiece, an odd number of tokens, pooling, tensors a converter drops",
        parts: &[BERT],
        sizes: sizes(256, 512, 4, 4, 64, 511, 2),
        dtype: Dtype::F32,
        norm_dtype: Dtype::F32,
        pre: Some("jina-v2-en"),
        ..LLAMA
    },
    Model {
        name: "llama-rows-32",
        folder: "llama-rows-of-160-and-96",
        shows: "rows that are multiples of 32 and not of 256: the first fallback",
        parts: &[DECODER, FORWARD, UNTIED],
        sizes: sizes(160, 96, 5, 1, 32, 288, 2),
        ..LLAMA
    },
    Model {
        name: "llama-rows-16",
        folder: "llama-rows-of-80-and-72",
        shows: "rows that are multiples of neither: the last fallback",
        parts: &[DECODER, FORWARD],
        sizes: sizes(80, 72, 5, 5, 16, 288, 2),
        ..LLAMA
    },
    Model {
        name: "llama-10-layers",
        folder: "llama-ten-layers",
        shows: "enough blocks that first, middle and last ones get different types",
        parts: &[DECODER, FORWARD, UNTIED],
        sizes: sizes(256, 256, 4, 1, 64, 288, 10),
        ..LLAMA
    },
    Model {
        name: "llama-80-layers",
        folder: "llama-eighty-layers",
        shows: "the number of blocks by which llama.cpp takes a model for one of 70 billion weights",
        parts: &[DECODER, FORWARD],
        sizes: sizes(256, 32, 2, 1, 16, 288, 80),
        same_blocks: true,
        ..LLAMA
    },
];
