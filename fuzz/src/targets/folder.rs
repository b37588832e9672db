//! A Hugging Face folder with damage done to its files: refused in one line, or the model can be written as a GGUF file.

use std::fs;
use std::path::Path;

use gguf_format::{Dims, Layout, TensorSpec};
use hf_checkpoint::{Checkpoint, Options, Tensor};

use crate::check;
use crate::damage;
use crate::folders::{Models, files};

/// Models that between them have every kind of tokenizer and of packed weights.
const MODELS_USED: [&str; 20] = [
    "llama",
    "llama-spm",
    "llama-sharded",
    "mistral",
    "qwen2",
    "qwen3",
    "bert",
    "t5",
    "xlm-roberta",
    "gemma4",
    "awq",
    "bitnet",
    "ct-fp8-block",
    "ct-int8",
    "ct-nvfp4",
    "ct-pack4-actorder",
    "fp8-block",
    "gptq4-order",
    "modelopt-fp8",
    "modelopt-nvfp4",
];

/// Larger files are left as they are.
const MAX_FILE: usize = 1 << 16;

/// Larger models are not read: opening them is what this is about.
const MAX_MODEL: u64 = 1 << 19;

thread_local! {
    static MODELS: Models = Models::new();
}

/// A byte for the model, then damages (`damage::read`) to its small files in order of their names.
pub fn body(input: &[u8]) -> bool {
    let Some((model, damages)) = input.split_first() else { return false };
    let model = MODELS_USED[usize::from(*model) % MODELS_USED.len()];
    MODELS.with(|models| {
        let folder = models.find(model).expect("a model");
        let mut whole = files(&folder, |_| true);
        whole.retain(|(_, bytes)| bytes.len() <= MAX_FILE);
        let mut changed: Vec<Vec<u8>> = whole.iter().map(|(_, bytes)| bytes.clone()).collect();
        for damage in damage::read(damages) {
            damage.apply(changed.iter_mut());
        }
        let different: Vec<_> = whole.iter().zip(&changed).filter(|((_, old), new)| old != *new).collect();
        for ((path, _), new) in &different {
            fs::write(path, new).expect("the file is written");
        }
        open(&folder, true);
        for ((path, old), _) in &different {
            fs::write(path, old).expect("the file is put back");
        }
    });
    true
}

/// Opens a folder: an error in one line, or metadata and tensors that a GGUF file can have. The pre-tokenizer is given
/// where it is not what this is about: recognising one compiles regular expressions, which takes most of the time.
pub(crate) fn open(folder: &Path, with_pre_tokenizer: bool) {
    let mut options = Options::new();
    if with_pre_tokenizer {
        options.pre_tokenizer = Some("llama-bpe".to_owned());
    }
    let checkpoint = match Checkpoint::open(folder, &options) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return check::one_line(&error),
    };
    checkpoint.notes().iter().for_each(check::one_line);
    checkpoint.details().iter().for_each(check::one_line);
    let spec = |tensor: &Tensor| {
        let dims = Dims::new(&tensor.dims).expect("a shape that GGUF can have");
        TensorSpec::new(tensor.name.clone(), dims, tensor.element)
    };
    let specs = checkpoint.tensors().iter().map(spec).collect();
    let layout = Layout::new(checkpoint.metadata().clone(), specs);
    let layout = layout.expect("a model that can be written");
    if layout.file_len() - layout.data_start() <= MAX_MODEL {
        check::reads_the_same_in_pieces(&checkpoint);
    }
}
