//! Tiny models of many architectures, as GGUF files that llama.cpp loads and runs. What tensors an architecture has is
//! read off `src/models/*.cpp` of llama.cpp in the crate llama-cpp-sys-2 0.1.161.

mod table;

use fixture_models::{Dtype, values};
use gguf_format::{GgmlType, Metadata, Value};

use crate::gguf::{self, Tensor};

pub(crate) use table::ALL;

/// A name (`{}` stands for the block's number) and dimensions, the contiguous one first.
type Line = (&'static str, &'static [u64]);

/// The value of a key.
#[derive(Clone, Copy, Debug)]
enum Key {
    Number(u32),
    Float(f32),
    Flag(bool),
}

impl Key {
    fn value(self) -> Value {
        match self {
            Self::Number(number) => number.into(),
            Self::Float(float) => float.into(),
            Self::Flag(flag) => flag.into(),
        }
    }
}

/// A model of one architecture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Architecture {
    /// What it is called here.
    pub(crate) name: &'static str,
    /// `general.architecture`.
    id: &'static str,
    /// Keys behind the architecture's name, besides those that all have.
    keys: &'static [(&'static str, Key)],
    /// Tensors that are there once.
    once: &'static [Line],
    /// Tensors of each block.
    blocks: &'static [&'static [Line]],
    /// Element type of the matrices.
    dtype: Dtype,
}

impl Architecture {
    /// The model as a file.
    pub(crate) fn gguf(&self) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let mut tensors: Vec<Tensor> = self.once.iter().map(|line| self.tensor(line, 0)).collect();
        for (number, block) in self.blocks.iter().enumerate() {
            tensors.extend(block.iter().map(|line| self.tensor(line, number)));
        }
        gguf::file(self.metadata(), tensors)
    }

    fn metadata(&self) -> Metadata {
        let mut metadata = Metadata::new();
        metadata.insert("general.architecture", self.id);
        metadata.insert("general.name", self.name);
        let common = [
            ("context_length", Key::Number(table::CONTEXT as u32)),
            ("embedding_length", Key::Number(table::HIDDEN as u32)),
            ("block_count", Key::Number(self.blocks.len() as u32)),
        ];
        for (key, value) in common.iter().chain(self.keys) {
            metadata.insert(format!("{}.{key}", self.id), value.value());
        }
        vocabulary(&mut metadata);
        metadata
    }

    fn tensor(&self, (name, dims): &Line, block: usize) -> Tensor {
        let name = name.replace("{}", &block.to_string());
        let count = dims.iter().product();
        let seeded = format!("{}/{name}", self.name);
        // As converters do: vectors, and what is no weight of a product, stay in full precision.
        let is_matrix = dims.len() > 1 && name.ends_with(".weight") && !name.contains("ssm_conv1d");
        let (dtype, ty) = match self.dtype {
            Dtype::F16 if is_matrix => (Dtype::F16, GgmlType::F16),
            Dtype::Bf16 if is_matrix => (Dtype::Bf16, GgmlType::BF16),
            _ => (Dtype::F32, GgmlType::F32),
        };
        (name, dims.to_vec(), ty, values(&seeded, dtype, count))
    }
}

/// A SentencePiece vocabulary of all bytes and a few words.
fn vocabulary(metadata: &mut Metadata) {
    const WORDS: u64 = table::VOCABULARY - 3 - 256;
    let mut tokens: Vec<(String, f32, i32)> =
        vec![("<unk>".into(), 0.0, 2), ("<s>".into(), 0.0, 3), ("</s>".into(), 0.0, 3)];
    tokens.extend((0..256).map(|byte| (format!("<0x{byte:02X}>"), 0.0, 6)));
    let letters = ('a'..='z').map(String::from).chain(('a'..='z').map(|c| format!("\u{2581}{c}")));
    let pairs = ["th", "he", "in", "er", "an", "re", "on", "at", "en"].map(str::to_owned);
    let pieces = letters.chain(pairs).zip(0u16..).take(WORDS as usize);
    tokens.extend(pieces.map(|(piece, rank)| (piece, -f32::from(rank), 1)));
    metadata.insert("tokenizer.ggml.model", "llama");
    metadata.insert("tokenizer.ggml.tokens", tokens.iter().map(|t| t.0.clone()).collect::<Vec<_>>());
    metadata.insert("tokenizer.ggml.scores", tokens.iter().map(|t| t.1).collect::<Vec<_>>());
    metadata.insert("tokenizer.ggml.token_type", tokens.iter().map(|t| t.2).collect::<Vec<_>>());
    metadata.insert("tokenizer.ggml.bos_token_id", 1u32);
    metadata.insert("tokenizer.ggml.eos_token_id", 2u32);
    metadata.insert("tokenizer.ggml.unknown_token_id", 0u32);
}
