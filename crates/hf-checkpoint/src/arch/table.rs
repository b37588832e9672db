//! The language of the tables: what tensors a family's GGUF files have, and which weights of the checkpoint make them.

use crate::config::Config;
use crate::sizes::Dim;

/// A tensor of the GGUF file, in every block where its name has a `{}`.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// Its name; `{}` stands for the number of the block. Without `.weight` where the source has none either.
    pub target: &'static str,
    /// Its shape, outermost dimension first, where it is not the source's.
    pub to: &'static [Dim],
    /// The weights it is made of.
    pub from: Source,
    /// Other forms that checkpoints have them in, the preferred first.
    pub or: &'static [Source],
    pub weight: Presence,
    /// A bias has the first dimension alone.
    pub bias: Presence,
    /// Weights that are stored in blocks of a quantized type of ggml's stay so.
    pub blocks: bool,
    /// Whether a model has this row at all.
    pub when: Option<fn(&Config) -> bool>,
    /// How many blocks have it, where they are not the family's.
    pub each: Option<Dim>,
    /// All forms are the same numbers: those that are not taken are left out.
    pub copies: bool,
    /// After what its weights have, rows of zeros make up its shape.
    pub zeros_after: bool,
}

/// Weights of the checkpoint that together make a tensor.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    /// The name; `{}` stands for the number of the block, `{e}` for that of the expert, all of which are laid one after
    /// another.
    pub name: &'static str,
    /// The name is the whole one; else `.weight` or `.bias` comes after it.
    pub bare: bool,
    /// The shape of each weight, outermost dimension first.
    pub shape: &'static [Dim],
    /// How many there are of `{e}`.
    pub count: Dim,
    /// What the tensor has of each weight: parts, laid one after another. None: the weight as it is.
    pub parts: &'static [&'static [Step]],
    /// The parts are those of each of so many slices of the outermost axis, which come one after another.
    pub heads: Option<Dim>,
}

/// A step from a weight to a part of it, as numpy's views are made, or a change of its values. Axes are counted from the outermost, 0.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// An axis is seen as several: these, and one more for the rest.
    Split(usize, &'static [Dim]),
    /// Two axes change places.
    Swap(usize, usize),
    /// Of an axis so many from `start` on.
    Slice(usize, Start, Dim),
    /// Of an axis every so many, the first of which is number `first`.
    Every(usize, u64, u64),
    /// Its values change. Values are computed in F32, or in F16 where the checkpoint has that, as PyTorch does, and
    /// are F32 then.
    Change(Change),
    /// Its values are multiplied by a setting, or by this element of a list of settings.
    Times(&'static str, Option<usize>),
}

/// Where a slice starts.
#[derive(Clone, Copy)]
pub(crate) enum Start {
    First,
    After(Dim),
}

/// Whether a tensor must be there.
#[derive(Clone, Copy)]
pub(crate) enum Presence {
    Never,
    Optional,
    Needed,
    /// Needed if this setting is on, optional if not.
    If(&'static str),
    /// Needed in the blocks for which this is so, optional in others. What is in no block is asked about block 0.
    Where(fn(&Config, u64) -> bool),
}

/// What happens to a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change {
    /// This is added.
    Plus(f32),
    /// It is multiplied by this.
    Times(f32),
    /// The negative of e to the power of it.
    NegExp,
}

/// The two halves of each of so many heads, to be interleaved: Hugging Face rotates the halves of a head against each other,
/// ggml's `llama` architecture neighbouring pairs (`LlamaModel.permute` in convert_hf_to_gguf).
pub(crate) const INTERLEAVE_QUERIES: &[&[Step]] =
    &[&[Step::Split(0, &[Dim::Heads, Dim::Fixed(2)]), Step::Swap(1, 2)]];
/// As [`INTERLEAVE_QUERIES`], for key heads.
pub(crate) const INTERLEAVE_KEYS: &[&[Step]] =
    &[&[Step::Split(0, &[Dim::KeyHeads, Dim::Fixed(2)]), Step::Swap(1, 2)]];

/// Norms whose weights are stored around 0.
pub(crate) const PLUS_ONE: &[&[Step]] = &[&[Step::Change(Change::Plus(1.0))]];

/// The lists of another table, and one more. `N` is one more than there are: the compiler counts, so that a list which the other
/// table gets later is not missed.
#[expect(clippy::indexing_slicing, reason = "run by the compiler, which counts the lists first")]
pub(super) const fn and_also<T, const N: usize>(
    lists: &'static [&'static [T]],
    more: &'static [T],
) -> [&'static [T]; N] {
    assert!(lists.len() + 1 == N, "N is not one more than the lists");
    let mut all = [more; N];
    let mut i = 0;
    while i < lists.len() {
        all[i] = lists[i];
        i += 1;
    }
    all
}

