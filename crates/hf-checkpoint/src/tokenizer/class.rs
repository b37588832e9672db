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
    let registered = match model_type {
        "qwen2" | "qwen2_moe" | "qwen3" | "qwen3_moe" => Some("Qwen2Tokenizer"),
        "bert" => Some("BertTokenizer"),
        "roberta" => Some("RobertaTokenizer"),
        "xlm-roberta" => Some("XLMRobertaTokenizer"),
        "t5" => Some("T5Tokenizer"),
        _ => None,
    };
    // For this type transformers trusts itself rather than the folder.
    let overrules = model_type == "qwen2";
    let name = match (declared, registered) {
        (Some("LlamaTokenizer"), _) if !overrules && has_byte_level(json) => None,
        (_, Some(own)) if overrules => Some(own),
        // Mistral's types are registered with the class that takes the file as it is.
        (Some(_), None) if matches!(model_type, "mistral" | "mixtral") => None,
        (Some(declared), _) => Some(declared),
        (None, own) => own,
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
