//! Whatever the model: no panic, types that fit, errors that name the tensor.

use gguf_format::{GgmlType, Metadata, Value};
use proptest::prelude::*;
use quant_recipe::{FileType, ModelFacts, Reason, Recipe, RecipeError, TensorDesc, TensorTypeOverride};

fn facts() -> impl Strategy<Value = ModelFacts> {
    let architecture =
        prop::sample::select(vec!["llama", "falcon", "qwen2", "glm5-next", "jais2", "none", ""]);
    let small = || prop_oneof![0..10_u32, Just(80), any::<u32>()];
    (architecture, small(), small(), small(), small(), small()).prop_map(
        |(architecture, layers, nextn, heads, kv, experts)| {
            let mut facts = ModelFacts::default();
            facts.architecture = architecture.to_string();
            facts.block_count = layers;
            facts.nextn_predict_layers = nextn;
            facts.head_count = heads;
            facts.head_count_kv = kv;
            facts.expert_count = experts;
            facts
        },
    )
}

fn name() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "attn_q.weight",
        "attn_k.weight",
        "attn_v.weight",
        "attn_qkv.weight",
        "attn_kv_b.weight",
        "attn_output.weight",
        "attn_q_a.weight",
        "ffn_up_exps.weight",
        "ffn_gate.weight",
        "ffn_gate_inp.weight",
        "ffn_down.7.weight",
        "attn_norm.weight",
        "ffn_up.bias",
    ]);
    prop_oneof![
        8 => (any::<i8>(), part).prop_map(|(layer, part)| format!("blk.{layer}.{part}")),
        1 => Just("token_embd.weight".to_string()),
        1 => Just("output.weight".to_string()),
        2 => any::<String>(),
    ]
}

