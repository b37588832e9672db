//! Exports a model with its provenance: `cargo run --example export -- ./my-model my-model.gguf`.

use entrenar::ecosystem::{ExperimentProvenance, GeneralMetadata, GgufExporter, QuantizationType};
use entrenar::research::{ArtifactType, License, ResearchArtifact};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(input), Some(output)) = (args.next(), args.next()) else {
        return Err("give the folder of a model and the file to write".into());
    };
    let artifact = ResearchArtifact::new("exp-001", "My fine-tuned model", ArtifactType::Model, License::Mit);
    let provenance = ExperimentProvenance::new(&artifact.id, "run-001")
        .with_base_model("acme/base-7b")
        .with_metric("final_loss", 0.123)
        .with_custom("artifact_version", &artifact.version);

    let result = GgufExporter::new(QuantizationType::Q4KM)
        .with_general(GeneralMetadata::default().with_license("MIT").with_author("Ada"))
        .with_provenance(provenance)
        .export(input, output)?;
    println!("{}: {} bytes", result.output_path.display(), result.estimated_size_bytes);
    Ok(())
}
