//! The errors that people match on.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why an export failed. Whatever it was, the output path is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GgufExportError {
    /// The quantization that was asked for does not exist, or does not suit the model.
    #[error("{0}")]
    InvalidQuantization(String),
    /// The importance matrix is damaged, does not fit the model, or lacks what a type needs.
    #[error("{0}")]
    Importance(String),
    /// A file or folder could not be read or written.
    #[error("{0}")]
    IoError(#[source] IoFailure),
    /// The checkpoint is incomplete, contradicts itself, or is of a kind that is not known.
    #[error(transparent)]
    Checkpoint(hf_checkpoint::Error),
    /// The GGUF file that is read from is damaged, cut short, or one of several that do not belong together.
    #[error(transparent)]
    Gguf(gguf_format::SplitError),
    /// A GGUF file that should be a shard is a model by itself.
    #[error("{}: is not one of several shards (it has no split.count, or 0): there is nothing to merge", .0.display())]
    NotSplit(PathBuf),
    /// A GGUF model was to be taken under its checkpoint's names.
    #[error("{}: is a GGUF model, whose tensors keep their names anyway; leave raw names out", .0.display())]
    RawNames(PathBuf),
    /// An adapter was to be merged into a GGUF model, or made of one.
    #[error("{}: is a GGUF file; adapters go with checkpoints of safetensors files", .0.display())]
    LoraIntoGguf(PathBuf),
    /// The shards of the input were to be kept, but it has none.
    #[error("{}: is no GGUF model, whose shards could be kept; say how large shards may be instead", .0.display())]
    NoShards(PathBuf),
    /// A big-endian GGUF file has a tensor of a type that is only known little-endian.
    #[error(
        "tensor {tensor:?}: blocks of {ty} have no known form in big-endian files; convert it on a machine that wrote it"
    )]
    ByteOrder {
        /// The tensor's name.
        tensor: String,
        /// Its type.
        ty: gguf_format::GgmlType,
    },
    /// The metadata given cannot be written: a metric that is not finite, a licence that does not exist.
    #[error(transparent)]
    Metadata(#[from] provenance::Error),
    /// The file of metadata is no JSON object, or has keys that cannot be set.
    #[error(transparent)]
    MetadataFile(provenance::MetadataFileError),
    /// A weight is NaN or infinite, or the encoded weights are too far from the source.
    #[error(transparent)]
    Validation(export_pipeline::Error),
    /// The output exists and was to be kept.
    #[error(transparent)]
    OutputExists(export_pipeline::Error),
    /// The output would replace a file that the model is read from.
    #[error("{}: belongs to the model that is read from; choose another output", .0.display())]
    OutputIsInput(PathBuf),
    /// The run was stopped from outside.
    #[error("stopped before the end; nothing was written")]
    Cancelled,
    /// A tensor of a shape that a GGUF file cannot have.
    #[error("the checkpoint has a tensor that no GGUF file can hold: {0}")]
    Shape(#[from] gguf_format::DimsError),
    /// Anything else between the plan and the file.
    #[error(transparent)]
    Pipeline(export_pipeline::Error),
}

/// A file or folder that could not be read or written: says which, and keeps the system's error.
#[derive(Debug)]
pub struct IoFailure(Box<dyn std::error::Error + Send + Sync>);

impl IoFailure {
    fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }

    /// The kind of the system's error.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self.0.as_ref());
        while let Some(error) = cause {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return io.kind();
            }
            cause = error.source();
        }
        io::ErrorKind::Other
    }
}

impl fmt::Display for IoFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for IoFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// Whether an error is, or was caused by, a failure of the system.
fn is_io(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

impl From<hf_checkpoint::Error> for GgufExportError {
    fn from(error: hf_checkpoint::Error) -> Self {
        if is_io(&error) { Self::IoError(IoFailure::new(error)) } else { Self::Checkpoint(error) }
    }
}

impl From<provenance::MetadataFileError> for GgufExportError {
    fn from(error: provenance::MetadataFileError) -> Self {
        if is_io(&error) { Self::IoError(IoFailure::new(error)) } else { Self::MetadataFile(error) }
    }
}

impl From<gguf_format::SplitError> for GgufExportError {
    fn from(error: gguf_format::SplitError) -> Self {
        if is_io(&error) { Self::IoError(IoFailure::new(error)) } else { Self::Gguf(error) }
    }
}

impl From<quant_recipe::RecipeError> for GgufExportError {
    fn from(error: quant_recipe::RecipeError) -> Self {
        Self::InvalidQuantization(error.to_string())
    }
}

impl From<quant_recipe::ImportanceFileError> for GgufExportError {
    fn from(error: quant_recipe::ImportanceFileError) -> Self {
        if is_io(&error) { Self::IoError(IoFailure::new(error)) } else { Self::Importance(error.to_string()) }
    }
}

impl From<quant_recipe::ImportanceError> for GgufExportError {
    fn from(error: quant_recipe::ImportanceError) -> Self {
        Self::Importance(error.to_string())
    }
}

impl From<export_pipeline::Error> for GgufExportError {
    fn from(error: export_pipeline::Error) -> Self {
        use export_pipeline::Error as E;
        match error {
            E::NotFinite { .. } | E::TooFar { .. } => Self::Validation(error),
            E::OutputExists { .. } => Self::OutputExists(error),
            E::Cancelled => Self::Cancelled,
            error if is_io(&error) => Self::IoError(IoFailure::new(error)),
            error => Self::Pipeline(error),
        }
    }
}
