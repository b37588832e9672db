//! Which tensors need importance, and whether a matrix has it.

use gguf_format::GgmlType;

use super::ImportanceMatrix;
use super::error::ImportanceError;
use crate::assignment::{Assignment, TensorDesc};
use crate::category::Category;
use crate::file_type::FileType;
use crate::recipe::Recipe;

/// Whether a tensor of this type gives garbage without importance, so that llama-quantize refuses
/// (`tensor_requires_imatrix` in `llama-quant.cpp`). `Q2_K` needs it in files of `Q2_K_S` only; the token embeddings and
/// the output never do.
///
/// Note that ggml's own functions for `IQ1_S`, `IQ2_XXS` and `IQ2_XS` cannot do without importance at all, whatever the
/// tensor.
#[must_use]
pub fn requires_importance(ty: GgmlType, file_type: FileType, name: &str) -> bool {
    use GgmlType as T;
    if matches!(Category::of(name), Category::TokenEmbedding | Category::Output) {
        return false;
    }
    match ty {
        T::IQ3_XXS | T::IQ2_XXS | T::IQ2_XS | T::IQ2_S | T::IQ1_M | T::IQ1_S => true,
        T::Q2_K => file_type == FileType::Q2_K_S,
        _ => false,
    }
}

/// Whether the blocks of a type change with importance (`quantize_*` in `ggml-quants.c`).
fn uses_importance(ty: GgmlType) -> bool {
    use GgmlType as T;
    let ignores = [T::Q8_0, T::MXFP4, T::NVFP4, T::TQ1_0, T::TQ2_0, T::Q1_0, T::Q2_0];
    ty.is_quantized() && !ignores.contains(&ty)
}

impl Recipe {
    /// Whether a matrix, or none, has what the tensors need that change their type; `assignments` is what
    /// [`Recipe::assign`] gave for `tensors`.
    ///
    /// Gives the names of the tensors that could do with importance and get none, in the order of `tensors`: where a
    /// matrix is there, these are worth a warning. Without a matrix the list is empty.
    ///
    /// # Errors
    /// [`ImportanceError::Required`] if a tensor needs importance and gets none; [`ImportanceError::Size`] and
    /// [`ImportanceError::Weight`] as [`ImportanceMatrix::for_tensor`].
    pub fn check_importance(
        &self,
        matrix: Option<&ImportanceMatrix>,
        tensors: &[TensorDesc<'_>],
        assignments: &[Assignment],
    ) -> Result<Vec<String>, ImportanceError> {
        let mut without = Vec::new();
        let Some(file_type) = self.file_type() else { return Ok(without) };
        for (tensor, given) in
            tensors.iter().zip(assignments).filter(|(tensor, given)| tensor.element != given.ty)
        {
            let found = match matrix {
                Some(matrix) => matrix.for_tensor(tensor.name, tensor.dims)?,
                None => None,
            };
            if found.is_some() {
                continue;
            }
            let cannot = matches!(given.ty, GgmlType::IQ1_S | GgmlType::IQ2_XXS | GgmlType::IQ2_XS);
            if cannot || requires_importance(given.ty, file_type, tensor.name) {
                let lacks = if matrix.is_some() {
                    "the matrix has none for it"
                } else {
                    "there is no importance matrix"
                };
                return Err(ImportanceError::Required { name: tensor.name.to_owned(), ty: given.ty, lacks });
            }
            if matrix.is_some() && uses_importance(given.ty) {
                without.push(tensor.name.to_owned());
            }
        }
        Ok(without)
    }
}
