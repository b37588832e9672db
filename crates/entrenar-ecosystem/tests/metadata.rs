//! Who wins where several say what a model is.

use entrenar_ecosystem::{
    ExperimentProvenance, GeneralMetadata, GgufExporter, MetadataFile, QuantizationType,
};

#[test]
fn metadata_win_in_the_promised_order() {
    let work = tempfile::tempdir().unwrap();
    let checkpoint = fixture_models::write("llama", work.path()).unwrap();
    std::fs::write(
        checkpoint.join("README.md"),
        "---\nname: Card\nauthor: Card\norganization: Card\nversion: Card\ndescription: Card\n---\n",
    )
    .unwrap();
    let file = r#"{"general.version": "File", "general.organization": "File", "general.base_models": [{"name": "File"}]}"#;
    let exporter = GgufExporter::new(QuantizationType::F16)
        .with_metadata("general.version", "Key")
        .with_metadata_file(MetadataFile::parse(file.as_bytes(), "over.json").unwrap())
        .with_provenance(
            ExperimentProvenance::new("e", "r").with_base_model("Provenance").with_dataset("Data"),
        )
        .with_general(GeneralMetadata::default().with_author("General").with_organization("General"))
        .with_model_name("Given");
    let plan = exporter.plan(&checkpoint).unwrap();
    for (key, value) in [
        ("general.version", "Key"),
        ("general.organization", "File"),
        ("general.base_model.0.name", "File"),
        ("general.dataset.0.name", "Data"),
        ("general.author", "General"),
        ("general.name", "Given"),
        ("general.description", "Card"),
    ] {
        assert_eq!(plan.metadata().get(key).and_then(|v| v.as_str()), Some(value), "{key}");
    }
}
