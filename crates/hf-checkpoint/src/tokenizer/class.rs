//! Which class of transformers would load a tokenizer: some take `tokenizer.json` as it is, others keep only its
//! vocabulary and merges and put the rest together again.
//!
//! The converter asks transformers for tokens and types, so the differences show in its output (read in transformers
//! 5.23, `models/auto/tokenization_auto.py` and each class's constructor).

use serde_json::Value;

use super::config::TokenizerConfig;
use super::json::TokenizerJson;

/// A class that puts the tokenizer together again.
#[derive(Debug)]
struct Class {
    name: &'static str,
    /// The special tokens it has where the configuration does not name them.
    defaults: &'static [(&'static str, &'static str)],
    /// It adds every special token once more, marked special.
    marks_specials: bool,
}

const ROBERTA: &[(&str, &str)] = &[
    ("bos_token", "<s>"),
    ("eos_token", "</s>"),
    ("sep_token", "</s>"),
    ("cls_token", "<s>"),
    ("unk_token", "<unk>"),
    ("pad_token", "<pad>"),
    ("mask_token", "<mask>"),
];
const BERT: &[(&str, &str)] = &[
    ("unk_token", "[UNK]"),
    ("sep_token", "[SEP]"),
    ("pad_token", "[PAD]"),
    ("cls_token", "[CLS]"),
    ("mask_token", "[MASK]"),
];

