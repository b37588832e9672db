//! What part of a model a tensor is, as far as the mixes care.

/// The part of a model that a tensor belongs to, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Category {
    Output,
    TokenEmbedding,
    AttentionQkv,
    AttentionKvB,
    AttentionV,
    AttentionK,
    AttentionQ,
    AttentionOutput,
    FfnUp,
    FfnGate,
    FfnDown,
    Other,
}

/// Names that decide the category as a whole.
const WHOLE: &[(&str, Category)] = &[
    ("output.weight", Category::Output),
    ("token_embd.weight", Category::TokenEmbedding),
    ("per_layer_token_embd.weight", Category::TokenEmbedding),
];

/// Parts of names that decide the category; the first that occurs does. The parts of the feed-forward network
/// match experts (`ffn_up_exps`) and shared experts as well.
const PARTS: &[(&str, Category)] = &[
    ("attn_qkv.weight", Category::AttentionQkv),
    ("attn_kv_b.weight", Category::AttentionKvB),
    ("attn_v.weight", Category::AttentionV),
    ("attn_k.weight", Category::AttentionK),
    ("attn_q.weight", Category::AttentionQ),
    ("attn_output.weight", Category::AttentionOutput),
    ("ffn_up", Category::FfnUp),
    ("ffn_gate", Category::FfnGate),
    ("ffn_down", Category::FfnDown),
];

impl Category {
    /// Every category.
    pub(crate) const ALL: &'static [Self] = &[
        Self::Output,
        Self::TokenEmbedding,
        Self::AttentionQkv,
        Self::AttentionKvB,
        Self::AttentionV,
        Self::AttentionK,
        Self::AttentionQ,
        Self::AttentionOutput,
        Self::FfnUp,
        Self::FfnGate,
        Self::FfnDown,
        Self::Other,
    ];

    /// The category of a tensor of this name (`tensor_get_category` in llama.cpp's `llama-quant.cpp`).
    pub(crate) fn of(name: &str) -> Self {
        let whole = WHOLE.iter().find(|(known, _)| name == *known);
        let part = || PARTS.iter().find(|(part, _)| name.contains(part));
        whole.or_else(part).map_or(Self::Other, |&(_, category)| category)
    }

    /// Whether a tensor holds the attention's values: alone, with queries and keys, or compressed.
    pub(crate) fn holds_values(self) -> bool {
        matches!(self, Self::AttentionV | Self::AttentionQkv | Self::AttentionKvB)
    }
}
