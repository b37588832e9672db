//! llama.cpp's pre-tokenizers for BPE: the names it accepts, and how it splits a text by each
//! (`llama_vocab::impl::load` and `llm_tokenizer_bpe` in `llama-vocab.cpp` of the pinned version).
//!
//! Names of one group split alike. They may differ in what else llama.cpp does by them: whether a word that is a token
//! skips the merges, whether decoding tidies spaces, whether it adds tokens where the file does not say. `choices` tells
//! which name a tokenizer of a vocabulary of its own gets: the group's oldest one that treats merges as the tokenizer
//! does, for that is the one that most programs know.

/// Names that split alike.
#[derive(Debug)]
pub(super) struct Group {
    /// Each in turn: what it finds, and what lies between, is split off.
    pub regexes: &'static [&'static str],
    /// Names, and when they are the right ones: the first that applies.
    pub choices: &'static [(&'static str, When)],
    /// Names that only their vocabularies tell.
    pub alike: &'static [&'static str],
}

/// When a name is the right one of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// The model's `ignore_merges` is this.
    IgnoresMerges(bool),
    /// The text is composed first (NFC).
    Composes,
    /// The post-processor is RoBERTa's.
    Roberta,
    /// The first split is spelled so.
    Spelled(&'static str),
    Otherwise,
}

use When::{Composes, IgnoresMerges, Otherwise, Roberta, Spelled};

pub(super) const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
pub(in super::super) const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
pub(in super::super) const QWEN35: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;
const SPARK: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+"##;
const DEEPSEEK_LETTERS: &str = r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+";
const JAIS2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}";
const SEED_CODER: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const BAILING: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
const EXAONE_MOE: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+";
const UFAKZEKA: &str = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const MINICPM5: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const BLOOM: &str = r" ?[^(\s|.,!?…。，、।۔،)]+";
const YOUTU_SCRIPTS: &str = r"[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+";
const YOUTU: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// llama.cpp has a function for this one (`unicode.cpp`): Han apart from other letters.
const KIMI: &str = r"\p{Han}+|[^\r\n\p{L}\p{N}]?[[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]&&[^\p{Han}]]*[[\p{Ll}\p{Lm}\p{Lo}\p{M}]&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]&&[^\p{Han}]]+[[\p{Ll}\p{Lm}\p{Lo}\p{M}]&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// Another function of llama.cpp's: digits by threes, counted from the end of the number.
const AFMOE_DIGITS: &str = r"\p{N}{1,3}(?=(?:\p{N}{3})*(?:\P{N}|$))";
const AFMOE_SCRIPTS: &str = r"[一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+";

