//! The types that `llama_model_quantize` gives a model's tensors, without quantizing them: its dry run, read from
//! the log.

use std::path::Path;

use crate::llama::{Refused, take_log};
use crate::quantize::{Settings, Target, call};

/// Every tensor in the order of the output, by its name there, with the name of its type. Of an importance matrix a dry
/// run sees only whether there is one.
///
/// # Errors
///
/// When llama.cpp refuses, or its log is not as expected.
pub fn tensor_types(
    input: &Path,
    file_type: u32,
    settings: &Settings,
) -> Result<Vec<(String, String)>, Refused> {
    call(input, Path::new(""), Target::FileType(file_type), settings, |params| {
        params.nthread = 1;
        params.dry_run = true;
    })?;
    read_log(&take_log())
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
