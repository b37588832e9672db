//! Layers taken out of a model.
//!
//! Source of the facts: `remap_layer` and its use in llama.cpp's `llama-quant.cpp`, `parse_layer_prune` in
//! llama-quantize's `quantize.cpp`, as pinned by `llama-cpp-sys-2` 0.1.161.

use std::collections::{BTreeMap, BTreeSet};

use gguf_format::{Array, Metadata, Value};

use crate::error::RecipeError;

/// The layers to be taken out (`--prune-layers`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrunedLayers {
    layers: BTreeSet<u32>,
}

/// What becomes of a model's tensors when layers are taken out: those of the other layers get new numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renumbering {
    /// Old number to new; `None` for a layer that goes.
    layers: BTreeMap<u32, Option<u32>>,
    block_count: u32,
}

/// Metadata that may have an entry a layer (`get_key_or_arr` in llama.cpp's sources), after the architecture's name.
/// llama.cpp leaves them as they are, and then cannot load the file.
const PER_LAYER: &[&str] = &[
    "attention.head_count",
    "attention.head_count_kv",
    "attention.sliding_window_pattern",
    "attention.recurrent_layers",
    "attention.compress_ratios",
    "attention.indexer.types",
    "expert_feed_forward_length",
    "expert_used_count",
    "feed_forward_length",
    "swiglu_clamp_exp",
    "swiglu_clamp_shexp",
    "xielu.alpha_n",
    "xielu.alpha_p",
    "xielu.beta",
    "xielu.eps",
];

impl PrunedLayers {
    /// These layers, counted from 0.
    #[must_use]
    pub fn new(layers: impl IntoIterator<Item = u32>) -> Self {
        Self { layers: layers.into_iter().collect() }
    }

    /// Reads `0,1,2`, the value of `--prune-layers`.
    ///
    /// # Errors
    /// [`RecipeError::PruneList`] if a part is no number.
    pub fn parse(list: &str) -> Result<Self, RecipeError> {
        let number = |part: &str| {
            let part = part.trim();
            let number = part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten();
            number.ok_or_else(|| RecipeError::PruneList { list: list.to_owned(), found: part.to_owned() })
        };
        list.split(',').map(number).collect::<Result<_, _>>().map(|layers| Self { layers })
    }

    /// What becomes of tensors of these names.
    ///
    /// # Errors
    /// [`RecipeError::PruneLayer`] if a layer is to go that has no tensor; [`RecipeError::PruneAll`] if none stays.
    pub fn renumber<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Renumbering, RecipeError> {
        let there: BTreeSet<u32> = names.into_iter().filter_map(layer).map(|layer| layer.number).collect();
        if let Some(&layer) = self.layers.difference(&there).next() {
            return Err(RecipeError::PruneLayer { layer });
        }
        let first = self.layers.first().copied().unwrap_or(u32::MAX);
        let mut next = 0;
        let mut layers = BTreeMap::new();
        for old in there {
            // Before the first that goes, numbers stay, also where one is missing.
            let new = (!self.layers.contains(&old)).then_some(if old < first { old } else { next });
            next = new.map_or(next, |new| new.saturating_add(1));
            layers.insert(old, new);
        }
        if layers.values().all(Option::is_none) {
            return Err(RecipeError::PruneAll);
        }
        Ok(Renumbering { layers, block_count: next })
    }
}

impl Renumbering {
    /// The new name of a tensor; `None` if its layer goes, or is none that the model had. A tensor of no layer keeps
    /// its name.
    #[must_use]
    pub fn rename(&self, name: &str) -> Option<String> {
        let Some(Layer { number, before, after }) = layer(name) else { return Some(name.to_owned()) };
        let new = self.layers.get(&number).copied().flatten()?;
        Some(format!("{before}{new}{after}"))
    }

    /// The number of layers that stay, for `{arch}.block_count`.
    #[must_use]
    pub fn block_count(&self) -> u32 {
        self.block_count
    }

    /// Makes a model's metadata those of the smaller model: `{arch}.block_count` at the end, as llama.cpp writes it;
    /// and lists with an entry a layer lose those of the layers that go, which llama.cpp forgets.
    ///
    /// Does nothing to metadata without `general.architecture`.
    pub fn apply(&self, metadata: &mut Metadata) {
        let Some(architecture) =
            metadata.get("general.architecture").and_then(Value::as_str).map(str::to_owned)
        else {
            return;
        };
        let block_count = format!("{architecture}.block_count");
        let layers = metadata.get(&block_count).and_then(Value::as_u64);
        // The keys of xIELU have no architecture before them.
        for key in PER_LAYER.iter().flat_map(|name| [format!("{architecture}.{name}"), (*name).to_owned()]) {
            let Some(Value::Array(list)) = metadata.get(&key) else { continue };
            if Some(list.len() as u64) == layers {
                let list = self.shorten(list);
                metadata.insert(key, list);
            }
        }
        metadata.move_to_end(block_count, self.block_count);
    }

