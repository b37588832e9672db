//! Every tensor of every golden model gets the type that llama.cpp gave it.
//!
//! `golden/llama_quantize.json` holds what `llama_model_quantize` wrote for tiny models;
//! `conformance/scripts/recipe_golden.py` makes it.

use std::collections::{BTreeMap, BTreeSet};

use gguf_format::{GgmlType, Metadata, Value};
use quant_recipe::{FileType, Kept, ModelFacts, Reason, Recipe, TensorDesc};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    peer: String,
    file_types: Vec<String>,
    models: Vec<Model>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    name: String,
    metadata: BTreeMap<String, serde_json::Value>,
    /// Name, dimensions with `x` between them, element type, a type for each file type.
    tensors: Vec<(String, String, String, String)>,
}

struct Tensor {
    name: String,
    dims: Vec<u64>,
    element: GgmlType,
    types: Vec<GgmlType>,
}

#[expect(clippy::unwrap_used, reason = "the golden file is ours")]
fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/llama_quantize.json")).unwrap()
}

#[expect(clippy::unwrap_used, reason = "the golden file is ours")]
impl Model {
    fn facts(&self) -> ModelFacts {
        let value = |json: &serde_json::Value| match json {
            serde_json::Value::String(text) => Value::from(text.as_str()),
            serde_json::Value::Array(list) => {
                list.iter().map(|n| n.as_i64().unwrap() as i32).collect::<Vec<_>>().into()
            }
            number => Value::U32(number.as_u64().unwrap() as u32),
        };
        let metadata: Metadata =
            self.metadata.iter().map(|(key, json)| (key.as_str(), value(json))).collect();
        ModelFacts::from_metadata(&metadata).unwrap()
    }

    fn tensors(&self) -> Vec<Tensor> {
        let ty = |name: &str| GgmlType::from_name(name).unwrap();
        let tensor = |(name, dims, element, types): &(String, String, String, String)| Tensor {
            name: name.clone(),
            dims: dims.split('x').map(|len| len.parse().unwrap()).collect(),
            element: ty(element),
            types: types.split(' ').map(ty).collect(),
        };
        self.tensors.iter().map(tensor).collect()
    }
}

fn describe(tensors: &[Tensor]) -> Vec<TensorDesc<'_>> {
    tensors.iter().map(|t| TensorDesc { name: &t.name, dims: &t.dims, element: t.element }).collect()
}

#[test]
fn every_tensor_gets_llama_cpps_type() {
    let golden = golden();
    assert!(golden.peer.contains("llama-cpp-sys-2 0.1.161"), "{}", golden.peer);
    let file_types: Vec<FileType> = golden.file_types.iter().filter_map(|n| FileType::from_name(n)).collect();
    assert_eq!(file_types, FileType::ALL);
    let mut wrong = Vec::new();
    let mut compared = 0;
    for model in &golden.models {
        let (facts, tensors) = (model.facts(), model.tensors());
        for (at, &file_type) in file_types.iter().enumerate() {
            let assignments = Recipe::new(file_type).assign(&facts, &describe(&tensors)).unwrap();
            assert_eq!(assignments.len(), tensors.len());
            for (tensor, given) in tensors.iter().zip(assignments) {
                compared += 1;
                if given.ty != tensor.types[at] {
                    let Tensor { name, types, .. } = tensor;
                    let told = types[at];
                    wrong.push(format!(
                        "{} {file_type} {name}: {told}, not {} ({})",
                        model.name, given.ty, given.reason
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 30_000, "only {compared} compared");
}

#[test]
fn reasons_agree_with_the_types() {
    let mut fallbacks = BTreeSet::new();
    let mut kept = BTreeSet::new();
    let mut rules = BTreeSet::new();
    for model in &golden().models {
        let (facts, tensors) = (model.facts(), model.tensors());
        for &file_type in FileType::ALL {
            let assignments = Recipe::new(file_type).assign(&facts, &describe(&tensors)).unwrap();
            for (tensor, given) in tensors.iter().zip(assignments) {
                match given.reason {
                    Reason::Kept(why) => {
                        kept.insert(why.to_string());
                        assert_eq!(given.ty, tensor.element);
                        assert_eq!(why == Kept::Vector, tensor.dims[1..].iter().all(|&len| len == 1));
                    }
                    Reason::Default => assert_eq!(given.ty, file_type.base()),
                    Reason::Mix(rule) => {
                        rules.insert(rule);
                        assert_ne!(given.ty, file_type.base());
                    }
                    Reason::Fallback { wanted, row_len } => {
                        fallbacks.insert((wanted.name(), given.ty.name()));
                        assert_eq!(row_len, tensor.dims[0]);
                        assert_eq!(wanted.row_bytes(row_len), None, "{} fits", tensor.name);
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    // The golden models reach every fallback of the eight file types, every kind of kept tensor, every rule.
    let f16 = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_0"].map(|wanted| (wanted, "F16"));
    let short = [("Q2_K", "Q4_0"), ("Q3_K", "Q4_0"), ("Q4_K", "Q5_0"), ("Q5_K", "Q5_1")];
    assert_eq!(fallbacks, f16.into_iter().chain(short).chain([("Q6_K", "Q8_0")]).collect());
    assert_eq!(kept.len(), 20, "{kept:#?}");
    assert_eq!(rules.len(), 17, "{rules:#?}");
}

#[test]
fn the_order_of_the_tensors_does_not_matter() {
    for model in &golden().models {
        let (facts, tensors) = (model.facts(), model.tensors());
        let forward = describe(&tensors);
        let backward: Vec<TensorDesc<'_>> = forward.iter().rev().copied().collect();
        let recipe = Recipe::new(FileType::Q3_K_M);
        let mut assignments = recipe.assign(&facts, &backward).unwrap();
        assignments.reverse();
        assert_eq!(assignments, recipe.assign(&facts, &forward).unwrap(), "{}", model.name);
    }
}
