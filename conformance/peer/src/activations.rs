//! What llama-imatrix measures: for every weight matrix that a text meets, the sum of the squares of what goes in, column
//! by column; for experts, and other matrices that lie in one tensor, each by itself (`collect_imatrix` in llama.cpp's
//! `imatrix.cpp`).

use std::collections::BTreeMap;
use std::ffi::{CStr, c_void};

use llama_cpp_sys_2 as sys;

use crate::llama::{Model, Refused};

/// What met one tensor's matrices.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// Σ x² of each column, one matrix after the other.
    pub sums: Vec<f32>,
    /// How many rows met each matrix.
    pub counts: Vec<u32>,
}

impl Columns {
    /// What llama-quantize makes of it: the mean, and 1 where a matrix met nothing.
    #[must_use]
    pub fn importance(&self) -> Vec<f32> {
        let width = self.sums.len() / self.counts.len().max(1);
        let count = |i: usize| self.counts.get(i / width.max(1)).copied().unwrap_or(0);
        let mean = |(i, sum): (usize, &f32)| if count(i) == 0 { 1.0 } else { sum / count(i) as f32 };
        self.sums.iter().enumerate().map(mean).collect()
    }

    fn room(&mut self, width: usize, matrices: usize) {
        self.sums.resize(width * matrices, 0.0);
        self.counts.resize(matrices, 0);
    }

    /// One row met matrix `matrix`.
    fn add(&mut self, matrix: usize, row: &[f32]) {
        let (Some(sums), Some(count)) =
            (self.sums.chunks_exact_mut(row.len()).nth(matrix), self.counts.get_mut(matrix))
        else {
            return;
        };
        *count += 1;
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += x * x;
        }
    }
}

/// By the names of the weight matrices.
pub type Activations = BTreeMap<String, Columns>;

impl Model {
    /// Runs a text through the model, and adds up what met its matrices.
    ///
    /// # Errors
    ///
    /// When llama.cpp cannot run the model.
    pub fn activations(&self, text: &str, embeddings: bool) -> Result<Activations, Refused> {
        let mut found = Activations::new();
        let mut tokens = self.tokenize(text, true)?;
        tokens.truncate(self.trained_context().min(256));
        self.run_watched(&mut tokens, embeddings, Some(watch), (&raw mut found).cast())?;
        Ok(found)
    }
}

/// Called before an operation, to ask whether it matters, and after it.
unsafe extern "C" fn watch(tensor: *mut sys::ggml_tensor, ask: bool, user: *mut c_void) -> bool {
    // SAFETY: llama.cpp passes a live tensor of its graph, and what was given as user data: the map above, which nobody
    // else touches during the run.
    let (tensor, found) = unsafe { (&*tensor, &mut *user.cast::<Activations>()) };
    let [weights, input, chosen, ..] = tensor.src;
    let by_choice = tensor.op == sys::GGML_OP_MUL_MAT_ID;
    if (tensor.op != sys::GGML_OP_MUL_MAT && !by_choice) || weights.is_null() || input.is_null() {
        return !ask;
    }
    // SAFETY: a matrix product has two sources, which live as long as its graph.
    let (weights, input) = unsafe { (&*weights, &*input) };
    // SAFETY: ggml's names end with a NUL.
    let name = unsafe { CStr::from_ptr(weights.name.as_ptr()) }.to_string_lossy();
    let is_weight = name.ends_with(".weight") && input.type_ == sys::GGML_TYPE_F32;
    if ask || !is_weight || input.data.is_null() || input.nb[0] != size_of::<f32>() {
        return is_weight || !ask;
    }
    let [width, rows, slices, ..] = input.ne.map(|n| usize::try_from(n).unwrap_or(0));
    let matrices = usize::try_from(weights.ne[2]).unwrap_or(1).max(1);
    let columns = found.entry(name.into_owned()).or_default();
    columns.room(width, matrices);
    // SAFETY: the data of a tensor on the CPU, after it was computed: the row begins nb[1] and nb[2] times its numbers in,
    // and has ne[0] floats side by side.
    let row = |i: usize, slice: usize| unsafe {
        let start = input.data.cast::<u8>().add(input.nb[1] * i + input.nb[2] * slice).cast::<f32>();
        std::slice::from_raw_parts(start, width)
    };
    if by_choice && !chosen.is_null() {
        // SAFETY: a product by choice has a third source, numbers of matrices, which lives as long.
        let chosen = unsafe { &*chosen };
        let [choices, tokens, ..] = chosen.ne.map(|n| usize::try_from(n).unwrap_or(0));
        for token in 0..tokens.min(slices) {
            for choice in 0..choices {
                // SAFETY: 32-bit numbers on the CPU, `choices` a token, at the distances that nb gives.
                let matrix = unsafe {
                    chosen
                        .data
                        .cast::<u8>()
                        .add(chosen.nb[0] * choice + chosen.nb[1] * token)
                        .cast::<i32>()
                        .read()
                };
                columns.add(usize::try_from(matrix).unwrap_or(usize::MAX), row(choice % rows.max(1), token));
            }
        }
        return true;
    }
    for slice in 0..slices {
        for i in 0..rows {
            columns.add(slice * matrices / slices, row(i, slice));
        }
    }
    true
}
