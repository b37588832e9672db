//! `entrenar inspect`: what a GGUF file holds.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args as ClapArgs;
use gguf_format::{GgmlType, GgufFile, Value, ValueType};
use serde_json::{Map, json};

use super::Failure;
use crate::text;

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// A GGUF file; of a split set, any one
    file: PathBuf,

    /// Print everything as JSON, arrays whole
    #[arg(long)]
    json: bool,

    /// List the tensors
    #[arg(long)]
    tensors: bool,
}
