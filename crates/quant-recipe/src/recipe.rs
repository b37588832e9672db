//! The recipe: from a file type, options and a model's tensors to the type of each.

use gguf_format::{GgmlType, compare_tensor_names};

use crate::assignment::{Assignment, TensorDesc};
use crate::error::RecipeError;
use crate::facts::ModelFacts;
use crate::file_type::FileType;
use crate::overrides::{TensorTypeOverride, is_target};
use crate::walk::Walk;

/// Decides which type each tensor of a model gets, as llama.cpp's `llama-quantize` does for the same file type and
/// options.
///
/// Source of the facts: `llama_tensor_get_type` in `llama-quant.cpp` and the options in `quantize.cpp`, llama.cpp as
/// pinned by `llama-cpp-sys-2` 0.1.161. Options that contradict each other or decide about no tensor are errors here;
/// there they are ignored.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// `None` copies all tensors.
    pub(crate) file_type: Option<FileType>,
    pub(crate) pure: bool,
    pub(crate) output_left: bool,
    pub(crate) output: Option<GgmlType>,
    pub(crate) token_embedding: Option<GgmlType>,
    pub(crate) overrides: Vec<TensorTypeOverride>,
    pub(crate) requantizing: bool,
    pub(crate) importance: bool,
}

impl Recipe {
    /// The recipe of a file type.
    #[must_use]
    pub fn new(file_type: FileType) -> Self {
        Self { file_type: Some(file_type), ..Self::copy() }
    }

    /// The recipe that keeps every tensor's type: `llama-quantize`'s `COPY`.
    #[must_use]
    pub fn copy() -> Self {
        Self {
            file_type: None,
            pure: false,
            output_left: false,
            output: None,
            token_embedding: None,
            overrides: Vec::new(),
            requantizing: false,
            importance: false,
        }
    }