const CLASSES: &[Class] = &[
    Class {
        name: "LlamaTokenizer",
        defaults: &[("unk_token", "<unk>"), ("bos_token", "<s>"), ("eos_token", "</s>")],
        marks_specials: false,
    },
    Class {
        name: "Qwen2Tokenizer",
        defaults: &[
            ("unk_token", "<|endoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("pad_token", "<|endoftext|>"),
        ],
        marks_specials: true,
    },
    Class {
        name: "Qwen3_5Tokenizer",
        defaults: &[
            ("unk_token", "<|endoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("pad_token", "<|endoftext|>"),
        ],
        marks_specials: false,
    },
    Class {
        name: "CohereTokenizer",
        defaults: &[
            ("unk_token", "<UNK>"),
            ("bos_token", "<BOS_TOKEN>"),
            ("eos_token", "<|END_OF_TURN_TOKEN|>"),
            ("pad_token", "<PAD>"),
            ("cls_token", "<CLS>"),
            ("sep_token", "<SEP>"),
            ("mask_token", "<MASK_TOKEN>"),
        ],
        marks_specials: false,
    },
    Class {
        name: "GPT2Tokenizer",
        defaults: &[
            ("unk_token", "<|endoftext|>"),
            ("bos_token", "<|endoftext|>"),
            ("eos_token", "<|endoftext|>"),
        ],
        marks_specials: false,
    },
    Class {
        name: "GPTNeoXTokenizer",
        defaults: &[
            ("unk_token", "<|endoftext|>"),
            ("bos_token", "<|endoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("pad_token", "<|padding|>"),
        ],
        marks_specials: false,
    },
    Class {
        name: "GemmaTokenizer",
        defaults: &[
            ("unk_token", "<unk>"),
            ("bos_token", "<bos>"),
            ("eos_token", "<eos>"),
            ("pad_token", "<pad>"),
            ("mask_token", "<mask>"),
        ],
        marks_specials: false,
    },
    Class {
        name: "CodeLlamaTokenizer",
        defaults: &[
            ("unk_token", "<unk>"),
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("prefix_token", "▁<PRE>"),
            ("middle_token", "▁<MID>"),
            ("suffix_token", "▁<SUF>"),
            ("eot_token", "▁<EOT>"),
            ("fill_token", "<FILL_ME>"),
        ],
        marks_specials: false,
    },
    Class { name: "BertTokenizer", defaults: BERT, marks_specials: false },
    Class { name: "RobertaTokenizer", defaults: ROBERTA, marks_specials: false },
    Class { name: "XLMRobertaTokenizer", defaults: ROBERTA, marks_specials: false },
    Class {
        name: "T5Tokenizer",
        defaults: &[("eos_token", "</s>"), ("unk_token", "<unk>"), ("pad_token", "<pad>")],
        marks_specials: false,
    },
];

/// The classes that are registered for types of models.
const REGISTERED: &[(&str, &[&str])] = &[
    (
        "Qwen2Tokenizer",
        &["qwen2", "qwen2_moe", "qwen2_5_vl", "qwen3", "qwen3_moe", "qwen3_next", "qwen3_vl", "qwen3_vl_moe"],
    ),
    ("Qwen3_5Tokenizer", &["qwen3_5", "qwen3_5_text", "qwen3_5_moe", "qwen3_5_moe_text"]),
    ("GemmaTokenizer", &["gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma3n_text"]),
    ("GPT2Tokenizer", &["gpt2", "phi", "starcoder2"]),
    ("GPTNeoXTokenizer", &["gpt_neox", "olmo", "olmoe", "mpt", "mamba", "mamba2"]),
    ("CohereTokenizer", &["cohere", "cohere2"]),
    ("BertTokenizer", &["bert", "nomic_bert"]),
    ("RobertaTokenizer", &["roberta"]),
    ("XLMRobertaTokenizer", &["xlm-roberta"]),
    ("T5Tokenizer", &["t5"]),
];
/// Types that are registered with the class that takes the file as it is, whatever class the folder names.
const AS_THEY_ARE: &[&str] = &[
    "ernie4_5",
    "ernie4_5_moe",
    "glm4",
    "glm4_moe",
    "granite",
    "granitemoe",
    "granitemoehybrid",
    "minicpm3",
    "ministral3",
    "mistral",
    "mistral3",
    "mixtral",
    "modernbert",
    "nemotron",
    "olmo2",
    "olmo3",
    "phi3",
    "phimoe",
    "stablelm",
    "umt5",
];
/// Types for which transformers trusts itself rather than the folder.
const OVERRULED: &[&str] = &["qwen2", "qwen3_5", "qwen3_5_moe", "qwen3_5_moe_text"];

/// How the added tokens come about.
#[derive(Debug)]
pub(super) struct Loading {
    /// The added tokens of `tokenizer.json` are taken; else only those of the configuration, if it lists any.
    pub from_file: bool,
    pub defaults: &'static [(&'static str, &'static str)],
    pub marks_specials: bool,
}

const AS_IT_IS: Loading = Loading { from_file: true, defaults: &[], marks_specials: false };

/// What `AutoTokenizer` would do with a folder.
pub(super) fn loading(json: &TokenizerJson, tokenizer: &TokenizerConfig, config: &Value) -> Loading {
    let model_type = config.get("model_type").and_then(Value::as_str).unwrap_or("");
    let declared = tokenizer
        .text("tokenizer_class")
        .or_else(|| config.get("tokenizer_class").and_then(Value::as_str))
        .map(|name| name.strip_suffix("Fast").unwrap_or(name));
    if AS_THEY_ARE.contains(&model_type) {
        return AS_IT_IS;
    }
    let registered =
        REGISTERED.iter().find(|(_, types)| types.contains(&model_type)).map(|(class, _)| *class);
    let overrules = OVERRULED.contains(&model_type);
    let name = match (declared, registered) {
        (Some("LlamaTokenizer"), _) if !overrules && has_byte_level(json) => None,
        (Some(_), Some(own)) if overrules => Some(own),
        (declared, own) => declared.or(own),
    };
    match name.and_then(|name| CLASSES.iter().find(|c| c.name == name)) {
        Some(class) => {
            Loading { from_file: false, defaults: class.defaults, marks_specials: class.marks_specials }
        }
        None => AS_IT_IS,
    }
}

/// transformers looks for the quoted word anywhere in the file.
fn has_byte_level(json: &TokenizerJson) -> bool {
    [&json.pre_tokenizer, &json.decoder, &json.post_processor, &json.normalizer]
        .into_iter()
        .any(|component| component.to_string().contains("\"ByteLevel\""))
}
