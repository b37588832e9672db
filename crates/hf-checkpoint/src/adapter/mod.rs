//! Adapters of peft's LoRA: merged into the weights of their base while these are read.
//!
//! What is merged is what `merge_and_unload` of peft 0.21 makes in F32: adapters one after another, each adding
//! scale x B x A; DoRA's lengths against those of base plus its own product; saved modules in place of the base's.

mod arranged;
mod cache;
mod config;
mod factor;
mod lookup;
mod merged;
mod names;
mod overlap;
mod parameters;
mod pattern;
mod plan;
mod product;
mod standalone;
mod update;

use std::path::PathBuf;

use crate::arch::Family;
use crate::bounded::Folder;
use crate::config::Config;
use crate::error::Error;
use crate::header::{self, Entry};
use crate::options::Options;
use crate::positional::ReadAt;
use crate::weights::Weights;

pub(crate) use cache::Cache;
pub(crate) use config::is_adapter;
pub(crate) use merged::Merged;
pub(crate) use standalone::Standalone;

const TENSORS: &str = "adapter_model.safetensors";

/// An adapter that is merged, and what its products are multiplied by besides its own scale.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Adapter {
    pub folder: PathBuf,
    pub scale: f64,
}

/// Merges the adapters of these options into the weights of a base, in their order; gives what a user should know of it.
///
/// `model` is what the base is, if that is known. If the head is the embeddings and an adapter has it otherwise, the config
/// is changed: it is a tensor of its own then.
///
/// # Errors
/// If an adapter cannot be read, or, in one error for each adapter, all that does not fit the base.
pub(crate) fn merge(
    weights: &mut Weights,
    options: &Options,
    model: Option<(&'static Family, &mut Config)>,
) -> Result<Vec<String>, Error> {
    plan::merge(weights, options, model)
}

/// Opens the tensors of an adapter.
fn open(folder: Folder<'_>) -> Result<(ReadAt, Vec<Entry>), Error> {
    let path = folder.join(TENSORS);
    if !path.is_file() {
        return Err(Error::NoAdapterWeights { folder: folder.path.to_owned() });
    }
    let file = ReadAt::open(path)?;
    let entries = header::read(&file, folder.limits)?;
    Ok((file, entries))
}
