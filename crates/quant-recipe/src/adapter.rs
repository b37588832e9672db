//! The types of an adapter's tensors.

use gguf_format::GgmlType;

use crate::assignment::{Assignment, Kept, Reason, TensorDesc};
use crate::error::RecipeError;
use crate::file_type::FileType;
use crate::recipe::Recipe;

impl Recipe {
    /// The type of each factor of a LoRA adapter: one for all of them, as llama.cpp's `convert_lora_to_gguf` does, for F32,
    /// F16, BF16 and Q8_0 (F16 where rows are no whole number of blocks); or the types they have.
    ///
    /// # Errors
    /// If the recipe is for another file type, or has options for single tensors.
    pub fn assign_adapter(&self, tensors: &[TensorDesc<'_>]) -> Result<Vec<Assignment>, RecipeError> {
        const TYPES: [FileType; 4] = [FileType::F32, FileType::F16, FileType::BF16, FileType::Q8_0];
        let refused = |found: &str| Err(RecipeError::Adapter { found: found.to_owned() });
        let options = self.output.is_some() || self.token_embedding.is_some() || !self.overrides.is_empty();
        if options || self.pure || self.output_left {
            return refused("options for single tensors");
        }
        let wanted = match self.file_type {
            None => None,
            Some(file_type) if TYPES.contains(&file_type) => Some(file_type.base()),
            Some(other) => return refused(other.name()),
        };
        let assign = |tensor: &TensorDesc<'_>| match wanted {
            None => Assignment { ty: tensor.element, reason: Reason::Kept(Kept::Copied) },
            Some(wanted) if !tensor.row_len().is_multiple_of(wanted.block_len() as u64) => {
                let reason = Reason::Fallback { wanted, row_len: tensor.row_len() };
                Assignment { ty: GgmlType::F16, reason }
            }
            Some(ty) => Assignment { ty, reason: Reason::Default },
        };
        Ok(tensors.iter().map(assign).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_factors_get_one_type() {
        let tensors = [
            TensorDesc { name: "blk.0.attn_q.weight.lora_a", dims: &[64, 8], element: GgmlType::F32 },
            TensorDesc { name: "blk.0.attn_q.weight.lora_b", dims: &[8, 64], element: GgmlType::BF16 },
        ];
        let types = |name: &str| -> Vec<GgmlType> {
            let recipe = Recipe::from_name(name).unwrap();
            recipe.assign_adapter(&tensors).unwrap().iter().map(|a| a.ty).collect()
        };
        assert_eq!(types("F32"), [GgmlType::F32, GgmlType::F32]);
        assert_eq!(types("BF16"), [GgmlType::BF16, GgmlType::BF16]);
        assert_eq!(types("Q8_0"), [GgmlType::Q8_0, GgmlType::F16]);
        assert_eq!(types("COPY"), [GgmlType::F32, GgmlType::BF16]);
        let error = Recipe::from_name("Q4_K_M").unwrap().assign_adapter(&tensors).unwrap_err();
        assert_eq!(error.to_string(), "an adapter: found Q4_K_M, expected F32, F16, BF16, Q8_0 or COPY");
        Recipe::copy().with_pure(true).assign_adapter(&tensors).unwrap_err();
    }
}
