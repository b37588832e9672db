//! Prints the metadata of a fine-tuned model: `cargo run -p provenance --example pairs`.

use provenance::{ArtifactType, ExperimentProvenance, License, ResearchArtifact};

fn main() -> Result<(), provenance::Error> {
    let artifact =
        ResearchArtifact::new("code-llama-ft", "Code Llama FT", ArtifactType::Model, License::Apache2)
            .with_authors(["A. Author", "B. Author"])
            .with_keyword("text-generation")
            .with_doi("10.48550/arXiv.2307.09288");
    artifact.validate()?;

    let experiment = ExperimentProvenance::new(&artifact.id, "run-001")
        .with_base_model("meta-llama/Llama-2-7b-hf")
        .with_dataset("bigcode/the-stack")
        .with_metric("final_loss", 0.123)
        .with_custom("artifact_version", &artifact.version);

    let mut metadata = artifact.to_general_metadata("llama").to_metadata()?;
    experiment.merge_into(&mut metadata)?;
    for (key, value) in metadata.iter() {
        let text = value.as_str().map_or_else(|| format!("{value:?}"), String::from);
        println!("{key:34} {:4} {text}", value.value_type());
    }
    Ok(())
}
