//! The flags of `entrenar export` that decide tensors' types and what errors count: those of llama-quantize, by their
//! names.

use std::fs;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use entrenar::ecosystem::{
    GgmlType, GgufExporter, ImportanceMatrix, PrunedLayers, QuantizationType, TensorTypeOverride, Value,
};

use super::Failure;

#[derive(ClapArgs)]
#[command(next_help_heading = "Types of tensors")]
pub(crate) struct Tuning {
    /// An importance matrix, as llama-imatrix writes it (GGUF or .dat)
    #[arg(long, value_name = "FILE")]
    imatrix: Option<PathBuf>,

    /// Of the matrix, only tensors whose name contains this; may be given several times
    #[arg(long, value_name = "TEXT", requires = "imatrix", conflicts_with = "exclude_weights")]
    include_weights: Vec<String>,

    /// Of the matrix, no tensor whose name contains this; may be given several times
    #[arg(long, value_name = "TEXT", requires = "imatrix")]
    exclude_weights: Vec<String>,

    /// Every tensor gets the base type, without a mix
    #[arg(long)]
    pure: bool,

    /// Keep the type of output.weight
    #[arg(long)]
    leave_output_tensor: bool,

    /// The type of output.weight
    #[arg(long, value_name = "TYPE", value_parser = tensor_type)]
    output_tensor_type: Option<GgmlType>,

    /// The type of the token embeddings
    #[arg(long, value_name = "TYPE", value_parser = tensor_type)]
    token_embedding_type: Option<GgmlType>,

    /// The type of tensors whose name a pattern matches; may be given several times
    #[arg(long, value_name = "REGEX=TYPE", value_parser = tensor_type_override)]
    tensor_type: Vec<TensorTypeOverride>,

    /// A file of such pairs
    #[arg(long, value_name = "FILE")]
    tensor_type_file: Option<PathBuf>,

    /// Quantize tensors that are quantized already, which loses quality
    #[arg(long)]
    allow_requantize: bool,

    /// Leave layers out, counted from 0, as in 3,4
    #[arg(long, value_name = "N,N,…", value_parser = pruned_layers)]
    prune_layers: Option<PrunedLayers>,

    /// Set a metadata key; TYPE is int, float, bool or str; may be given several times
    #[arg(long, value_name = "KEY=TYPE:VALUE", value_parser = metadata_override)]
    override_kv: Vec<(String, Value)>,
}

impl Tuning {
    /// An exporter to a file type with these options.
    pub(crate) fn exporter(&self, quant: QuantizationType) -> Result<GgufExporter, Failure> {
        let mut recipe = quant
            .recipe()
            .with_pure(self.pure)
            .with_output_tensor_left(self.leave_output_tensor)
            .with_requantizing(self.allow_requantize)
            .with_tensor_types(self.tensor_type.iter().cloned());
        if let Some(ty) = self.output_tensor_type {
            recipe = recipe.with_output_tensor_type(ty);
        }
        if let Some(ty) = self.token_embedding_type {
            recipe = recipe.with_token_embedding_type(ty);
        }
        if let Some(path) = &self.tensor_type_file {
            let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
            let list =
                TensorTypeOverride::parse_list(&text).map_err(|e| format!("{}: {e}", path.display()))?;
            recipe = recipe.with_tensor_types(list);
        }
        let mut exporter = GgufExporter::with_recipe(recipe);
        if let Some(path) = &self.imatrix {
            exporter = exporter.with_importance_matrix(self.matrix(path)?, path);
        }
        if let Some(layers) = &self.prune_layers {
            exporter = exporter.with_pruned_layers(layers.clone());
        }
        for (key, value) in &self.override_kv {
            exporter = exporter.with_metadata(key, value.clone());
        }
        Ok(exporter)
    }

    fn matrix(&self, path: &PathBuf) -> Result<ImportanceMatrix, Failure> {
        let matrix = ImportanceMatrix::open(path)?;
        let at = |error| format!("{}: {error}", path.display());
        let matrix = match (self.include_weights.as_slice(), self.exclude_weights.as_slice()) {
            ([], []) => matrix,
            (parts, []) => matrix.including(parts).map_err(at)?,
            (_, parts) => matrix.excluding(parts).map_err(at)?,
        };
        Ok(matrix)
    }
}

fn tensor_type(name: &str) -> Result<GgmlType, String> {
    GgmlType::from_name(name)
        .ok_or_else(|| format!("no type {name:?}; types are those like q8_0, q4_K, iq4_nl, f16"))
}

fn tensor_type_override(pair: &str) -> Result<TensorTypeOverride, String> {
    TensorTypeOverride::parse(pair).map_err(|e| e.to_string())
}

fn pruned_layers(list: &str) -> Result<PrunedLayers, String> {
    PrunedLayers::parse(list).map_err(|e| e.to_string())
}

/// `KEY=TYPE:VALUE`, as llama.cpp's tools read it (`string_parse_kv_override` in `common.cpp`); integers are stored as
/// u32, which is what llama-quantize does with them.
fn metadata_override(text: &str) -> Result<(String, Value), String> {
    let expected =
        || "expected KEY=TYPE:VALUE with TYPE int, float, bool or str, as in llama.context_length=int:4096";
    let (key, typed) = text.split_once('=').ok_or_else(expected)?;
    let (ty, value) = typed.split_once(':').ok_or_else(expected)?;
    if key.is_empty() {
        return Err(expected().to_owned());
    }
    let wrong = |what: &str| format!("{value:?} is no {what}");
    let value = match ty {
        "int" => Value::U32(value.parse().map_err(|_| wrong("number from 0 to 4294967295"))?),
        "float" => match value.parse::<f32>() {
            Ok(number) if number.is_finite() => Value::F32(number),
            _ => return Err(wrong("finite number")),
        },
        "bool" => Value::Bool(value.parse().map_err(|_| wrong("bool: true or false"))?),
        "str" if value.len() <= 127 => value.into(),
        "str" => return Err("text of more than 127 bytes, which llama.cpp's tools would refuse".to_owned()),
        _ => return Err(expected().to_owned()),
    };
    Ok((key.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_read_as_llama_cpp_reads_them() {
        for (text, value) in [
            ("a.b=int:7", Value::U32(7)),
            ("a.b=float:-0.5", Value::F32(-0.5)),
            ("a.b=bool:true", Value::Bool(true)),
            ("a.b=str:x=y:z", "x=y:z".into()),
            ("a.b=str:", "".into()),
        ] {
            assert_eq!(metadata_override(text), Ok(("a.b".to_owned(), value)));
        }
        for text in [
            "",
            "a",
            "a=",
            "a=7",
            "=int:7",
            "a=int:",
            "a=int:-1",
            "a=int:x",
            "a=bool:1",
            "a=float:inf",
            "a=u8:1",
        ] {
            assert!(metadata_override(text).is_err(), "{text}");
        }
        assert!(metadata_override(&format!("a=str:{}", "x".repeat(128))).is_err());
    }
}
