//! Every tensor of every golden model gets the type that llama.cpp gave it.
//!
//! `golden/llama_quantize.json` holds what a dry run of `llama_model_quantize` says of tiny models, a letter a type;
//! `conformance/scripts/recipe_golden.py` makes it. A row has a letter for every file type without an importance
//! matrix, and then for every one with it; tensors name their row. `!` says that llama.cpp refuses the model.

use std::collections::{BTreeMap, BTreeSet};

use gguf_format::{GgmlType, Metadata, Value};
use quant_recipe::{
    Assignment, FileType, Kept, ModelFacts, PrunedLayers, Reason, Recipe, RecipeError, TensorDesc,
    TensorTypeOverride,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    peer: String,
    letters: BTreeMap<char, String>,
    /// The types of the letters.
    #[serde(skip)]
    known: BTreeMap<char, GgmlType>,
    file_types: Vec<String>,
    rows: Vec<String>,
    models: Vec<Model>,
    with_options: Vec<WithOptions>,
    pruned: Vec<Pruned>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    name: String,
    metadata: BTreeMap<String, serde_json::Value>,
    /// Name, dimensions with `x` between them, element type, row.
    tensors: Vec<(String, String, String, usize)>,
}

/// A model and options; for each file type the types of the tensors, in the model's order, or a refusal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WithOptions {
    model: String,
    options: Vec<String>,
    types: BTreeMap<String, Option<String>>,
}

/// A model without some of its layers: names with spaces between them, and types, in the order of the output.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pruned {
    model: String,
    layers: Vec<u32>,
    file_type: String,
    names: String,
    types: String,
}

struct Tensor {
    name: String,
    dims: Vec<u64>,
    element: GgmlType,
    row: usize,
}

#[expect(clippy::unwrap_used, reason = "the golden file is ours")]
fn golden() -> Golden {
    let mut golden: Golden = serde_json::from_str(include_str!("golden/llama_quantize.json")).unwrap();
    let known = golden.letters.iter().map(|(&letter, name)| (letter, GgmlType::from_name(name).unwrap()));
    golden.known = known.collect();
    golden
}

#[expect(clippy::unwrap_used, reason = "the golden file is ours")]
impl Golden {
    fn model(&self, name: &str) -> &Model {
        self.models.iter().find(|model| model.name == name).unwrap()
    }

    fn file_types(&self) -> Vec<FileType> {
        self.file_types.iter().map(|name| FileType::from_name(name).unwrap()).collect()
    }

    fn types(&self, letters: &str) -> Vec<GgmlType> {
        letters.chars().map(|letter| self.known[&letter]).collect()
    }
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
        let tensor = |(name, dims, element, row): &(String, String, String, usize)| Tensor {
            name: name.clone(),
            dims: dims.split('x').map(|len| len.parse().unwrap()).collect(),
            element: GgmlType::from_name(element).unwrap(),
            row: *row,
        };
        self.tensors.iter().map(tensor).collect()
    }
}

fn describe(tensors: &[Tensor]) -> Vec<TensorDesc<'_>> {
    tensors.iter().map(|t| TensorDesc { name: &t.name, dims: &t.dims, element: t.element }).collect()
}

/// Every recipe of a file type, as the rows have them: the column, and the recipe.
fn recipes(golden: &Golden) -> Vec<Recipe> {
    let file_types = golden.file_types();
    let recipes = |there| {
        let recipe = move |&file_type: &FileType| Recipe::new(file_type).with_importance_matrix(there);
        file_types.iter().map(recipe).collect::<Vec<_>>()
    };
    [recipes(false), recipes(true)].concat()
}

fn called(recipe: &Recipe) -> String {
    recipe.file_type().map_or("copy", FileType::name).to_owned()
}

/// The reasons that the golden models reach.
#[derive(Default)]
struct Reached {
    fallbacks: BTreeSet<(&'static str, &'static str)>,
    kept: BTreeSet<String>,
    rules: BTreeSet<&'static str>,
}

