//! The walk over a model's tensors in canonical order: options first, then the mix, then shapes.

use gguf_format::{GgmlType, block_number};

use crate::assignment::{Asked, Assignment, Kept, Reason, TensorDesc};
use crate::category::Category;
use crate::error::RecipeError;
use crate::facts::ModelFacts;
use crate::fallback::{fits, fitting};
use crate::file_type::FileType;
use crate::keep::kept;
use crate::mix::{Context, Counting, Position, mixed, named};
use crate::recipe::{OUTPUT_TYPE, Recipe, TOKEN_EMBEDDING_TYPE};

/// The state that rules share from tensor to tensor.
pub(crate) struct Walk<'a> {
    recipe: &'a Recipe,
    facts: &'a ModelFacts,
    /// Whether the token embeddings stand for the output as well.
    tied: bool,
    /// Tensors that hold values, those that are kept included.
    values: i64,
    seen: Seen,
    decided: Decided,
}

/// How many tensors of each kind the mix has seen.
#[derive(Default)]
struct Seen {
    values: i64,
    ffn_up: i64,
    ffn_gate: i64,
    ffn_down: i64,
}

/// Which options have decided about a tensor, or could have.
struct Decided {
    output: bool,
    token_embedding: bool,
    overrides: Vec<bool>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(recipe: &'a Recipe, facts: &'a ModelFacts, tensors: &[TensorDesc<'_>]) -> Self {
        let categories = || tensors.iter().map(|tensor| Category::of(tensor.name));
        let overrides = vec![false; recipe.overrides.len()];
        Self {
            recipe,
            facts,
            tied: !categories().any(|category| category == Category::Output),
            values: categories().filter(|category| category.holds_values()).count() as i64,
            seen: Seen::default(),
            decided: Decided { output: false, token_embedding: false, overrides },
        }
    }

    /// The type of the next tensor in canonical order.
    pub(crate) fn next(&mut self, tensor: &TensorDesc<'_>) -> Result<Assignment, RecipeError> {
        let Some(file_type) = self.recipe.file_type else {
            return Ok(Assignment { ty: tensor.element, reason: Reason::Kept(Kept::Copied) });
        };
        if let Some(why) = self.kept(tensor) {
            return Ok(Assignment { ty: tensor.element, reason: Reason::Kept(why) });
        }
        let assignment = self.quantized(file_type, tensor)?;
        self.convertible(tensor, assignment.ty)?;
        Ok(assignment)
    }

    /// After the last tensor: whether every option decided about one.
    ///
    /// # Errors
    /// [`RecipeError::Unmatched`] if one did not.
    pub(crate) fn finish(self) -> Result<(), RecipeError> {
        let unmatched = |option: String| Err(RecipeError::Unmatched { option });
        if self.recipe.output.is_some() && !self.decided.output {
            return unmatched(OUTPUT_TYPE.to_owned());
        }
        if self.recipe.token_embedding.is_some() && !self.decided.token_embedding {
            return unmatched(TOKEN_EMBEDDING_TYPE.to_owned());
        }
        match self.recipe.overrides.iter().zip(&self.decided.overrides).find(|(_, matched)| !**matched) {
            Some((pattern, _)) => unmatched(format!("override {pattern}")),
            None => Ok(()),
        }
    }

    fn kept(&self, tensor: &TensorDesc<'_>) -> Option<Kept> {
        let left = self.recipe.output_left && Category::of(tensor.name) == Category::Output;
        kept(&self.facts.architecture, tensor).or(left.then_some(Kept::OutputLeft))
    }

    /// Whether weights of the type that the tensor has can be made into the type it gets.
    fn convertible(&self, tensor: &TensorDesc<'_>, wanted: GgmlType) -> Result<(), RecipeError> {
        let found = tensor.element;
        let is_float = matches!(found, GgmlType::F32 | GgmlType::F16 | GgmlType::BF16);
        if found == wanted || is_float || (found.is_quantized() && self.recipe.requantizing) {
            return Ok(());
        }
        let name = tensor.name.to_owned();
        Err(if found.is_quantized() {
            RecipeError::Requantize { name, found, wanted }
        } else {
            RecipeError::Element { name, found, wanted }
        })
    }

    fn quantized(&mut self, file_type: FileType, tensor: &TensorDesc<'_>) -> Result<Assignment, RecipeError> {
        let category = Category::of(tensor.name);
        let over = self.overridden(tensor.name);
        // The two types by part hold whatever the base type is, and as they are: no other type stands in for them.
        if let Some(ty) = self.recipe.token_embedding.filter(|_| category == Category::TokenEmbedding) {
            self.decided.token_embedding = true;
            if over.is_none() || tensor.name != "per_layer_token_embd.weight" {
                return exactly(tensor, ty, Asked::TokenEmbedding);
            }
        }
        if let Some(ty) = self.recipe.output.filter(|_| category == Category::Output) {
            self.decided.output = true;
            return exactly(tensor, ty, Asked::Output);
        }
        let base = file_type.base();
        if !base.is_quantized() {
            return Ok(Assignment { ty: base, reason: Reason::Default });
        }
        let (wanted, reason) = match over {
            Some((ty, index)) => (ty, Reason::Asked(Asked::Override(index))),
            None if self.recipe.pure => (base, Reason::Default),
            None => self.wanted(file_type, tensor)?,
        };
        let row_len = tensor.row_len();
        let shape = || RecipeError::Shape { name: tensor.name.to_owned(), wanted, row_len };
        let ty = fitting(wanted, row_len).ok_or_else(shape)?;
        let reason = if ty == wanted { reason } else { Reason::Fallback { wanted, row_len } };
        Ok(Assignment { ty, reason })
    }

    /// The first override whose pattern is in the name: its type and its index. Every one that is there counts as
    /// matched.
    fn overridden(&mut self, name: &str) -> Option<(GgmlType, usize)> {
        let mut first = None;
        let overrides = self.recipe.overrides.iter().zip(&mut self.decided.overrides);
        for (index, (pattern, matched)) in overrides.enumerate() {
            if pattern.matches(name) {
                *matched = true;
                first = first.or(Some((pattern.ty(), index)));
            }
        }
        first
    }

    /// The type that the mix wants, whatever the shape, and why.
    fn wanted(
        &mut self,
        file_type: FileType,
        tensor: &TensorDesc<'_>,
    ) -> Result<(GgmlType, Reason), RecipeError> {
        let because = |ty, rule: Option<&'static str>| {
            // A mix's later stage may give the base type back.
            let rule = rule.filter(|_| ty != file_type.base());
            (ty, rule.map_or(Reason::Default, Reason::Mix))
        };
        if let Some((ty, why)) = named(&self.facts.architecture, tensor.name) {
            return Ok(because(ty, Some(why)));
        }
        let category = match Category::of(tensor.name) {
            Category::TokenEmbedding if self.tied => Category::Output,
            category => category,
        };
        if let Some(ty) = self.recipe.output.filter(|_| category == Category::Output) {
            self.decided.output = true;
            return Ok((ty, Reason::Asked(Asked::Output)));
        }
        let (ty, rule) = mixed(&Context {
            file_type,
            facts: self.facts,
            importance: self.recipe.importance,
            category,
            position: self.position(file_type, category, tensor.name)?,
            row_len: tensor.row_len(),
            stacked: tensor.dims.get(2).is_some_and(|&matrices| matrices > 1),
        });
        Ok(because(ty, rule))
    }

