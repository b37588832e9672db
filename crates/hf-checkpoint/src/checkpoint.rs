//! A checkpoint: opened once, its tensors then read in pieces by many threads.

use std::ops::Range;
use std::path::Path;

use gguf_format::Metadata;

use crate::adapter;
use crate::arch::{self, Context, Family};
use crate::bounded::Folder;
use crate::config::Config;
use crate::error::Error;
use crate::folder;
use crate::general;
use crate::json;
use crate::map::{self, Map};
use crate::options::Options;
use crate::problem::Problem;
use crate::shards::SourceFile;
use crate::tensor::Tensor;
use crate::text;
use crate::tokenizer::{self, TokenizerError, TokenizerInput};
use crate::transform::{self, Origin};
use crate::weights::Weights;

/// A checkpoint of Hugging Face's making, seen as the GGUF file that it becomes.
///
/// Opening it reads headers, the config and the tokenizer; of the tensors only what is asked for is read, at its
/// offset, so that memory does not grow with the model.
#[derive(Debug)]
pub struct Checkpoint {
    architecture: Option<&'static str>,
    metadata: Metadata,
    weights: Weights,
    source_files: Vec<SourceFile>,
    map: Map,
    details: Vec<String>,
}

impl Checkpoint {
    /// Opens a checkpoint.
    ///
    /// `path` is a folder with `config.json` and weights; the `*.safetensors.index.json` or the `model.safetensors`
    /// of such a folder; or a `.safetensors` file alone, whose tensors are taken as they are. With
    /// [`Options::base`] it is the folder of an adapter, which becomes an adapter file.
    ///
    /// # Errors
    /// If anything is missing, broken or not supported: every variant of [`Error`] that is not about a call.
    pub fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        if let Some(base) = &options.base {
            return Self::open_adapter(path, base, options);
        }
        let location = folder::locate(path, options.raw)?;
        let limits = &options.limits;
        match location.model {
            Some(folder) => {
                // The config first: its errors are the more telling ones.
                let mut config = Config::read(Folder { path: &folder, limits })?;
                let (class, family) = family(&config)?;
                let shards = location.weights.open(limits)?;
                let mut weights = match config.quantization()? {
                    Some((path, quantization)) => Weights::unpacked(shards, &path, &quantization)?,
                    None => Weights::new(shards),
                };
                let notes = adapter::merge(&mut weights, options, Some((family, &mut config)))?;
                let mut map = map::by_table(family, &class, &mut config, &weights)?;
                map.notes.extend(notes.into_iter().chain(weights.notes().iter().cloned()));
                let mut details = Vec::new();
                let metadata = metadata(family, &config, &folder, options, &weights, &mut map, &mut details);
                // What is wrong with the tensors comes first: it is the more telling.
                if !map.problems.is_empty() {
                    map.problems.extend(metadata.err().map(|e| Problem::Metadata { said: e.to_string() }));
                    let (architecture, problems) = (Some(family.architecture), map.problems);
                    return Err(Error::Mismatch { path: folder, architecture, problems });
                }
                let metadata = metadata?;
                let details = details.into_iter().map(text::line).collect();
                Ok(Self { details, ..Self::new(Some(family.architecture), metadata, weights, map) })
            }
            None => {
                let mut weights = Weights::new(location.weights.open(limits)?);
                let notes = adapter::merge(&mut weights, options, None)?;
                let mut map = map::raw(&weights);
                map.notes.extend(notes);
                if !map.problems.is_empty() {
                    let (path, problems) = (path.to_owned(), map.problems);
                    return Err(Error::Mismatch { path, architecture: None, problems });
                }
                Ok(Self::new(None, Metadata::new(), weights, map))
            }
        }
    }

    /// Opens an adapter as a file of its own.
    fn open_adapter(path: &Path, base: &Path, options: &Options) -> Result<Self, Error> {
        if !adapter::is_adapter(path) {
            return Err(Error::NoAdapter { folder: path.to_owned() });
        }
        if !options.adapters.is_empty() {
            let problems = vec!["other adapters are merged into models only".to_owned()];
            return Err(Error::NoAdapterFile { path: path.to_owned(), problems });
        }
        let limits = &options.limits;
        let config = Config::read(Folder { path: base, limits })?;
        let (_, family) = family(&config)?;
        let adapter = adapter::Standalone::open(Folder { path, limits }, family, &config)?;
        let mut pairs = Metadata::new();
        adapter::Standalone::kind(family.architecture, &mut pairs);
        let mut map = adapter.map;
        let input = general::Input {
            folder: Folder { path, limits },
            folder_name: &folder::name(path),
            config: &json::read_if_there(&path.join("config.json"), limits)?.unwrap_or_default(),
            model_name: options.model_name.as_deref(),
            parameters: general::Count::of_adapter(&map.tensors),
        };
        general::write(&input, &mut pairs, &mut map.notes)?;
        pairs.insert("adapter.lora.alpha", adapter.alpha);
        Ok(Self::new(Some(family.architecture), pairs, adapter.weights, map))
    }

    fn new(architecture: Option<&'static str>, metadata: Metadata, weights: Weights, mut map: Map) -> Self {
        map.notes.iter_mut().for_each(|note| *note = text::line(&note));
        let source_files = weights.source_files();
        Self { architecture, metadata, source_files, weights, map, details: Vec::new() }
    }

    /// The model classes that are converted, as `architectures` in config.json names them.
    #[must_use]
    pub fn classes() -> Vec<&'static str> {
        arch::classes()
    }

    /// The GGUF architecture: `llama`, `qwen3`, `gemma2` …; `None` for tensors that are taken as they are.
    #[must_use]
    pub fn architecture(&self) -> Option<&str> {
        self.architecture
    }

    /// The metadata that convert_hf_to_gguf writes, in its order, without `general.file_type` and
    /// `general.quantization_version`, which are the quantizer's to say.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The metadata, moved out: a vocabulary is a large part of a small model. None are left.
    #[must_use]
    pub fn take_metadata(&mut self) -> Metadata {
        std::mem::take(&mut self.metadata)
    }

    /// The tensors, in the order of their names in the checkpoint.
    #[must_use]
    pub fn tensors(&self) -> &[Tensor] {
        &self.map.tensors
    }

    /// What a user should know: tensors that were left out, a head that is not there, a card that is no YAML.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.map.notes
    }

    /// What was found and by which rule: the tokenizer, its pre-tokenizer, where the chat template is from. For those who
    /// ask for more than [`notes`](Self::notes).
    #[must_use]
    pub fn details(&self) -> &[String] {
        &self.details
    }

    /// The files that hold the tensors, with their lengths.
    #[must_use]
    pub fn source_files(&self) -> &[SourceFile] {
        &self.source_files
    }

    /// Fills `out` with the rows `rows` of tensor number `tensor` (its index in [`tensors`](Self::tensors)),
    /// little-endian, in the tensor's element type. Rows are counted over all dimensions but the first.
    ///
    /// May be called by many threads at once. Takes no memory but a scratch of at most 128 KiB, 256 KiB for packed weights.
    ///
    /// # Errors
    /// If there is no such tensor or row, if `out` has not exactly the bytes of those rows, if the file cannot be
    /// read, or if a value of F64 or of a long integer has no exact counterpart in F32.
    pub fn read_rows(&self, tensor: usize, rows: Range<u64>, out: &mut [u8]) -> Result<(), Error> {
        let (info, _) = self.tensor(tensor)?;
        let count = info.rows();
        if rows.start > rows.end || rows.end > count {
            return Err(out_of_range(info, "rows", &rows, count));
        }
        let row = info.dims.first().copied().unwrap_or(1);
        self.read_elements(tensor, rows.start * row..rows.end * row, out)
    }

    /// As [`read_rows`](Self::read_rows), but elements, so that a row longer than a buffer can be read in parts.
    ///
    /// # Errors
    /// As there.
    pub fn read_elements(&self, tensor: usize, elements: Range<u64>, out: &mut [u8]) -> Result<(), Error> {
        let (info, origin) = self.tensor(tensor)?;
        let count = info.elements();
        if elements.start > elements.end || elements.end > count {
            return Err(out_of_range(info, "elements", &elements, count));
        }
        let (size, block) = (info.element.block_bytes() as u64, info.element.block_len() as u64);
        if !elements.start.is_multiple_of(block) || !elements.end.is_multiple_of(block) {
            return Err(out_of_range(info, "blocks of elements", &elements, count));
        }
        // Within the tensor, whose bytes were counted when the header was read.
        let expected = (elements.end - elements.start) / block * size;
        if out.len() as u64 != expected {
            return Err(Error::Buffer { tensor: info.name.clone(), found: out.len(), expected });
        }
        match origin {
            Origin::Generated(bytes) => {
                let start = (elements.start * size) as usize;
                if let Some(part) = bytes.get(start..start + out.len()) {
                    out.copy_from_slice(part);
                }
                Ok(())
            }
            Origin::Parts(parts) => {
                // Blocks of a quantized type are the elements of its weights.
                let block = info.element.block_len() as u64;
                let units = elements.start / block..elements.end / block;
                transform::read(parts, &self.weights, info.element, units, out)
            }
        }
    }

    fn tensor(&self, tensor: usize) -> Result<(&Tensor, &Origin), Error> {
        let found = self.map.tensors.get(tensor).zip(self.map.origins.get(tensor));
        found.ok_or_else(|| self.no_such_tensor(tensor))
    }

    fn no_such_tensor(&self, tensor: usize) -> Error {
        Error::NoSuchTensor { tensor, count: self.map.tensors.len() }
    }
}