fn tensor() -> impl Strategy<Value = (String, Vec<u64>, GgmlType)> {
    let len = prop_oneof![
        any::<u64>(),
        (0..2_000_u64),
        (0..100_u64).prop_map(|n| n * 32),
        (0..100_u64).prop_map(|n| n * 256),
    ];
    let element = prop_oneof![
        8 => prop::sample::select(vec![GgmlType::F32, GgmlType::F16, GgmlType::BF16]),
        1 => prop::sample::select(GgmlType::ALL.to_vec()),
    ];
    (name(), prop::collection::vec(len, 0..5), element)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_model_gets_types_that_fit(facts in facts(), tensors in prop::collection::vec(tensor(), 0..24)) {
        let tensors: Vec<TensorDesc<'_>> = tensors
            .iter()
            .map(|(name, dims, element)| TensorDesc { name, dims, element: *element })
            .collect();
        for &file_type in FileType::ALL {
            match Recipe::new(file_type).assign(&facts, &tensors) {
                Ok(assignments) => {
                    prop_assert_eq!(assignments.len(), tensors.len());
                    for (tensor, given) in tensors.iter().zip(assignments) {
                        let fits = |ty: GgmlType| tensor.row_len().is_multiple_of(ty.block_len() as u64);
                        match given.reason {
                            Reason::Kept(_) => prop_assert_eq!(given.ty, tensor.element),
                            Reason::Fallback { wanted, .. } => prop_assert!(fits(given.ty) && !fits(wanted)),
                            _ => prop_assert!(fits(given.ty)),
                        }
                        prop_assert!(!given.reason.to_string().contains('\n'));
                    }
                }
                Err(error) => {
                    let (RecipeError::Duplicate { name }
                    | RecipeError::Layer { name, .. }
                    | RecipeError::Shape { name, .. }
                    | RecipeError::Requantize { name, .. }
                    | RecipeError::Element { name, .. }) = &error
                    else {
                        return Err(TestCaseError::fail(error.to_string()));
                    };
                    prop_assert!(tensors.iter().any(|tensor| tensor.name == name));
                    let quoted = format!("{name:?}");
                    prop_assert!(error.to_string().contains(&quoted));
                }
            }
        }
    }

    #[test]
    fn any_options_give_types_that_fit_or_an_error(
        facts in facts(),
        tensors in prop::collection::vec(tensor(), 0..16),
        switches in any::<[bool; 4]>(),
        parts in prop::collection::vec(prop::sample::select(GgmlType::ALL.to_vec()), 0..3),
        patterns in prop::collection::vec((".{0,8}", prop::sample::select(GgmlType::ALL.to_vec())), 0..3),
        chosen in any::<prop::sample::Index>(),
    ) {
        let tensors: Vec<TensorDesc<'_>> = tensors
            .iter()
            .map(|(name, dims, element)| TensorDesc { name, dims, element: *element })
            .collect();
        let [pure, left, requantizing, importance] = switches;
        let mut recipe = Recipe::new(FileType::ALL[chosen.index(FileType::ALL.len())])
            .with_pure(pure)
            .with_output_tensor_left(left)
            .with_requantizing(requantizing)
            .with_importance_matrix(importance)
            .with_tensor_types(patterns.iter().filter_map(|(text, ty)| TensorTypeOverride::new(text, *ty).ok()));
        if let Some(&ty) = parts.first() {
            recipe = recipe.with_output_tensor_type(ty);
        }
        if let Some(&ty) = parts.get(1) {
            recipe = recipe.with_token_embedding_type(ty);
        }
        match recipe.assign(&facts, &tensors) {
            Ok(given) => {
                for (tensor, given) in tensors.iter().zip(given) {
                    let fits = tensor.row_len().is_multiple_of(given.ty.block_len() as u64);
                    prop_assert!(fits || given.ty == tensor.element, "{tensor:?} {given:?}");
                    prop_assert!(requantizing || given.ty == tensor.element || !tensor.element.is_quantized());
                }
            }
            Err(error) => prop_assert!(!error.to_string().contains('\n'), "{error}"),
        }
    }

    #[test]
    fn any_pair_is_an_override_or_an_error(text in r"[\[\](){}*+?|^$.\\a-z=:&~0-9-]{0,12}(=q8_0)?|.{0,12}") {
        match TensorTypeOverride::parse(&text) {
            Ok(read) => {
                prop_assert!(text.to_ascii_lowercase().starts_with(read.pattern()));
                let again = TensorTypeOverride::parse(&read.to_string()).map_err(|e| TestCaseError::fail(e.to_string()))?;
                prop_assert_eq!(again.matches("output.weight"), read.matches("output.weight"));
            }
            Err(error) => prop_assert!(!error.to_string().contains('\n'), "{error}"),
        }
    }

    #[test]
    fn any_metadata_gives_facts_or_an_error_that_names_its_key(
        values in prop::collection::vec((0..6_usize, any::<u64>(), 0..5_usize), 0..6),
    ) {
        const KEYS: [&str; 6] = [
            "general.architecture", "a.block_count", "a.attention.head_count", "a.attention.head_count_kv",
            "a.expert_count", "a.nextn_predict_layers",
        ];
        let mut metadata = Metadata::new();
        metadata.insert("general.architecture", "a");
        for (key, number, kind) in values {
            let value = match kind {
                0 => Value::U32(number as u32),
                1 => Value::I64(number as i64),
                2 => vec![number as u32; (number % 4) as usize].into(),
                3 => vec![number as i32; (number % 4) as usize].into(),
                _ => Value::from("text"),
            };
            metadata.insert(KEYS[key], value);
        }
        if let Err(error) = ModelFacts::from_metadata(&metadata) {
            prop_assert!(KEYS.iter().any(|key| error.to_string().contains(key)), "{}", error);
        }
    }
}

fn assign(facts: &ModelFacts, tensors: &[TensorDesc<'_>]) -> Result<(), String> {
    Recipe::new(FileType::Q4_K_M).assign(facts, tensors).map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn errors_say_what_to_do() {
    let mut facts = ModelFacts::default();
    let tensor = |name, element| TensorDesc { name, dims: &[256, 2], element };
    assert_eq!(
        assign(&facts, &[tensor("a.weight", GgmlType::F32), tensor("a.weight", GgmlType::F16)]).unwrap_err(),
        r#"tensor "a.weight" is there twice; every tensor needs a name of its own"#
    );
    assert_eq!(
        assign(&facts, &[tensor("a.weight", GgmlType::Q8_0)]).unwrap_err(),
        r#"tensor "a.weight": found Q8_0, expected F32, F16 or BF16 to make Q4_K of; use a source that is not quantized, or allow requantizing, which loses quality"#
    );
    // What is kept, or has the type already, may be of any type.
    assert_eq!(
        assign(&facts, &[tensor("a.bias", GgmlType::I32), tensor("a.weight", GgmlType::Q4_K)]),
        Ok(())
    );
    facts.expert_count = 8;
    facts.block_count = 4;
    for name in ["ffn_up.weight", "blk.4.ffn_up.weight", "blk.-1.ffn_down.weight"] {
        assert_eq!(
            assign(&facts, &[tensor(name, GgmlType::F32)]).unwrap_err(),
            format!("tensor {name:?}: expected a name that begins with blk.<layer>. and a layer below 4")
        );
    }
    assert_eq!(assign(&facts, &[tensor("blk.3.ffn_up.weight", GgmlType::F32)]), Ok(()));
}
