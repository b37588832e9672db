//! What tensors a family of models has, under Hugging Face's names: tables, and the loop over them.

use crate::weights::Kind::{self, Bias, InverseFrequencies, Norm, Positions, Weight};

/// The sizes a model's shapes are made of.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Width of the residual stream.
    pub hidden: u64,
    /// Width of the feed-forward layer.
    pub ffn: u64,
    /// Attention heads.
    pub heads: u64,
    /// Heads of keys and values.
    pub kv_heads: u64,
    /// Width of one head.
    pub head_dim: u64,
    /// Rows of the embedding.
    pub vocab: u64,
    /// Positions that have an embedding (BERT).
    pub positions: u64,
    /// Blocks.
    pub layers: u64,
}

/// One dimension of a shape, by name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Dim {
    Hidden,
    Ffn,
    Queries,
    Keys,
    Head,
    HalfHead,
    Vocab,
    Positions,
    Segments,
    Experts,
    /// Gate and up in one.
    BothFfn,
    One,
}

impl Dim {
    fn of(self, sizes: &Sizes) -> u64 {
        match self {
            Self::Hidden => sizes.hidden,
            Self::Ffn => sizes.ffn,
            Self::Queries => sizes.heads * sizes.head_dim,
            Self::Keys => sizes.kv_heads * sizes.head_dim,
            Self::Head => sizes.head_dim,
            Self::HalfHead => sizes.head_dim / 2,
            Self::Vocab => sizes.vocab,
            Self::Positions => sizes.positions,
            Self::Segments => 2,
            Self::Experts => 8,
            Self::BothFfn => 2 * sizes.ffn,
            Self::One => 1,
        }
    }
}

/// One line of a table: a name (`{}` stands for the block's number), a shape as PyTorch writes it, a kind.
pub(crate) type Line = (&'static str, &'static [Dim], Kind);

/// A named set of tables. A model is a list of these.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// Tensors that are there once.
    pub(crate) once: &'static [Line],
    /// Tensors of every block.
    pub(crate) block: &'static [Line],
}

use Dim::{BothFfn, Experts, Ffn, HalfHead, Head, Hidden, Keys, One, Queries, Segments, Vocab};

/// What every decoder here has (Llama, Mistral, Qwen): all but the feed-forward layers.
pub(crate) const DECODER: Part = Part {
    once: &[("model.embed_tokens.weight", &[Vocab, Hidden], Weight), ("model.norm.weight", &[Hidden], Norm)],
    block: &[
        ("model.layers.{}.input_layernorm.weight", &[Hidden], Norm),
        ("model.layers.{}.post_attention_layernorm.weight", &[Hidden], Norm),
        ("model.layers.{}.self_attn.k_proj.weight", &[Keys, Hidden], Weight),
        ("model.layers.{}.self_attn.o_proj.weight", &[Hidden, Queries], Weight),
        ("model.layers.{}.self_attn.q_proj.weight", &[Queries, Hidden], Weight),
        ("model.layers.{}.self_attn.v_proj.weight", &[Keys, Hidden], Weight),
    ],
};

/// Feed-forward layers.
pub(crate) const FORWARD: Part = Part {
    once: &[],
    block: &[
        ("model.layers.{}.mlp.down_proj.weight", &[Hidden, Ffn], Weight),
        ("model.layers.{}.mlp.gate_proj.weight", &[Ffn, Hidden], Weight),
        ("model.layers.{}.mlp.up_proj.weight", &[Ffn, Hidden], Weight),
    ],
};

/// Mixtures of experts in place of them, as transformers 5 saves Mixtral's: all experts of a block in one tensor.
pub(crate) const MIXTURE: Part = Part {
    once: &[],
    block: &[
        ("model.layers.{}.mlp.experts.down_proj", &[Experts, Hidden, Ffn], Weight),
        ("model.layers.{}.mlp.experts.gate_up_proj", &[Experts, BothFfn, Hidden], Weight),
        ("model.layers.{}.mlp.gate.weight", &[Experts, Hidden], Weight),
    ],
};

/// An output layer of its own.
pub(crate) const UNTIED: Part = Part { once: &[("lm_head.weight", &[Vocab, Hidden], Weight)], block: &[] };