/// The groups of byte-level BPE.
pub(super) const GROUPS: &[Group] = &[
    Group {
        regexes: &[LLAMA3],
        choices: &[("llama-bpe", IgnoresMerges(true)), ("dbrx", Otherwise)],
        alike: &[
            "llama3",
            "llama-v3",
            "falcon3",
            "falcon-h1",
            "pixtral",
            "midm-2.0",
            "lfm2",
            "jina-v5-nano",
            "glm4",
            "glm5",
            "smaug-bpe",
            "chatglm-bpe",
        ],
    },
    Group {
        regexes: &[QWEN2],
        choices: &[("bailingmoe", Spelled(BAILING)), ("qwen2", Otherwise)],
        alike: &[
            "deepseek-r1-qwen",
            "kormo",
            "f2llmv2",
            "stablelm2",
            "hunyuan",
            "solar-open",
            "grok-2",
            "megrez",
            "bailingmoe2",
            "llada-moe",
        ],
    },
    Group { regexes: &[QWEN35], choices: &[("qwen35", Otherwise)], alike: &[] },
    Group {
        regexes: &[GPT2],
        choices: &[("roberta-bpe", Roberta), ("olmo", Composes), ("gpt-2", Otherwise)],
        alike: &[
            "phi-2",
            "jina-es",
            "jina-de",
            "jina-v1-en",
            "jina-v2-code",
            "jina-v2-es",
            "jina-v2-de",
            "gigachat",
            "a.x-4.0",
            "mellum",
            "modern-bert",
            "exaone4",
            "mpt",
            "jais",
            "trillion",
            "granite-docling",
        ],
    },
    Group {
        regexes: &[r"\p{N}", GPT2],
        choices: &[("command-r", Composes), ("smollm", Otherwise)],
        alike: &["starcoder", "refact", "codeshell", "exaone", "minerva-7b", "mellum2"],
    },
    Group {
        regexes: &[GPT4O],
        choices: &[("gpt-4o", Otherwise)],
        alike: &["llama4", "kanana2", "talkie", "minimax-m2", "granite-embed-multi-97m"],
    },
    Group { regexes: &[TEKKEN], choices: &[("tekken", Otherwise)], alike: &[] },
    Group {
        regexes: &[r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK3],
        choices: &[("deepseek-v3", Otherwise)],
        alike: &["hunyuan-dense", "joyai-llm", "hy_v4"],
    },
    Group {
        regexes: &[r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", SPARK, r"\p{N}"],
        choices: &[("spark2_5", Otherwise)],
        alike: &[],
    },
    Group {
        regexes: &[r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", r"\p{N}"],
        choices: &[("deepseek-coder", Otherwise)],
        alike: &[],
    },
    Group {
        // llama.cpp keeps digits together; the model's tokenizer does not.
        regexes: &[
            r"[\r\n]",
            DEEPSEEK_LETTERS,
            r"\s?[!-/:-~！-／：-～‘-‟　-。]+",
            r"\s+$",
            "[一-龥ࠀ-一가-퟿]+",
            r"\p{N}",
        ],
        choices: &[("deepseek-llm", Otherwise)],
        alike: &[],
    },
    Group {
        regexes: &[r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]"],
        choices: &[("falcon", Otherwise)],
        alike: &[],
    },
    Group {
        regexes: &[r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],
        choices: &[("default", Otherwise)],
        alike: &[],
    },
    Group { regexes: &[JAIS2], choices: &[("jais-2", Otherwise)], alike: &[] },
    Group { regexes: &[SEED_CODER], choices: &[("seed-coder", Otherwise)], alike: &[] },
    Group { regexes: &[EXAONE_MOE], choices: &[("exaone-moe", Otherwise)], alike: &[] },
    Group { regexes: &[UFAKZEKA], choices: &[("ufakzeka", Otherwise)], alike: &[] },
    Group { regexes: &[r"\p{N}{1,3}", MINICPM5], choices: &[("minicpm5", Otherwise)], alike: &[] },
    Group {
        regexes: &[r"\d{1,3}(?=(?:\d{3})*\b)", GPT4O],
        choices: &[("tiny_aya", Otherwise)],
        alike: &["cohere2moe"],
    },
    Group { regexes: &[r"\p{N}+", r"(?=(\d{3})+(?!\d))"], choices: &[("superbpe", Otherwise)], alike: &[] },
    Group { regexes: &[BLOOM], choices: &[("bloom", Otherwise)], alike: &["poro-chat", "gpt3-finnish"] },
    Group { regexes: &[BLOOM, r"\p{N}"], choices: &[("viking", Otherwise)], alike: &[] },
    Group { regexes: &[YOUTU_SCRIPTS, YOUTU], choices: &[("youtu", Otherwise)], alike: &[] },
    Group { regexes: &[KIMI], choices: &[("kimi-k2", Otherwise)], alike: &[] },
    Group {
        regexes: &[AFMOE_DIGITS, AFMOE_SCRIPTS, DEEPSEEK3],
        choices: &[("afmoe", Otherwise)],
        alike: &[],
    },
    Group { regexes: &[r"[^\n]+|[\n]+", QWEN2], choices: &[("laguna", Otherwise)], alike: &[] },
    Group {
        regexes: &[
            "<sentinel:[0-9]+>",
            "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
            r"([\t\n]|    |  )",
            r"\p{N}",
            r"[\p{P}!-/:-@\[-`{-~]",
            GPT2,
        ],
        choices: &[("chameleon", Otherwise)],
        alike: &[],
    },
];

/// The names of BPE on the text itself, without GPT-2's alphabet: merges run over whole lines, a space is `▁`.
pub(super) const RAW: &[&str] = &["gemma4", "granite-embed-multi-311m", "sarvam-moe"];
/// The name of words between spaces, without the alphabet. Only Jina's Chinese model has it, as a model of its own.
const WORDS: &str = "whitespace";

impl Group {
    /// All names of the group.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.choices.iter().map(|(name, _)| *name).chain(self.alike.iter().copied())
    }
}

/// Every name that llama.cpp accepts.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().flat_map(Group::names).chain(RAW.iter().copied()).chain([WORDS])
}