    /// The recipe of what `llama-quantize` takes as its type: a file type's name, alias or number
    /// ([`FileType::from_name`]), or `COPY`, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name.trim().eq_ignore_ascii_case("copy") {
            return Some(Self::copy());
        }
        FileType::from_name(name).map(Self::new)
    }

    /// The file type; `None` where all tensors are copied, and the file keeps the file type it has.
    #[must_use]
    pub fn file_type(&self) -> Option<FileType> {
        self.file_type
    }

    /// Whether every tensor that is quantized gets the base type, with no mix (`--pure`). Rows that do not fit still
    /// fall back, and the types that are asked for still hold.
    #[must_use]
    pub fn with_pure(mut self, pure: bool) -> Self {
        self.pure = pure;
        self
    }

    /// Whether `output.weight` keeps the type it has (`--leave-output-tensor`).
    #[must_use]
    pub fn with_output_tensor_left(mut self, left: bool) -> Self {
        self.output_left = left;
        self
    }

    /// The type for `output.weight`, or in a model without one for the token embeddings, which then stand for the
    /// output (`--output-tensor-type`).
    #[must_use]
    pub fn with_output_tensor_type(mut self, ty: GgmlType) -> Self {
        self.output = Some(ty);
        self
    }

    /// The type for `token_embd.weight` and `per_layer_token_embd.weight` (`--token-embedding-type`). An
    /// [override](Recipe::with_tensor_types) that matches the latter goes before.
    #[must_use]
    pub fn with_token_embedding_type(mut self, ty: GgmlType) -> Self {
        self.token_embedding = Some(ty);
        self
    }

    /// Types for tensors by their names (`--tensor-type`, `--tensor-type-file`), after those that are there already.
    /// The first that matches a tensor decides, before the mix and after the two types above.
    #[must_use]
    pub fn with_tensor_types(mut self, overrides: impl IntoIterator<Item = TensorTypeOverride>) -> Self {
        self.overrides.extend(overrides);
        self
    }

    /// Whether tensors that are quantized already may be quantized again, to another type (`--allow-requantize`).
    #[must_use]
    pub fn with_requantizing(mut self, allowed: bool) -> Self {
        self.requantizing = allowed;
        self
    }

    /// Whether there is an importance matrix for the model. Some mixes save bits where there is one.
    #[must_use]
    pub fn with_importance_matrix(mut self, there: bool) -> Self {
        self.importance = there;
        self
    }

    /// Whether the options go together.
    ///
    /// # Errors
    /// [`RecipeError::Contradiction`] if two exclude each other; [`RecipeError::Target`] if a type is asked for that
    /// nothing can be quantized to.
    pub fn check(&self) -> Result<(), RecipeError> {
        for (option, ty) in [(OUTPUT_TYPE, self.output), (TOKEN_EMBEDDING_TYPE, self.token_embedding)] {
            if let Some(found) = ty.filter(|&ty| !is_target(ty)) {
                return Err(RecipeError::Target { option, found });
            }
        }
        let contradiction =
            |first: &str, second: String| Err(RecipeError::Contradiction { first: first.into(), second });
        let overridden = self.overrides.first().map(|first| format!("override {first}"));
        let options = [
            self.pure.then(|| "pure".to_owned()),
            self.output_left.then(|| OUTPUT_LEFT.to_owned()),
            self.output.map(|_| OUTPUT_TYPE.to_owned()),
            self.token_embedding.map(|_| TOKEN_EMBEDDING_TYPE.to_owned()),
            overridden.clone(),
            self.importance.then(|| "importance matrix".to_owned()),
        ];
        match (self.file_type, overridden) {
            (None, _) => {
                if let Some(option) = options.into_iter().flatten().next() {
                    return contradiction("copy", option);
                }
            }
            (Some(file_type), Some(first)) if !file_type.base().is_quantized() => {
                return contradiction(&format!("file type {file_type}"), first);
            }
            _ => {}
        }
        if self.output_left && self.output.is_some() {
            return contradiction(OUTPUT_LEFT, OUTPUT_TYPE.to_owned());
        }
        for (at, first) in self.overrides.iter().enumerate() {
            let twin = |second: &&TensorTypeOverride| {
                second.pattern() == first.pattern() && second.ty() != first.ty()
            };
            if let Some(second) = self.overrides.iter().skip(at + 1).find(twin) {
                return contradiction(&format!("override {first}"), format!("override {second}"));
            }
        }
        Ok(())
    }

    /// The type of each tensor. The tensors may come in any order; the result is parallel to them.
    ///
    /// All tensors of the model must be given at once: rules look at a tensor's place among those of its kind,
    /// and at whether the output has a tensor of its own. Where layers are
    /// [pruned](crate::PrunedLayers), the tensors are those that stay, under their new names, and the facts those of
    /// the whole model.
    ///
    /// # Errors
    /// The options do not go together ([`Recipe::check`]); an option decides about no tensor; two tensors have one
    /// name; a tensor to be quantized holds integers, or is quantized already and requantizing is not allowed; its
    /// rows fit no type; in a model with experts, a feed-forward tensor's name does not tell its layer.
    pub fn assign(
        &self,
        facts: &ModelFacts,
        tensors: &[TensorDesc<'_>],
    ) -> Result<Vec<Assignment>, RecipeError> {
        self.check()?;
        // llama.cpp counts tensors in the order in which it keeps them, whatever the order in the file.
        let mut ordered: Vec<(usize, &TensorDesc<'_>)> = tensors.iter().enumerate().collect();
        ordered.sort_by(|(_, a), (_, b)| compare_tensor_names(a.name, b.name));
        if let Some((_, twin)) =
            ordered.iter().zip(ordered.iter().skip(1)).find_map(|(a, b)| (a.1.name == b.1.name).then_some(*a))
        {
            return Err(RecipeError::Duplicate { name: twin.name.to_string() });
        }
        let mut walk = Walk::new(self, facts, tensors);
        let mut assignments = Vec::with_capacity(tensors.len());
        for (at, tensor) in ordered {
            assignments.push((at, walk.next(tensor)?));
        }
        walk.finish()?;
        assignments.sort_by_key(|&(at, _)| at);
        Ok(assignments.into_iter().map(|(_, assignment)| assignment).collect())
    }
}

/// What errors call the options.
pub(crate) const OUTPUT_TYPE: &str = "output tensor type";
pub(crate) const TOKEN_EMBEDDING_TYPE: &str = "token embedding type";
const OUTPUT_LEFT: &str = "output tensor left as it is";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overrides::TensorTypeOverride;

    fn error(recipe: &Recipe) -> String {
        recipe.check().unwrap_err().to_string()
    }

    fn overridden(recipe: Recipe, pairs: &str) -> Recipe {
        recipe.with_tensor_types(TensorTypeOverride::parse_list(pairs).unwrap())
    }

    #[test]
    fn names_give_recipes() {
        assert_eq!(Recipe::from_name("copy").unwrap().file_type(), None);
        assert_eq!(Recipe::from_name("q4_k_m").unwrap().file_type(), Some(FileType::Q4_K_M));
        assert_eq!(Recipe::from_name("7").unwrap().file_type(), Some(FileType::Q8_0));
        assert!(Recipe::from_name("copies").is_none());
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        let recipe = || Recipe::new(FileType::Q4_K_M);
        let mixed = recipe().with_output_tensor_left(true).with_token_embedding_type(GgmlType::F16);
        assert_eq!(overridden(mixed.with_pure(true), "a=q8_0 b=q8_0 a=q8_0").check(), Ok(()));
        assert_eq!(
            error(&Recipe::copy().with_pure(true)),
            "copy and pure exclude each other; leave one of them out"
        );
        assert!(error(&overridden(Recipe::copy(), "a=f16")).starts_with("copy and override a=F16 exclude"));
        assert!(
            error(&Recipe::copy().with_importance_matrix(true)).starts_with("copy and importance matrix")
        );
        assert!(
            error(&overridden(Recipe::new(FileType::F16), "a=q8_0"))
                .starts_with("file type F16 and override a=Q8_0")
        );
        assert!(
            error(&recipe().with_output_tensor_left(true).with_output_tensor_type(GgmlType::Q8_0))
                .starts_with("output tensor left as it is and output tensor type exclude")
        );
        assert!(
            error(&overridden(recipe(), "a=q8_0 b=f16 a=q4_0"))
                .starts_with("override a=Q8_0 and override a=Q4_0")
        );
        assert_eq!(
            error(&recipe().with_token_embedding_type(GgmlType::I8)),
            "token embedding type: found I8, expected a floating-point or block type that files hold"
        );
    }
}
