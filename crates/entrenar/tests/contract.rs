//! The API as it was promised to users: each snippet of their documentation, to the letter, compiles and runs.
//!
//! The snippets name files in the current folder, so the whole binary runs in a folder of its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests, where a failure is a panic")]
#![expect(clippy::uninlined_format_args, reason = "the snippets are to the letter")]

use std::path::PathBuf;
use std::sync::LazyLock;

use tempfile::TempDir;

/// A folder with the models that the snippets export; entered once, for all tests of this binary.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    for name in ["input_model.safetensors", "model.safetensors"] {
        let weights: Vec<u8> =
            (0..512 * 4).flat_map(|i| ((i as f32 - 1000.0) / 512.0).to_le_bytes()).collect();
        let header = format!(
            r#"{{"model.embed_tokens.weight":{{"dtype":"F32","shape":[8,256],"data_offsets":[0,{}]}}}}"#,
            weights.len()
        );
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(header.as_bytes());
        file.extend_from_slice(&weights);
        std::fs::write(folder.path().join(name), file).unwrap();
    }
    std::env::set_current_dir(folder.path()).unwrap();
    folder
});

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[test]
fn quantization_types() {
    use entrenar::ecosystem::QuantizationType;

    // Available quantization types
    let types = [
        QuantizationType::Q2K,  // 2.5 bits, extreme compression
        QuantizationType::Q3KM, // 3.5 bits, aggressive compression
        QuantizationType::Q4KM, // 4.5 bits, recommended balance
        QuantizationType::Q5KM, // 5.5 bits, higher quality
        QuantizationType::Q6K,  // 6.5 bits, high quality
        QuantizationType::Q80,  // 8 bits, highest quantized quality
        QuantizationType::F16,  // 16 bits, no quantization
        QuantizationType::F32,  // 32 bits, full precision
    ];
    assert!(types.iter().all(|ty| QuantizationType::ALL.contains(ty)));
}

#[test]
fn type_methods() {
    use entrenar::ecosystem::QuantizationType;

    let quant = QuantizationType::Q4KM;

    println!("Type: {}", quant.as_str()); // "Q4_K_M"
    println!("Bits: {}", quant.bits_per_weight()); // 4.5
    println!("Quality: {}", quant.quality_score()); // 78

    // Estimate output size
    let original_size = 14_000_000_000u64; // 14GB model
    let estimated = quant.estimate_size(original_size);
    println!("Estimated size: {:.2} GB", estimated as f64 / 1e9);

    assert_eq!(quant.as_str(), "Q4_K_M");
    assert_eq!(quant.bits_per_weight().to_string(), "4.5");
    assert_eq!(quant.quality_score().to_string(), "78");
    assert_eq!(format!("{:.2}", estimated as f64 / 1e9), "1.97");
}

#[test]
fn parsing() {
    use entrenar::ecosystem::QuantizationType;

    // Parse from string (case-insensitive)
    assert_eq!(QuantizationType::parse("Q4_K_M"), Some(QuantizationType::Q4KM));
    assert_eq!(QuantizationType::parse("q4km"), Some(QuantizationType::Q4KM));
    assert_eq!(QuantizationType::parse("F16"), Some(QuantizationType::F16));
    assert_eq!(QuantizationType::parse("fp16"), Some(QuantizationType::F16));
}

#[test]
#[rustfmt::skip]
fn the_exporter() {
    use entrenar::ecosystem::{GgufExporter, QuantizationType};

    let exporter = GgufExporter::new(QuantizationType::Q4KM)
        .with_threads(8)
        .without_validation();

    assert_eq!(exporter.quantization(), QuantizationType::Q4KM);
}

#[test]
#[rustfmt::skip]
fn adding_metadata() {
    use entrenar::ecosystem::{GgufExporter, QuantizationType};
    use entrenar::ecosystem::{GeneralMetadata, ExperimentProvenance};

    let exporter = GgufExporter::new(QuantizationType::Q5KM)
        .with_general(GeneralMetadata::new("llama", "my-finetuned-model")
            .with_author("PAIML")
            .with_description("LoRA fine-tuned LLaMA model")
            .with_license("MIT"))
        .with_provenance(ExperimentProvenance::new("exp-001", "run-123")
            .with_config_hash("abc123def456")
            .with_dataset("custom-dataset")
            .with_base_model("llama-2-7b")
            .with_metric("loss", 0.125)
            .with_metric("accuracy", 0.92)
            .with_git_commit("deadbeef")
            .with_custom("framework", "entrenar"));

    let pairs = exporter.collect_metadata();
    let get = |key: &str| pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v.to_string());
    assert_eq!(get("general.architecture").as_deref(), Some("llama"));
    assert_eq!(get("general.name").as_deref(), Some("my-finetuned-model"));
    assert_eq!(get("general.author").as_deref(), Some("PAIML"));
    assert_eq!(get("entrenar.experiment_id").as_deref(), Some("exp-001"));
    assert_eq!(get("entrenar.metric.loss").as_deref(), Some("0.125"));
    assert_eq!(get("entrenar.custom.framework").as_deref(), Some("entrenar"));
}