/// The model's class, and its family.
fn family(config: &Config) -> Result<(String, &'static Family), Error> {
    let class = config.class()?.to_owned();
    let Some(family) = arch::find(&class) else {
        return Err(Error::UnknownArchitecture {
            path: config.path().to_owned(),
            nearest: arch::nearest(&class),
            found: class,
        });
    };
    Ok((class, family.variant.and_then(|of| of(config)).unwrap_or(family)))
}

fn out_of_range(info: &Tensor, unit: &'static str, range: &Range<u64>, len: u64) -> Error {
    Error::Range { tensor: info.name.clone(), unit, start: range.start, end: range.end, len }
}

fn metadata(
    family: &Family,
    config: &Config,
    folder: &Path,
    options: &Options,
    weights: &Weights,
    map: &mut Map,
    details: &mut Vec<String>,
) -> Result<Metadata, Error> {
    let architecture = family.architecture;
    let folder = Folder { path: folder, limits: &options.limits };
    let mut pairs = Metadata::new();
    pairs.insert("general.architecture", architecture);
    let context = Context { architecture, folder, config, blocks: family.blocks };
    for (key, values) in std::mem::take(&mut map.scalars) {
        pairs.insert(key, values);
    }
    for parameter in family.opening {
        parameter.write(&context, &mut pairs, &mut map.notes)?;
    }
    pairs.insert("general.type", "model");
    let input = general::Input {
        folder,
        folder_name: &folder::name(folder.path),
        config: &config.raw,
        model_name: options.model_name.as_deref(),
        parameters: general::Count::of(&map.tensors),
    };
    general::write(&input, &mut pairs, &mut map.notes)?;
    for parameter in family.parameters.iter().flat_map(|p| *p) {
        parameter.write(&context, &mut pairs, &mut map.notes)?;
    }
    let rows = config.dim(family.tokens)?;
    // A vocabulary is padded to the rows of a weight, never to a number alone: that asks for memory with a few bytes. What
    // is wrong is among the map's problems then.
    let held = map.problems.is_empty() || weights.list().iter().any(|weight| weight.shape.contains(&rows));
    let most = u64::from(options.limits.tokens);
    let too_many =
        |tokens: u64| TokenizerError::TooManyTokens { folder: folder.path.to_owned(), tokens, limit: most };
    if held && rows > most {
        return Err(too_many(rows).into());
    }
    let tokenizer = tokenizer::read(&TokenizerInput {
        folder,
        kind: family.tokenizer,
        config: &config.raw,
        vocab_size: held.then_some(rows),
        token_types: config.size(&["type_vocab_size"])?.and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
        fixed: family.fixed_tokens,
        pre: options.pre_tokenizer.as_deref(),
    })?;
    if u64::from(tokenizer.vocab_size) > most {
        return Err(too_many(tokenizer.vocab_size.into()).into());
    }
    pairs.extend(tokenizer.pairs);
    details.extend(tokenizer.details);
    details.extend(tokenizer.pre.as_ref().map(ToString::to_string));
    if held && u64::from(tokenizer.vocab_size) != rows {
        map.problems.push(Problem::Vocabulary { tokens: tokenizer.vocab_size.into(), rows });
    }
    map.notes.extend(tokenizer.notes);
    for parameter in family.closing {
        parameter.write(&context, &mut pairs, &mut map.notes)?;
    }
    // After all that the converter writes, so that nothing of that is in another place.
    tokenizer::ends::write(folder, &config.raw, &mut pairs, &mut map.notes);
    Ok(pairs)
}