impl Reached {
    /// Notes a reason, which must agree with the type.
    #[expect(clippy::panic, reason = "a recipe without options gives no other reasons")]
    fn add(&mut self, base: GgmlType, tensor: &Tensor, given: Assignment) {
        match given.reason {
            Reason::Kept(why) => {
                self.kept.insert(why.to_string());
                assert_eq!(given.ty, tensor.element);
                assert_eq!(why == Kept::Vector, tensor.dims[1..].iter().all(|&len| len == 1));
            }
            Reason::Default => assert_eq!(given.ty, base),
            Reason::Mix(rule) => {
                self.rules.insert(rule);
                assert_ne!(given.ty, base);
            }
            Reason::Fallback { wanted, row_len } => {
                self.fallbacks.insert((wanted.name(), given.ty.name()));
                assert_eq!(row_len, tensor.dims[0]);
                assert_eq!(wanted.row_bytes(row_len), None, "{} fits", tensor.name);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_tensor_gets_llama_cpps_type() {
    let golden = golden();
    assert!(golden.peer.contains("llama-cpp-sys-2 0.1.161"), "{}", golden.peer);
    assert_eq!(golden.file_types(), FileType::ALL);
    let mut wrong = Vec::new();
    let (mut compared, mut refused) = (0, 0);
    let mut reached = Reached::default();
    for model in &golden.models {
        let (facts, tensors) = (model.facts(), model.tensors());
        for (column, recipe) in recipes(&golden).iter().enumerate() {
            let told: String =
                tensors.iter().map(|t| char::from(golden.rows[t.row].as_bytes()[column])).collect();
            let name = format!("{} {} {column}", model.name, called(recipe));
            match recipe.assign(&facts, &describe(&tensors)) {
                Err(RecipeError::Shape { .. }) if told.starts_with('!') => refused += 1,
                Err(error) => wrong.push(format!("{name}: {error}")),
                Ok(_) if told.starts_with('!') => wrong.push(format!("{name}: should be refused")),
                Ok(given) => {
                    assert_eq!(given.len(), tensors.len());
                    for ((tensor, given), told) in tensors.iter().zip(given).zip(golden.types(&told)) {
                        compared += 1;
                        reached.add(recipe.file_type().unwrap().base(), tensor, given);
                        if given.ty != told {
                            wrong.push(format!(
                                "{name} {}: {told}, not {} ({})",
                                tensor.name, given.ty, given.reason
                            ));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 280_000 && refused >= 10, "only {compared} compared, {refused} refused");
    // The golden models reach every fallback (16 types fall twice, and six at once to F16; MXFP4's, of experts with
    // odd rows, is left out), every kind of kept tensor, every rule.
    let Reached { fallbacks, kept, rules } = reached;
    assert_eq!(fallbacks.len(), 38, "{fallbacks:#?}");
    assert_eq!(kept.len(), 20, "{kept:#?}");
    assert_eq!(rules.len(), 36, "{rules:#?}");
}

/// A recipe with options as the golden file writes them.
#[expect(clippy::unwrap_used, clippy::panic, reason = "the golden file is ours")]
fn with_options(file_type: &str, options: &[String]) -> Recipe {
    let mut recipe = Recipe::from_name(file_type).unwrap();
    for option in options {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let ty = || GgmlType::from_name(value).unwrap();
        recipe = match name {
            "pure" => recipe.with_pure(true),
            "leave-output" => recipe.with_output_tensor_left(true),
            "importance" => recipe.with_importance_matrix(true),
            "output" => recipe.with_output_tensor_type(ty()),
            "embedding" => recipe.with_token_embedding_type(ty()),
            "tensor" => recipe.with_tensor_types([TensorTypeOverride::parse(value).unwrap()]),
            other => panic!("{other}?"),
        };
    }
    recipe
}

#[test]
fn options_decide_as_in_llama_cpp() {
    let golden = golden();
    let mut wrong = Vec::new();
    let (mut compared, mut refused, mut stricter) = (0, 0, 0);
    for case in &golden.with_options {
        let model = golden.model(&case.model);
        let (facts, tensors) = (model.facts(), model.tensors());
        for (file_type, told) in &case.types {
            let name = format!("{} {file_type} {:?}", case.model, case.options);
            match (with_options(file_type, &case.options).assign(&facts, &describe(&tensors)), told) {
                (Err(RecipeError::Shape { .. }), None) => refused += 1,
                // The dry run of llama.cpp gives the output and the embeddings types that do not fit; the real run
                // then writes a broken tensor or stops.
                (Err(RecipeError::Shape { name, wanted, row_len }), Some(told)) => {
                    let at = tensors.iter().position(|tensor| tensor.name == name).unwrap();
                    assert_eq!((golden.types(told)[at], wanted.row_bytes(row_len)), (wanted, None), "{name}");
                    stricter += 1;
                }
                // llama.cpp ignores options that decide about nothing; they change nothing there.
                (Err(RecipeError::Unmatched { .. } | RecipeError::Contradiction { .. }), Some(_)) => {
                    stricter += 1;
                }
                (Ok(given), Some(told)) => {
                    for ((tensor, given), told) in tensors.iter().zip(given).zip(golden.types(told)) {
                        compared += 1;
                        if given.ty != told {
                            wrong.push(format!(
                                "{name} {}: {told}, not {} ({})",
                                tensor.name, given.ty, given.reason
                            ));
                        }
                    }
                }
                (given, told) => wrong.push(format!("{name}: {told:?}, not {given:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 30_000 && refused > 5, "{compared} compared, {refused} refused");
    assert!(stricter * 2 < golden.with_options.len() * 7, "{stricter} more are refused here");
}

#[test]
fn layers_are_taken_out_as_in_llama_cpp() {
    let golden = golden();
    assert!(golden.pruned.len() >= 8);
    for case in &golden.pruned {
        let model = golden.model(&case.model);
        let (facts, tensors) = (model.facts(), model.tensors());
        let layers = PrunedLayers::new(case.layers.iter().copied());
        let renumbering = layers.renumber(tensors.iter().map(|t| t.name.as_str())).unwrap();
        let stay: Vec<Tensor> = tensors
            .into_iter()
            .filter_map(|tensor| Some(Tensor { name: renumbering.rename(&tensor.name)?, ..tensor }))
            .collect();
        assert_eq!(renumbering.block_count(), facts.block_count - case.layers.len() as u32);
        let recipe = Recipe::from_name(&case.file_type).unwrap();
        let given: Vec<Assignment> = recipe.assign(&facts, &describe(&stay)).unwrap();
        let given: BTreeMap<&str, GgmlType> =
            stay.iter().zip(given).map(|(tensor, given)| (tensor.name.as_str(), given.ty)).collect();
        let told: BTreeMap<&str, GgmlType> = case.names.split(' ').zip(golden.types(&case.types)).collect();
        assert_eq!(given, told, "{} {} {:?}", case.model, case.file_type, case.layers);
    }
}

#[test]
fn the_order_of_the_tensors_does_not_matter() {
    for model in &golden().models {
        let (facts, tensors) = (model.facts(), model.tensors());
        let forward = describe(&tensors);
        let backward: Vec<TensorDesc<'_>> = forward.iter().rev().copied().collect();
        for file_type in [FileType::Q3_K_M, FileType::IQ2_M, FileType::IQ3_XS] {
            let recipe = Recipe::new(file_type);
            let mut assignments = recipe.assign(&facts, &backward).unwrap();
            assignments.reverse();
            assert_eq!(assignments, recipe.assign(&facts, &forward).unwrap(), "{}", model.name);
        }
    }
}
