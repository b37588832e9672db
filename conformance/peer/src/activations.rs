//! What llama-imatrix measures: for every weight matrix that a text meets, the sum of the squares of what goes in, column
//! by column (`collect_imatrix` in llama.cpp's `imatrix.cpp`, for models without experts).

use std::collections::BTreeMap;
use std::ffi::{CStr, c_void};

use llama_cpp_sys_2 as sys;

use crate::llama::{Model, Refused};

/// What met one matrix.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// Σ x² of each column.
    pub sums: Vec<f32>,
    /// How many rows met it.
    pub count: u32,
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
    let [weights, input, ..] = tensor.src;
    if tensor.op != sys::GGML_OP_MUL_MAT || weights.is_null() || input.is_null() {
        return !ask;
    }
    // SAFETY: a matrix product has two sources, which live as long as its graph.
    let (weights, input) = unsafe { (&*weights, &*input) };
    // SAFETY: ggml's names end with a NUL.
    let name = unsafe { CStr::from_ptr(weights.name.as_ptr()) }.to_string_lossy();
    let is_weight = name.ends_with(".weight") && input.type_ == sys::GGML_TYPE_F32;
    if ask {
        return is_weight;
    }
    let [columns, rows, ..] = input.ne.map(|n| usize::try_from(n).unwrap_or(0));
    if is_weight && !input.data.is_null() && input.nb[0] == size_of::<f32>() {
        let entry = found.entry(name.into_owned()).or_default();
        entry.sums.resize(columns, 0.0);
        entry.count += u32::try_from(rows).unwrap_or(0);
        for row in 0..rows {
            // SAFETY: the data of a tensor on the CPU, after it was computed: row `row` begins nb[1] · row bytes in, and
            // has ne[0] floats side by side.
            let row = unsafe {
                let start = input.data.cast::<u8>().add(input.nb[1] * row).cast::<f32>();
                std::slice::from_raw_parts(start, columns)
            };
            for (sum, x) in entry.sums.iter_mut().zip(row) {
                *sum += x * x;
            }
        }
    }
    true
}
