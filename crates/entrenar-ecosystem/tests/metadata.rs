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

/// What is collected is what the file has, in its order, wherever it was said.
#[test]
fn collected_metadata_are_those_of_the_file() {
    let work = tempfile::tempdir().unwrap();
    let checkpoint = fixture_models::write("llama", work.path()).unwrap();
    let file = r#"{"general.version": "File", "general.author": null, "general.tags": ["a", "b"],
        "general.sampling.temp": 0.7, "general.datasets": [{"name": "Set"}], "entrenar.custom.x": null,
        "llama.context_length": 99, "llama.rope.freq_base": 12.5, "my.numbers": {"i32": [1, -2]}, "my.flag": true}"#;
    let exporter = GgufExporter::new(QuantizationType::F16)
        .with_general(
            GeneralMetadata::default().with_author("General").with_name("General").with_license("mit"),
        )
        .with_provenance(
            ExperimentProvenance::new("e", "r")
                .with_base_model("a/b")
                .with_dataset("c")
                .with_custom("x", "y"),
        )
        .with_metadata_file(MetadataFile::parse(file.as_bytes(), "over.json").unwrap())
        .with_metadata("general.name", "Key")
        .with_metadata("my.number", 7u32)
        .with_metadata("my.number", 8.25f32);
    let collected = exporter.collect_metadata();
    let plan = exporter.plan(&checkpoint).unwrap();
    let of_file: Vec<(String, String)> =
        plan.metadata().iter().map(|(key, value)| (key.to_owned(), provenance::to_text(value))).collect();
    let get = |key: &str| collected.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
    for (key, value) in &collected {
        assert!(of_file.contains(&(key.clone(), value.clone())), "{key} = {value} is not in the file");
    }
    for (key, value) in [
        ("general.name", Some("Key")),
        ("general.version", Some("File")),
        ("general.author", None),
        ("general.license", Some("mit")),
        ("general.tags", Some("a, b")),
        ("general.sampling.temp", Some("0.7")),
        ("general.base_model.0.name", Some("B")),
        ("general.dataset.0.name", Some("Set")),
        ("general.dataset.0.organization", None),
        ("entrenar.custom.x", None),
        ("entrenar.run_id", Some("r")),
        ("llama.context_length", Some("99")),
        ("llama.rope.freq_base", Some("12.5")),
        ("my.numbers", Some("1, -2")),
        ("my.flag", Some("true")),
        ("my.number", Some("8.25")),
        ("general.file_type", Some("1")),
    ] {
        assert_eq!(get(key), value, "{key}");
    }
    // But for the model's own keys, which keep their places, the order is the file's.
    let model = GgufExporter::new(QuantizationType::F32).plan(&checkpoint).unwrap();
    let last = ["general.quantization_version", "general.file_type"];
    let own: Vec<_> = model.metadata().iter().map(|(key, _)| key).filter(|key| !last.contains(key)).collect();
    let order: Vec<&String> = of_file.iter().map(|(k, _)| k).filter(|k| !own.contains(&k.as_str())).collect();
    let ours: Vec<&String> =
        collected.iter().map(|(k, _)| k).filter(|k| !own.contains(&k.as_str())).collect();
    assert_eq!(ours, order);
    // What cannot be written is listed all the same, and refused where it matters; an adapter's file has no file type.
    let wrong = GgufExporter::new(QuantizationType::F16)
        .with_adapter_base("base")
        .with_general(GeneralMetadata::default().with_license("no licence at all"));
    let collected = wrong.collect_metadata();
    assert!(collected.iter().any(|(key, value)| key == "general.license" && value == "no licence at all"));
    assert!(!collected.iter().any(|(key, _)| key == "general.file_type"));
}
