//! `llama_model_quantize`: llama.cpp's quantizer, as the `llama-quantize` command calls it.

use std::ffi::{CString, c_char};
use std::path::Path;
use std::ptr;

use llama_cpp_sys_2 as sys;

use crate::llama::{Refused, c_path, start, take_log};

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The same tensors, metadata in llama.cpp's order (`llama-quantize … COPY`).
    Copy,
    /// A file type, by the number that `general.file_type` holds.
    FileType(u32),
}

/// Options of the `llama-quantize` command. Types are ggml's numbers.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `--allow-requantize`.
    pub requantize: bool,
    /// `--keep-split`.
    pub keep_split: bool,
    /// An importance matrix: weights for each column of each matrix, by the tensors' names.
    pub importance: Vec<(CString, Vec<f32>)>,
    /// Metadata to set, as `--override-kv` does and `--imatrix` for what tells of the matrix.
    pub metadata: Vec<(String, Override)>,
    /// `--pure`.
    pub pure: bool,
    /// `--leave-output-tensor`.
    pub leave_output: bool,
    /// `--output-tensor-type`.
    pub output_type: Option<u32>,
    /// `--token-embedding-type`.
    pub token_embedding_type: Option<u32>,
    /// `--tensor-type`, in order.
    pub tensor_types: Vec<(CString, u32)>,
    /// `--prune-layers`, ascending.
    pub prune: Vec<i32>,
}

/// A value of [`Settings::metadata`].
#[derive(Clone, Debug, PartialEq)]
pub enum Override {
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Str(String),
}

impl Override {
    /// As llama.cpp takes it; what is too long is cut.
    fn raw(&self, key: &str) -> sys::llama_model_kv_override {
        // SAFETY: a plain struct of numbers and characters, of which all zeros is one.
        let mut raw: sys::llama_model_kv_override = unsafe { std::mem::zeroed() };
        copy_text(key, &mut raw.key);
        let value = &mut raw.__bindgen_anon_1;
        raw.tag = match self {
            Self::Int(number) => {
                value.val_i64 = *number;
                sys::LLAMA_KV_OVERRIDE_TYPE_INT
            }
            Self::Float(number) => {
                value.val_f64 = *number;
                sys::LLAMA_KV_OVERRIDE_TYPE_FLOAT
            }
            Self::Bool(flag) => {
                value.val_bool = *flag;
                sys::LLAMA_KV_OVERRIDE_TYPE_BOOL
            }
            Self::Str(text) => {
                let mut cut = [0; 128];
                copy_text(text, &mut cut);
                value.val_str = cut;
                sys::LLAMA_KV_OVERRIDE_TYPE_STR
            }
        };
        raw
    }
}

/// With a NUL behind it.
fn copy_text(text: &str, to: &mut [c_char; 128]) {
    for (to, byte) in to[..127].iter_mut().zip(text.bytes()) {
        *to = byte as c_char;
    }
}

/// With the defaults of the `llama-quantize` command.
///
/// # Errors
///
/// When llama.cpp returns an error.
pub fn quantize_model(input: &Path, output: &Path, target: Target, threads: u16) -> Result<(), Refused> {
    quantize_model_with(input, output, target, threads, &Settings::default())
}

/// With more settings.
///
/// # Errors
///
/// When llama.cpp returns an error.
pub fn quantize_model_with(
    input: &Path,
    output: &Path,
    target: Target,
    threads: u16,
    settings: &Settings,
) -> Result<(), Refused> {
    call(input, output, target, settings, |params| params.nthread = threads.into())
}

/// Calls the quantizer with these settings and what `adjust` sets besides.
pub(crate) fn call(
    input: &Path,
    output: &Path,
    target: Target,
    settings: &Settings,
    adjust: impl FnOnce(&mut sys::llama_model_quantize_params),
) -> Result<(), Refused> {
    start();
    take_log();
    let (source, destination) = (c_path(input)?, c_path(output)?);
    // SAFETY: returns a plain struct.
    let mut params = unsafe { sys::llama_model_quantize_default_params() };
    params.allow_requantize = settings.requantize;
    params.keep_split = settings.keep_split;
    params.pure_ = settings.pure;
    params.quantize_output_tensor = !settings.leave_output;
    if let Some(ty) = settings.output_type {
        params.output_tensor_type = ty;
    }
    if let Some(ty) = settings.token_embedding_type {
        params.token_embedding_type = ty;
    }
    // Each list ends with an empty entry, and is null if there is nothing else in it.
    let entry = |name: *const c_char, data: &[f32]| sys::llama_model_imatrix_data {
        name,
        data: data.as_ptr(),
        size: data.len(),
    };
    let importance = settings.importance.iter().map(|(name, data)| entry(name.as_ptr(), data));
    let importance: Vec<_> = importance.chain([entry(ptr::null(), &[])]).collect();
    if importance.len() > 1 {
        params.imatrix = importance.as_ptr();
    }
    let metadata = settings.metadata.iter().map(|(key, value)| value.raw(key));
    let metadata: Vec<_> = metadata.chain([Override::Int(0).raw("")]).collect();
    if metadata.len() > 1 {
        params.kv_overrides = metadata.as_ptr();
    }
    let of_type = |pattern, type_| sys::llama_model_tensor_override { pattern, type_ };
    let tensor_types = settings.tensor_types.iter().map(|(pattern, ty)| of_type(pattern.as_ptr(), *ty));
    let tensor_types: Vec<_> = tensor_types.chain([of_type(ptr::null(), 0)]).collect();
    if tensor_types.len() > 1 {
        params.tt_overrides = tensor_types.as_ptr();
    }
    let prune: Vec<i32> = settings.prune.iter().copied().chain([-1]).collect();
    if prune.len() > 1 {
        params.prune_layers = prune.as_ptr();
    }
    match target {
        Target::Copy => params.only_copy = true,
        Target::FileType(id) => params.ftype = id,
    }
    adjust(&mut params);
    // SAFETY: two C strings and a struct that outlive the call; its pointers are null or lists that end as they must.
    match unsafe { sys::llama_model_quantize(source.as_ptr(), destination.as_ptr(), &raw const params) } {
        0 => Ok(()),
        code => Err(Refused::new(format_args!("llama_model_quantize {} returned {code}", input.display()))),
    }
}