#[test]
#[rustfmt::skip]
fn experiment_provenance() {
    use entrenar::ecosystem::ExperimentProvenance;

    let provenance = ExperimentProvenance::new("experiment-id", "run-id")
        .with_config_hash("sha256-of-config")
        .with_dataset("imagenet-1k")
        .with_base_model("llama-7b")
        .with_metric("final_loss", 0.123)
        .with_metric("perplexity", 4.56)
        .with_git_commit("abc123")
        .with_custom("trainer", "entrenar")
        .with_custom("epochs", "10");

    // Convert to GGUF metadata pairs
    let pairs = provenance.to_metadata_pairs();
    for (key, value) in &pairs {
        println!("{}: {}", key, value);
    }
    // entrenar.experiment_id: experiment-id
    // entrenar.run_id: run-id
    // entrenar.timestamp: 2024-01-15T10:30:00Z
    // entrenar.metric.final_loss: 0.123
    // entrenar.custom.trainer: entrenar

    let printed: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    let mut at = 0;
    for line in [
        "entrenar.experiment_id: experiment-id",
        "entrenar.run_id: run-id",
        "entrenar.timestamp: ",
        "entrenar.metric.final_loss: 0.123",
        "entrenar.custom.trainer: entrenar",
    ] {
        let found = printed[at..].iter().position(|p| p.starts_with(line));
        at += found.unwrap_or_else(|| panic!("{line:?} is not in {printed:#?}, in this order")) + 1;
    }
    let timestamp = printed.iter().find_map(|p| p.strip_prefix("entrenar.timestamp: ")).unwrap();
    let shape: String = timestamp.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00Z");
}

#[test]
#[rustfmt::skip]
fn general_metadata_and_exporting() -> Outcome {
    use entrenar::ecosystem::GeneralMetadata;
    use entrenar::ecosystem::{ExperimentProvenance, GgufExporter, QuantizationType};

    LazyLock::force(&FOLDER);
    let provenance = ExperimentProvenance::new("experiment-id", "run-id");

    let general = GeneralMetadata::new("mistral", "my-model")
        .with_author("Your Name")
        .with_description("Fine-tuned Mistral model for code generation")
        .with_license("Apache-2.0");

    let exporter = GgufExporter::new(QuantizationType::Q4KM)
        .with_general(general)
        .with_provenance(provenance);

    // Export model
    let result = exporter.export("input_model.safetensors", "output_model.gguf")?;

    println!("Output: {:?}", result.output_path);
    println!("Quantization: {}", result.quantization);
    println!("Metadata keys: {}", result.metadata_keys);
    println!("Estimated size: {} bytes", result.estimated_size_bytes);

    assert_eq!(result.output_path, PathBuf::from("output_model.gguf"));
    assert_eq!(result.quantization.to_string(), "Q4_K_M");
    assert_eq!(result.estimated_size_bytes, std::fs::metadata("output_model.gguf")?.len());
    let file = gguf_format::GgufFile::open("output_model.gguf")?;
    assert_eq!(file.metadata().len(), result.metadata_keys);

    let pairs = exporter.collect_metadata();

    for (key, value) in &pairs {
        println!("{} = {}", key, value);
    }
    for (key, _) in &pairs {
        assert!(file.metadata().get(key).is_some(), "{key} is collected but not written");
    }
    Ok(())
}

#[test]
fn error_handling() {
    use entrenar::ecosystem::GgufExportError;
    use entrenar::ecosystem::{GgufExporter, QuantizationType};

    LazyLock::force(&FOLDER);
    let exporter = GgufExporter::new(QuantizationType::Q80);

    match exporter.export("model.safetensors", "model.gguf") {
        Ok(result) => println!("Exported to {:?}", result.output_path),
        Err(GgufExportError::InvalidQuantization(msg)) => {
            eprintln!("Quantization error: {}", msg);
        }
        Err(GgufExportError::IoError(msg)) => {
            eprintln!("I/O error: {}", msg);
        }
        Err(e) => eprintln!("Export failed: {}", e),
    }

    assert!(PathBuf::from("model.gguf").is_file());
    match exporter.export("absent.safetensors", "absent.gguf") {
        Err(GgufExportError::IoError(msg)) => {
            assert!(msg.to_string().contains("absent.safetensors"), "{msg}");
            assert_eq!(msg.kind(), std::io::ErrorKind::NotFound);
        }
        other => panic!("expected an I/O error, found {other:?}"),
    }
}

#[test]
#[rustfmt::skip]
fn research_artifacts() {
    use entrenar::ecosystem::QuantizationType;
    use entrenar::research::{ArtifactType, License};

    use entrenar::research::ResearchArtifact;
    use entrenar::ecosystem::{GgufExporter, ExperimentProvenance};

    // Create research artifact
    let artifact = ResearchArtifact::new(
        "model-artifact",
        "Fine-tuned LLaMA for Code",
        ArtifactType::Model,
        License::Mit,
    );

    // Create provenance from artifact
    let provenance = ExperimentProvenance::new(&artifact.id, "run-001")
        .with_custom("artifact_version", &artifact.version);

    // Export with full provenance
    let exporter = GgufExporter::new(QuantizationType::Q4KM)
        .with_provenance(provenance);

    let pairs = exporter.collect_metadata();
    let get = |key: &str| pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v.to_string());
    assert_eq!(get("entrenar.experiment_id").as_deref(), Some("model-artifact"));
    assert_eq!(get("entrenar.custom.artifact_version"), Some(artifact.version));
}