impl Source {
    /// The weight of this name without `.weight`, as it is.
    pub(crate) const fn new(name: &'static str, shape: &'static [Dim]) -> Self {
        Self { name, bare: false, shape, count: Dim::Experts, parts: &[], heads: None }
    }

    /// The weight of this whole name, as it is.
    pub(crate) const fn bare(name: &'static str, shape: &'static [Dim]) -> Self {
        Self { bare: true, ..Self::new(name, shape) }
    }

    /// These parts of it.
    pub(crate) const fn parts(self, parts: &'static [&'static [Step]]) -> Self {
        Self { parts, ..self }
    }
}

impl Row {
    /// A weight that must be there, without a bias, unchanged.
    pub(crate) const fn new(source: &'static str, target: &'static str, shape: &'static [Dim]) -> Self {
        Self::of(target, Source::new(source, shape))
    }

    /// The same, by whole names.
    pub(crate) const fn bare(source: &'static str, target: &'static str, shape: &'static [Dim]) -> Self {
        Self::of(target, Source::bare(source, shape))
    }

    /// A tensor that must be there, made of these weights.
    pub(crate) const fn of(target: &'static str, from: Source) -> Self {
        let (weight, bias) = (Presence::Needed, Presence::Never);
        Self {
            target,
            to: &[],
            from,
            or: &[],
            weight,
            bias,
            blocks: false,
            when: None,
            each: None,
            copies: false,
            zeros_after: false,
        }
    }

    /// Where else it may come from.
    pub(crate) const fn or(self, or: &'static [Source]) -> Self {
        Self { or, ..self }
    }

    pub(crate) const fn bias(self, bias: Presence) -> Self {
        Self { bias, ..self }
    }

    pub(crate) const fn weight(self, weight: Presence) -> Self {
        Self { weight, ..self }
    }

    pub(crate) const fn optional(self) -> Self {
        self.weight(Presence::Optional)
    }

    /// Its shape, where it is not the source's.
    pub(crate) const fn to(self, to: &'static [Dim]) -> Self {
        Self { to, ..self }
    }

    /// These parts of its weights.
    pub(crate) const fn parts(self, parts: &'static [&'static [Step]]) -> Self {
        Self { from: self.from.parts(parts), ..self }
    }

    /// These parts of each of so many slices of its weights' outermost axis.
    pub(crate) const fn parts_of_each(self, heads: Dim, parts: &'static [&'static [Step]]) -> Self {
        Self { from: Source { heads: Some(heads), ..self.from.parts(parts) }, ..self }
    }

    /// How many weights `{e}` stands for, where they are not experts.
    pub(crate) const fn count(self, count: Dim) -> Self {
        Self { from: Source { count, ..self.from }, ..self }
    }

    /// Keeps blocks of a quantized type.
    pub(crate) const fn blocks(self) -> Self {
        Self { blocks: true, ..self }
    }

    /// In each of so many blocks: a second stack of them beside the family's.
    pub(crate) const fn each(self, blocks: Dim) -> Self {
        Self { each: Some(blocks), ..self }
    }

    /// Rows that its weights have not are zeros, after those they have.
    pub(crate) const fn zeros_after(self) -> Self {
        Self { zeros_after: true, ..self }
    }

    /// Its forms are copies of one another.
    pub(crate) const fn copies(self) -> Self {
        Self { copies: true, ..self }
    }

    pub(crate) const fn when(self, when: fn(&Config) -> bool) -> Self {
        Self { when: Some(when), ..self }
    }
}
