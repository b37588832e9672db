//! The types that `llama_model_quantize` gives a model's tensors, without quantizing them: its dry run, read from
//! the log.

use std::ffi::CString;
use std::path::Path;

use llama_cpp_sys_2 as sys;

use crate::llama::{Refused, c_path, start, take_log};

/// Options of `llama-quantize`. Types are ggml's numbers.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The file type's number.
    pub file_type: u32,
    /// Whether there is an importance matrix.
    pub importance: bool,
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

/// Every tensor in the order of the output, by its name there, with the name of its type.
///
/// # Errors
///
/// When llama.cpp refuses, or its log is not as expected.
pub fn tensor_types(input: &Path, options: &Options) -> Result<Vec<(String, String)>, Refused> {
    start();
    take_log();
    let source = c_path(input)?;
    // SAFETY: returns a plain struct.
    let mut params = unsafe { sys::llama_model_quantize_default_params() };
    params.nthread = 1;
    params.dry_run = true;
    params.ftype = options.file_type;
    params.pure_ = options.pure;
    params.quantize_output_tensor = !options.leave_output;
    if let Some(ty) = options.output_type {
        params.output_tensor_type = ty;
    }
    if let Some(ty) = options.token_embedding_type {
        params.token_embedding_type = ty;
    }
    // A dry run looks only at whether there are entries.
    let value = 1.0_f32;
    let nothing = sys::llama_model_imatrix_data { name: std::ptr::null(), data: std::ptr::null(), size: 0 };
    let entry = sys::llama_model_imatrix_data { name: c"none".as_ptr(), data: &raw const value, size: 1 };
    let entries = [entry, nothing];
    if options.importance {
        params.imatrix = entries.as_ptr();
    }
    let mut overrides: Vec<sys::llama_model_tensor_override> = options
        .tensor_types
        .iter()
        .map(|(pattern, ty)| sys::llama_model_tensor_override { pattern: pattern.as_ptr(), type_: *ty })
        .collect();
    overrides.push(sys::llama_model_tensor_override { pattern: std::ptr::null(), type_: 0 });
    if !options.tensor_types.is_empty() {
        params.tt_overrides = overrides.as_ptr();
    }
    let prune: Vec<i32> = options.prune.iter().copied().chain([-1]).collect();
    if !options.prune.is_empty() {
        params.prune_layers = prune.as_ptr();
    }
    // SAFETY: two C strings and a struct that outlive the call; the arrays it points to do so too, and each ends with
    // the entry that llama.cpp stops at.
    match unsafe { sys::llama_model_quantize(source.as_ptr(), c"".as_ptr(), &raw const params) } {
        0 => read_log(&take_log()),
        code => Err(Refused::new(format_args!("dry run of {} returned {code}", input.display()))),
    }
}

/// The lines `[ 1/ 9] NAME - [ 256, 2, 1, 1], type = f32, size = 1 MiB -> 1 MiB (q4_K)`; without the arrow, the type
/// stays.
fn read_log(log: &str) -> Result<Vec<(String, String)>, Refused> {
    log.lines().filter(|line| line.starts_with('[') && line.contains("], type = ")).map(read_line).collect()
}

fn read_line(line: &str) -> Result<(String, String), Refused> {
    let parts = || {
        let (name, rest) = line.split_once("] ")?.1.split_once(" - [")?;
        let (found, size) = rest.split_once("], type = ")?.1.split_once(", size = ")?;
        let given = match size.split_once(" -> ") {
            Some((_, new)) => new.split_once('(')?.1.split_once(')')?.0,
            None => found.trim(),
        };
        Some((name.trim_end().to_owned(), given.to_owned()))
    };
    parts().ok_or_else(|| Refused::said(format!("unknown line in the log: {line}")))
}