    fn shorten(&self, list: &Array) -> Array {
        let goes = |index: usize| {
            u32::try_from(index).is_ok_and(|index| self.layers.get(&index).is_some_and(Option::is_none))
        };
        macro_rules! shorten {
            ($($variant:ident)*) => {
                match list {
                    $(Array::$variant(list) => Array::$variant(
                        list.iter().enumerate().filter(|(i, _)| !goes(*i)).map(|(_, v)| v.clone()).collect(),
                    ),)*
                }
            };
        }
        shorten!(U8 I8 U16 I16 U32 I32 U64 I64 F32 F64 Bool String Array)
    }
}

/// A name taken apart at its layer's number.
struct Layer<'a> {
    number: u32,
    before: &'a str,
    after: &'a str,
}

/// The layer in a name: the first `blk.<digits>.` anywhere in it. A number that does not fit is none.
fn layer(name: &str) -> Option<Layer<'_>> {
    name.match_indices("blk.").find_map(|(at, prefix)| {
        let start = at + prefix.len();
        let rest = name.get(start..)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = rest.get(..digits)?.parse().ok()?;
        let after = rest.get(digits..).filter(|after| after.starts_with('.'))?;
        Some(Layer { number, before: name.get(..start)?, after })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        assert_eq!(PrunedLayers::parse("3,1, 1").unwrap(), PrunedLayers::new([1, 3]));
        for (list, found) in
            [("", ""), ("1,", ""), ("1,-2", "-2"), ("a", "a"), ("4294967296", "4294967296"), ("+1", "+1")]
        {
            let error = PrunedLayers::parse(list).unwrap_err();
            assert_eq!(error, RecipeError::PruneList { list: list.into(), found: found.into() });
        }
    }

    #[test]
    fn layers_move_up() {
        let names = [
            "token_embd.weight",
            "blk.0.a",
            "blk.1.a",
            "blk.1.b",
            "blk.2.a",
            "v.blk.3.a",
            "blk.x.a",
            "blk.4",
        ];
        let renumbering = PrunedLayers::new([1]).renumber(names).unwrap();
        let renamed: Vec<Option<String>> = names.iter().map(|name| renumbering.rename(name)).collect();
        let renamed: Vec<Option<&str>> = renamed.iter().map(Option::as_deref).collect();
        assert_eq!(
            renamed,
            [
                Some("token_embd.weight"),
                Some("blk.0.a"),
                None,
                None,
                Some("blk.1.a"),
                Some("v.blk.2.a"),
                Some("blk.x.a"),
                Some("blk.4")
            ]
        );
        assert_eq!(renumbering.block_count(), 3);
        let gap = PrunedLayers::new([5]).renumber(["blk.0.a", "blk.3.a", "blk.5.a", "blk.9.a"]).unwrap();
        assert_eq!(
            (gap.rename("blk.3.a").unwrap(), gap.rename("blk.9.a").unwrap()),
            ("blk.3.a".into(), "blk.4.a".into())
        );
        assert_eq!(gap.block_count(), 5);
    }

    #[test]
    fn layers_that_are_not_there_are_refused() {
        let names = ["blk.0.a", "blk.1.a"];
        assert_eq!(PrunedLayers::new([2]).renumber(names), Err(RecipeError::PruneLayer { layer: 2 }));
        assert_eq!(PrunedLayers::new([0, 1]).renumber(names), Err(RecipeError::PruneAll));
    }

    #[test]
    fn metadata_follow() {
        let mut metadata = Metadata::new();
        metadata.insert("general.architecture", "deci");
        metadata.insert("deci.block_count", 3_u32);
        metadata.insert("deci.attention.head_count", vec![4_u32, 5, 6]);
        metadata.insert("deci.attention.head_count_kv", vec![1_i32, 2]);
        metadata.insert("deci.rope.dimension_sections", vec![7_i32, 8, 9]);
        metadata.insert("xielu.beta", vec![0.5_f32, 1.0, 1.5]);
        PrunedLayers::new([1]).renumber(["blk.0.a", "blk.1.a", "blk.2.a"]).unwrap().apply(&mut metadata);
        let keys: Vec<&str> = metadata.iter().map(|(key, _)| key).collect();
        assert_eq!(keys.last(), Some(&"deci.block_count"));
        assert_eq!(metadata.get("deci.block_count"), Some(&Value::U32(2)));
        assert_eq!(metadata.get("deci.attention.head_count"), Some(&vec![4_u32, 6].into()));
        assert_eq!(metadata.get("deci.attention.head_count_kv"), Some(&vec![1_i32, 2].into()));
        assert_eq!(metadata.get("xielu.beta"), Some(&vec![0.5_f32, 1.5].into()));
        assert_eq!(metadata.get("deci.rope.dimension_sections"), Some(&vec![7_i32, 8, 9].into()));
    }
}
