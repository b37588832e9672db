//! Which class of transformers would load a tokenizer: some take `tokenizer.json` as it is, others keep only its
//! vocabulary and merges and put the rest together again. These read older files, too (`old.rs`).
//!
//! The converter asks transformers for tokens and types, so the differences show in its output (read in transformers
//! 5.23, `models/auto/tokenization_auto.py` and each class's constructor).

use serde_json::Value;

use super::config::TokenizerConfig;
use super::json::TokenizerJson;
use super::pre::{QWEN2, QWEN35};

/// A class that puts the tokenizer together again.
#[derive(Debug)]
pub(super) struct Class {
    /// Its name, then others that it goes by, without `Fast` at the end.
    names: &'static [&'static str],
    /// The special tokens it has where the configuration does not name them.
    pub defaults: &'static [(&'static str, &'static str)],
    /// It adds every special token once more, marked special.
    marks_specials: bool,
    /// What it makes of files from before `tokenizer.json`.
    pub form: Form,
}

/// What a class puts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// WordPiece of `vocab.txt`.
    WordPiece,
    /// Byte-level BPE of `vocab.json` and `merges.txt`; text is split by GPT-2's expression.
    Gpt2,
    /// The same in NFC.
    Nfc,
    /// The same in NFC, each digit by itself.
    NfcDigits,
    /// The same in NFC, by this expression.
    NfcSplit(&'static str),
    /// As GPT-2's, with RoBERTa's tokens around a text.
    Roberta,
    /// SentencePiece, which other parts read.
    SentencePiece,
}

impl Class {
    /// The name it is best known by.
    pub(super) fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }
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
        names: &["LlamaTokenizer"],
        defaults: &[("unk_token", "<unk>"), ("bos_token", "<s>"), ("eos_token", "</s>")],
        marks_specials: false,
        form: Form::SentencePiece,
    },
    Class {
        names: &["Qwen2Tokenizer"],
        defaults: &[
            ("unk_token", "<|endoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("pad_token", "<|endoftext|>"),
        ],
        marks_specials: true,
        form: Form::NfcSplit(QWEN2),
    },
    Class {
        names: &["Qwen3_5Tokenizer"],
        defaults: &[
            ("unk_token", "<|endoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("pad_token", "<|endoftext|>"),
        ],
        marks_specials: false,
        form: Form::NfcSplit(QWEN35),
    },
    Class {
        names: &["CohereTokenizer"],
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
        form: Form::NfcDigits,
    },
    Class {
        names: &["GPT2Tokenizer", "CodeGenTokenizer"],
        defaults: &[
            ("unk_token", "<|endoftext|>"),
            ("bos_token", "<|endoftext|>"),
            ("eos_token", "<|endoftext|>"),
        ],
        marks_specials: false,
        form: Form::Gpt2,
    },
    Class {
        names: &["GPTNeoXTokenizer"],
        defaults: &[
            ("unk_token", "<|endoftext|>"),
            ("bos_token", "<|endoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("pad_token", "<|padding|>"),
        ],
        marks_specials: false,
        form: Form::Nfc,
    },
    Class {
        names: &["GemmaTokenizer"],
        defaults: &[
            ("unk_token", "<unk>"),
            ("bos_token", "<bos>"),
            ("eos_token", "<eos>"),
            ("pad_token", "<pad>"),
            ("mask_token", "<mask>"),
        ],
        marks_specials: false,
        form: Form::SentencePiece,
    },
    Class {
        names: &["CodeLlamaTokenizer"],
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
        form: Form::SentencePiece,
    },
    Class {
        names: &["BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer"],
        defaults: BERT,
        marks_specials: false,
        form: Form::WordPiece,
    },
    Class {
        names: &["RobertaTokenizer", "BartTokenizer", "LongformerTokenizer", "LEDTokenizer"],
        defaults: ROBERTA,
        marks_specials: false,
        form: Form::Roberta,
    },
    Class {
        names: &["XLMRobertaTokenizer"],
        defaults: ROBERTA,
        marks_specials: false,
        form: Form::SentencePiece,
    },
    Class {
        names: &["T5Tokenizer"],
        defaults: &[("eos_token", "</s>"), ("unk_token", "<unk>"), ("pad_token", "<pad>")],
        marks_specials: false,
        form: Form::SentencePiece,
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
    ("BertTokenizer", &["bert", "distilbert", "nomic_bert"]),
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
    if let Some(class) = json.built_by {
        return class.loading();
    }
    let model_type = model_type(config);
    let declared = declared(tokenizer, config);
    if AS_THEY_ARE.contains(&model_type) {
        return AS_IT_IS;
    }
    let registered = registered(model_type);
    let overrules = OVERRULED.contains(&model_type);
    let name = match (declared, registered) {
        (Some("LlamaTokenizer"), _) if !overrules && has_byte_level(json) => None,
        (Some(_), Some(own)) if overrules => Some(own),
        (declared, own) => declared.or(own),
    };
    name.and_then(class).map_or(AS_IT_IS, Class::loading)
}

impl Class {
    pub(super) fn loading(&self) -> Loading {
        Loading { from_file: false, defaults: self.defaults, marks_specials: self.marks_specials }
    }
}

/// The class that reads a folder without `tokenizer.json`; else the name that no class has, empty if none is given.
///
/// A type of model that is registered with the class for `tokenizer.json` is one that transformers does not load from older
/// files: there the class counts that the folder names.
pub(super) fn of_old_files(
    tokenizer: &TokenizerConfig,
    config: &Value,
) -> Result<&'static Class, Option<String>> {
    let model_type = model_type(config);
    let (declared, registered) = (declared(tokenizer, config), registered(model_type));
    let name =
        if OVERRULED.contains(&model_type) { registered.or(declared) } else { declared.or(registered) };
    name.and_then(class).ok_or_else(|| name.map(str::to_owned))
}

/// The classes that read older files, for messages.
pub(super) fn old_names() -> String {
    let names: Vec<_> = CLASSES.iter().filter(|c| c.form != Form::SentencePiece).map(Class::name).collect();
    names.join(", ")
}

fn class(name: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.names.contains(&name))
}

fn model_type(config: &Value) -> &str {
    config.get("model_type").and_then(Value::as_str).unwrap_or("")
}

/// The class that the folder names.
fn declared<'a>(tokenizer: &'a TokenizerConfig, config: &'a Value) -> Option<&'a str> {
    let name = tokenizer
        .text("tokenizer_class")
        .or_else(|| config.get("tokenizer_class").and_then(Value::as_str))?;
    Some(name.strip_suffix("Fast").unwrap_or(name))
}

/// The class that transformers has for a type of model.
fn registered(model_type: &str) -> Option<&'static str> {
    REGISTERED.iter().find(|(_, types)| types.contains(&model_type)).map(|(class, _)| *class)
}

/// transformers looks for the quoted word anywhere in the file.
fn has_byte_level(json: &TokenizerJson) -> bool {
    [&json.pre_tokenizer, &json.decoder, &json.post_processor, &json.normalizer]
        .into_iter()
        .any(|component| component.to_string().contains("\"ByteLevel\""))
}