    /// Where a tensor stands among its kind; counts it.
    fn position(
        &mut self,
        file_type: FileType,
        category: Category,
        name: &str,
    ) -> Result<Position, RecipeError> {
        let counting = Counting::of(file_type, category);
        if counting == Counting::None {
            return Ok(Position::default());
        }
        let layers = i64::from(self.facts.block_count);
        let (seen, count) = match category {
            Category::FfnUp => (&mut self.seen.ffn_up, layers),
            Category::FfnGate => (&mut self.seen.ffn_gate, layers),
            Category::FfnDown => (&mut self.seen.ffn_down, layers),
            _ => (&mut self.seen.values, self.values),
        };
        let mut index = *seen;
        *seen += 1;
        // Experts may have a tensor each, and these do not come layer by layer: the name tells the layer.
        if self.facts.expert_count > 1 && counting == Counting::OrderOrName {
            index = i64::from(block_number(name));
            if !(0..count).contains(&index) {
                let block_count = self.facts.block_count;
                return Err(RecipeError::Layer { name: name.to_string(), block_count });
            }
        }
        Ok(Position { index, count })
    }
}

/// A type that is given as it is asked for.
fn exactly(tensor: &TensorDesc<'_>, ty: GgmlType, asked: Asked) -> Result<Assignment, RecipeError> {
    let row_len = tensor.row_len();
    if !fits(ty, row_len) {
        return Err(RecipeError::Shape { name: tensor.name.to_owned(), wanted: ty, row_len });
    }
    Ok(Assignment { ty, reason: Reason::Asked(asked) })
}