/// Qwen2's biases.
pub(crate) const QKV_BIASES: Part = Part {
    once: &[],
    block: &[
        ("model.layers.{}.self_attn.k_proj.bias", &[Keys], Bias),
        ("model.layers.{}.self_attn.q_proj.bias", &[Queries], Bias),
        ("model.layers.{}.self_attn.v_proj.bias", &[Keys], Bias),
    ],
};

/// Qwen3's norms of queries and keys.
pub(crate) const QK_NORMS: Part = Part {
    once: &[],
    block: &[
        ("model.layers.{}.self_attn.k_norm.weight", &[Head], Norm),
        ("model.layers.{}.self_attn.q_norm.weight", &[Head], Norm),
    ],
};

/// What Llama checkpoints of 2023 carried along.
pub(crate) const ROTARY: Part = Part {
    once: &[],
    block: &[("model.layers.{}.self_attn.rotary_emb.inv_freq", &[HalfHead], InverseFrequencies)],
};

/// BERT, as sentence-transformers saves it.
pub(crate) const BERT: Part = Part {
    once: &[
        ("embeddings.LayerNorm.bias", &[Hidden], Bias),
        ("embeddings.LayerNorm.weight", &[Hidden], Norm),
        ("embeddings.position_embeddings.weight", &[Dim::Positions, Hidden], Weight),
        ("embeddings.position_ids", &[One, Dim::Positions], Positions),
        ("embeddings.token_type_embeddings.weight", &[Segments, Hidden], Weight),
        ("embeddings.word_embeddings.weight", &[Vocab, Hidden], Weight),
        ("pooler.dense.bias", &[Hidden], Bias),
        ("pooler.dense.weight", &[Hidden, Hidden], Weight),
    ],
    block: &[
        ("encoder.layer.{}.attention.output.LayerNorm.bias", &[Hidden], Bias),
        ("encoder.layer.{}.attention.output.LayerNorm.weight", &[Hidden], Norm),
        ("encoder.layer.{}.attention.output.dense.bias", &[Hidden], Bias),
        ("encoder.layer.{}.attention.output.dense.weight", &[Hidden, Queries], Weight),
        ("encoder.layer.{}.attention.self.key.bias", &[Keys], Bias),
        ("encoder.layer.{}.attention.self.key.weight", &[Keys, Hidden], Weight),
        ("encoder.layer.{}.attention.self.query.bias", &[Queries], Bias),
        ("encoder.layer.{}.attention.self.query.weight", &[Queries, Hidden], Weight),
        ("encoder.layer.{}.attention.self.value.bias", &[Keys], Bias),
        ("encoder.layer.{}.attention.self.value.weight", &[Keys, Hidden], Weight),
        ("encoder.layer.{}.intermediate.dense.bias", &[Ffn], Bias),
        ("encoder.layer.{}.intermediate.dense.weight", &[Ffn, Hidden], Weight),
        ("encoder.layer.{}.output.LayerNorm.bias", &[Hidden], Bias),
        ("encoder.layer.{}.output.LayerNorm.weight", &[Hidden], Norm),
        ("encoder.layer.{}.output.dense.bias", &[Hidden], Bias),
        ("encoder.layer.{}.output.dense.weight", &[Hidden, Ffn], Weight),
    ],
};

/// A tensor with its name and shape worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shaped {
    pub(crate) name: String,
    /// The table's name, with `{}` where the block's number goes.
    pub(crate) template: &'static str,
    pub(crate) shape: Vec<u64>,
    pub(crate) kind: Kind,
}

/// All tensors of the parts, sorted by name (as the safetensors library writes them).
pub(crate) fn tensors(parts: &[Part], sizes: &Sizes) -> Vec<Shaped> {
    let shaped = |(template, dims, kind): &Line, layer: u64| Shaped {
        name: template.replace("{}", &layer.to_string()),
        template,
        shape: dims.iter().map(|d| d.of(sizes)).collect(),
        kind: *kind,
    };
    let mut out = Vec::new();
    for part in parts {
        out.extend(part.once.iter().map(|line| shaped(line, 0)));
        out.extend(
            (0..sizes.layers).flat_map(|layer| part.block.iter().map(move |line| shaped(line, layer))),
        );
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    out
}
