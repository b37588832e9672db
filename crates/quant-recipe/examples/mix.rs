//! Prints the mix of a Llama: `cargo run -p quant-recipe --example mix -- Q4_K_M 32 8 attn_q=q8_0`.
//!
//! File type, layers, queries to a key; then overrides, as many as there are.

use std::collections::BTreeMap;
use std::error::Error;

use gguf_format::{GgmlType, Metadata};
use quant_recipe::{ModelFacts, Recipe, TensorDesc, TensorTypeOverride};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let file_type = args.next().unwrap_or_else(|| "Q4_K_M".into());
    let recipe = Recipe::from_name(&file_type).ok_or_else(|| format!("{file_type}: no such file type"))?;
    let layers: u32 = args.next().map_or(Ok(32), |text| text.parse())?;
    let queries_per_key: u32 = args.next().map_or(Ok(8), |text| text.parse())?;

    let overrides = args.map(|pair| TensorTypeOverride::parse(&pair)).collect::<Result<Vec<_>, _>>()?;
    let recipe = recipe.with_tensor_types(overrides);

    let mut metadata = Metadata::new();
    metadata.insert("general.architecture", "llama");
    metadata.insert("llama.block_count", layers);
    metadata.insert("llama.attention.head_count", 8 * queries_per_key);
    metadata.insert("llama.attention.head_count_kv", 8_u32);
    let facts = ModelFacts::from_metadata(&metadata)?;

    let parts = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down", "attn_norm"];
    let mut names = vec!["token_embd.weight".to_string(), "output.weight".to_string()];
    for layer in 0..layers {
        names.extend(parts.iter().map(|part| format!("blk.{layer}.{part}.weight")));
    }
    let tensors: Vec<TensorDesc<'_>> = names
        .iter()
        .map(|name| {
            let dims: &[u64] = if name.contains("norm") { &[4096] } else { &[4096, 4096] };
            TensorDesc { name, dims, element: GgmlType::F32 }
        })
        .collect();

    // Part, type and reason → the layers that have them.
    let mut mix: BTreeMap<(&str, &str, String), Vec<u32>> = BTreeMap::new();
    for (tensor, given) in tensors.iter().zip(recipe.assign(&facts, &tensors)?) {
        let name = tensor.name.trim_end_matches(".weight");
        let (layer, part) = match name.strip_prefix("blk.").and_then(|rest| rest.split_once('.')) {
            Some((layer, part)) => (Some(layer.parse::<u32>()?), part),
            None => (None, name),
        };
        mix.entry((part, given.ty.name(), given.reason.to_string())).or_default().extend(layer);
    }
    for ((part, ty, reason), in_layers) in mix {
        println!("{part:11} {ty:5} {reason}");
        if !in_layers.is_empty() && in_layers.len() < layers as usize {
            println!("{:11} layers {}", "", runs(&in_layers));
        }
    }
    Ok(())
}

/// Numbers in short: `0-3 6 9`.
fn runs(sorted: &[u32]) -> String {
    let runs = sorted.chunk_by(|a, b| a + 1 == *b).filter_map(|run| match (run.first()?, run.last()?) {
        (first, last) if first == last => Some(first.to_string()),
        (first, last) => Some(format!("{first}-{last}")),
    });
    runs.collect::<Vec<_>>().join(" ")
}
