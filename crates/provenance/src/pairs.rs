//! How pairs join those that a checkpoint already has.

use gguf_format::{Array, Metadata, Value};

use crate::keys::rank;
use crate::reference::{Kind, Reference};

/// Sets pairs in metadata. A key that is there keeps its place; a new `general.*` key takes the place that the
/// write order gives it; any other goes to the end.
pub(crate) fn merge(metadata: &mut Metadata, pairs: impl IntoIterator<Item = (String, Value)>) {
    let mut new = Metadata::new();
    for (key, value) in pairs {
        let target = if metadata.get(&key).is_some() { &mut *metadata } else { &mut new };
        target.insert(key, value);
    }
    let (mut ranked, last): (Vec<_>, Vec<_>) =
        new.into_iter().map(|pair| (rank(&pair.0), pair)).partition(|(rank, _)| rank.is_some());
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut ranked = ranked.into_iter().peekable();
    let old: Vec<_> = std::mem::take(metadata).into_iter().collect();
    // A rank's place is behind the last old pair of this rank or a lower one. So an old pair goes before those new ones
    // that rank no lower than it or any old pair behind it.
    let mut lowest = usize::MAX;
    let mut bounds: Vec<usize> = old
        .iter()
        .rev()
        .map(|(key, _)| {
            lowest = rank(key).map_or(lowest, |rank| rank.min(lowest));
            lowest
        })
        .collect();
    for pair in old {
        let bound = bounds.pop().unwrap_or(usize::MAX);
        while let Some((_, new)) = ranked.next_if(|(rank, _)| rank.is_some_and(|rank| rank < bound)) {
            metadata.insert(new.0, new.1);
        }
        metadata.insert(pair.0, pair.1);
    }
    metadata.extend(ranked.chain(last).map(|(_, pair)| pair));
}

/// The pairs of a list of base models or datasets with one entry.
pub(crate) fn reference_pairs(kind: Kind, text: &str) -> Vec<(String, Value)> {
    let prefix = kind.prefix();
    let reference = Reference::parse(kind, text);
    let mut pairs = vec![(format!("{prefix}count"), Value::U32(1))];
    pairs.extend(reference.fields().map(|(field, value)| (format!("{prefix}0.{field}"), Value::from(value))));
    pairs
}

/// Takes out all base models or datasets that metadata names.
pub(crate) fn remove_references(metadata: &mut Metadata, kind: Kind) {
    metadata.retain(|key, _| !key.starts_with(kind.prefix()));
}

/// A value as text: numbers in decimal, a list with its entries between commas.
#[must_use]
pub fn to_text(value: &Value) -> String {
    fn joined<T>(list: &[T], text: impl Fn(&T) -> String) -> String {
        list.iter().map(text).collect::<Vec<_>>().join(", ")
    }
    macro_rules! texts {
        ($($ty:ident),*) => {
            match value {
                $(Value::$ty(one) => one.to_string(),
                Value::Array(Array::$ty(list)) => joined(list, ToString::to_string),)*
                Value::Array(Array::Array(lists)) => {
                    joined(lists, |list| format!("[{}]", to_text(&Value::Array(list.clone()))))
                }
            }
        };
    }
    texts!(U8, I8, U16, I16, U32, I32, U64, I64, F32, F64, Bool, String)
}

#[cfg(test)]
mod tests {
    use proptest::strategy::Strategy;

    use super::*;

    fn merged(start: &[&str], new: &[&str]) -> Vec<String> {
        let mut metadata: Metadata = start.iter().map(|&key| (key, "old")).collect();
        merge(&mut metadata, new.iter().map(|&key| (key.to_string(), Value::from("new"))));
        metadata.iter().map(|(key, value)| format!("{key}={}", to_text(value))).collect()
    }

    #[test]
    fn new_general_keys_take_their_place_and_others_go_last() {
        let start = [
            "general.architecture",
            "general.type",
            "general.sampling.temp",
            "general.name",
            "general.tags",
            "llama.block_count",
            "general.file_type",
            "tokenizer.ggml.model",
        ];
        assert_eq!(
            merged(&start, &["general.name", "general.license", "general.author", "entrenar.run_id"]),
            [
                "general.architecture=old",
                "general.type=old",
                "general.sampling.temp=old",
                "general.name=new",
                "general.author=new",
                "general.license=new",
                "general.tags=old",
                "llama.block_count=old",
                "general.file_type=old",
                "tokenizer.ggml.model=old",
                "entrenar.run_id=new",
            ]
        );
        assert_eq!(
            merged(
                &["general.sampling.top_k", "general.source.doi"],
                &["general.source.url", "general.sampling.temp"]
            ),
            [
                "general.sampling.top_k=old",
                "general.sampling.temp=new",
                "general.source.url=new",
                "general.source.doi=old"
            ]
        );
        assert_eq!(
            merged(&["llama.block_count"], &["general.languages", "general.architecture"]),
            ["general.architecture=new", "general.languages=new", "llama.block_count=old"]
        );
    }

    /// One pair after another, each behind the last one that ranks no higher.
    fn merged_one_by_one(start: &[&str], new: &[&str]) -> Vec<String> {
        let mut all: Vec<(&str, &str)> = start.iter().map(|key| (*key, "old")).collect();
        for key in new {
            if let Some((_, value)) = all.iter_mut().find(|(k, _)| k == key) {
                *value = "new";
                continue;
            }
            let at = rank(key).map_or(all.len(), |own| {
                let before = |(k, _): &(&str, &str)| rank(k).is_some_and(|other| other <= own);
                all.iter().rposition(before).map_or(0, |last| last + 1)
            });
            all.insert(at, (key, "new"));
        }
        all.iter().map(|(key, value)| format!("{key}={value}")).collect()
    }

    proptest::proptest! {
        #[test]
        fn the_order_is_that_of_pairs_that_come_one_by_one(
            start in proptest::sample::subsequence(KEYS, 0..=KEYS.len()).prop_shuffle(),
            new in proptest::collection::vec(proptest::sample::select(KEYS), 0..20),
        ) {
            proptest::prop_assert_eq!(merged(&start, &new), merged_one_by_one(&start, &new));
        }
    }

    const KEYS: &[&str] = &[
        "general.architecture",
        "general.type",
        "general.sampling.temp",
        "general.sampling.top_k",
        "general.name",
        "general.author",
        "general.base_model.0.name",
        "general.base_model.1.name",
        "general.dataset.0.name",
        "general.tags",
        "general.file_type",
        "llama.block_count",
        "tokenizer.ggml.model",
        "entrenar.run_id",
    ];

    #[test]
    fn a_reference_is_counted_and_named() {
        let pairs = reference_pairs(Kind::Dataset, "org/set");
        assert_eq!(
            pairs,
            [
                ("general.dataset.count".to_string(), Value::U32(1)),
                ("general.dataset.0.name".to_string(), "Set".into()),
                ("general.dataset.0.organization".to_string(), "Org".into()),
                ("general.dataset.0.repo_url".to_string(), "https://huggingface.co/datasets/org/set".into()),
            ]
        );
        let mut metadata: Metadata = pairs.into_iter().collect();
        metadata.insert("general.name", "kept");
        remove_references(&mut metadata, Kind::BaseModel);
        assert_eq!(metadata.len(), 5);
        remove_references(&mut metadata, Kind::Dataset);
        assert_eq!(metadata.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["general.name"]);
    }
}
