//! The recipe: from a file type and a model's tensors to the type of each.

use gguf_format::GgmlType;
use gguf_format::{block_number, compare_tensor_names};

use crate::assignment::{Assignment, Reason, TensorDesc};
use crate::category::Category;
use crate::error::RecipeError;
use crate::facts::ModelFacts;
use crate::fallback::fitting;
use crate::file_type::FileType;
use crate::keep::kept;
use crate::mix::{Context, Position, mixed, named};

/// Decides which type each tensor of a model gets, as llama.cpp's `llama-quantize` does for the same file type.
#[derive(Clone, Debug)]
pub struct Recipe {
    file_type: FileType,
}

impl Recipe {
    /// The recipe of a file type.
    #[must_use]
    pub fn new(file_type: FileType) -> Self {
        Self { file_type }
    }

    /// The file type.
    #[must_use]
    pub fn file_type(&self) -> FileType {
        self.file_type
    }

    /// The type of each tensor. The tensors may come in any order; the result is parallel to them.
    ///
    /// All tensors of the model must be given at once: rules look at a tensor's place among those of its kind,
    /// and at whether the output has a tensor of its own.
    ///
    /// # Errors
    /// Two tensors have one name; a tensor to be quantized holds neither `F32`, `F16` nor `BF16`; in a model
    /// with experts, a feed-forward tensor's name does not tell its layer.
    pub fn assign(
        &self,
        facts: &ModelFacts,
        tensors: &[TensorDesc<'_>],
    ) -> Result<Vec<Assignment>, RecipeError> {
        // llama.cpp counts tensors in the order in which it keeps them, whatever the order in the file.
        let mut ordered: Vec<(usize, &TensorDesc<'_>)> = tensors.iter().enumerate().collect();
        ordered.sort_by(|(_, a), (_, b)| compare_tensor_names(a.name, b.name));
        if let Some((_, twin)) =
            ordered.iter().zip(ordered.iter().skip(1)).find_map(|(a, b)| (a.1.name == b.1.name).then_some(*a))
        {
            return Err(RecipeError::Duplicate { name: twin.name.to_string() });
        }
        let mut walk = Walk::new(self.file_type, facts, tensors);
        let mut assignments = Vec::with_capacity(tensors.len());
        for (at, tensor) in ordered {
            assignments.push((at, walk.next(tensor)?));
        }
        assignments.sort_by_key(|&(at, _)| at);
        Ok(assignments.into_iter().map(|(_, assignment)| assignment).collect())
    }
}

/// The state that rules share from tensor to tensor.
struct Walk<'a> {
    file_type: FileType,
    facts: &'a ModelFacts,
    /// Whether the token embeddings stand for the output as well.
    tied: bool,
    /// Tensors that hold values, those that are kept included.
    values: i64,
    seen: Seen,
}

/// How many tensors of each kind the mix has seen.
#[derive(Default)]
struct Seen {
    values: i64,
    ffn_up: i64,
    ffn_gate: i64,
    ffn_down: i64,
}

impl<'a> Walk<'a> {
    fn new(file_type: FileType, facts: &'a ModelFacts, tensors: &[TensorDesc<'_>]) -> Self {
        let categories = || tensors.iter().map(|tensor| Category::of(tensor.name));
        Self {
            file_type,
            facts,
            tied: !categories().any(|category| category == Category::Output),
            values: categories().filter(|category| category.holds_values()).count() as i64,
            seen: Seen::default(),
        }
    }

    /// The type of the next tensor in canonical order.
    fn next(&mut self, tensor: &TensorDesc<'_>) -> Result<Assignment, RecipeError> {
        if let Some(why) = kept(&self.facts.architecture, tensor) {
            return Ok(Assignment { ty: tensor.element, reason: Reason::Kept(why) });
        }
        let assignment = self.quantized(tensor)?;
        let is_float = matches!(tensor.element, GgmlType::F32 | GgmlType::F16 | GgmlType::BF16);
        if assignment.ty != tensor.element && !is_float {
            return Err(RecipeError::Element {
                name: tensor.name.to_string(),
                found: tensor.element,
                wanted: assignment.ty,
            });
        }
        Ok(assignment)
    }

    fn quantized(&mut self, tensor: &TensorDesc<'_>) -> Result<Assignment, RecipeError> {
        let base = self.file_type.base();
        if !base.is_quantized() {
            return Ok(Assignment { ty: base, reason: Reason::Default });
        }
        let (wanted, rule) = self.wanted(tensor)?;
        let row_len = tensor.row_len();
        let ty = fitting(wanted, row_len);
        let reason = match rule {
            _ if ty != wanted => Reason::Fallback { wanted, row_len },
            Some(rule) if ty != base => Reason::Mix(rule),
            _ => Reason::Default,
        };
        Ok(Assignment { ty, reason })
    }

    /// The type that the mix wants, whatever the shape, and the rule that says so.
    fn wanted(&mut self, tensor: &TensorDesc<'_>) -> Result<(GgmlType, Option<&'static str>), RecipeError> {
        if let Some((ty, why)) = named(&self.facts.architecture, tensor.name) {
            return Ok((ty, Some(why)));
        }
        let category = match Category::of(tensor.name) {
            Category::TokenEmbedding if self.tied => Category::Output,
            category => category,
        };
        let position = self.position(category, tensor.name)?;
        Ok(mixed(&Context { file_type: self.file_type, facts: self.facts, category, position }))
    }

    /// Where a tensor stands among its kind; counts it.
    fn position(&mut self, category: Category, name: &str) -> Result<Position, RecipeError> {
        let (seen, count) = match category {
            Category::AttentionV | Category::AttentionQkv | Category::AttentionKvB => {
                (&mut self.seen.values, self.values)
            }
            Category::FfnUp => (&mut self.seen.ffn_up, i64::from(self.facts.block_count)),
            Category::FfnGate => (&mut self.seen.ffn_gate, i64::from(self.facts.block_count)),
            Category::FfnDown => (&mut self.seen.ffn_down, i64::from(self.facts.block_count)),
            _ => return Ok(Position::default()),
        };
        let mut index = *seen;
        *seen += 1;
        // Experts may have a tensor each, and these do not come layer by layer: the name tells the layer.
        if self.facts.expert_count > 1 && !category.holds_values() {
            index = i64::from(block_number(name));
            if !(0..count).contains(&index) {
                let block_count = self.facts.block_count;
                return Err(RecipeError::Layer { name: name.to_string(), block_count });
            }
        }
        Ok(Position { index, count })
    }
}
