//! What comes out of the metadata models, and what is refused.

use chrono::{DateTime, Utc};
use gguf_format::{Array, Metadata, Value};
use proptest::prelude::*;
use provenance::{ArtifactType, Error, ExperimentProvenance, GeneralMetadata, License, ResearchArtifact};

#[expect(clippy::unwrap_used, reason = "the dates of the tests are sound")]
fn date(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn run() -> ExperimentProvenance {
    ExperimentProvenance::new("experiment-id", "run-id")
        .with_timestamp(date("2024-01-15T10:30:00.987Z"))
        .with_config_hash("sha256-of-config")
        .with_dataset("imagenet-1k")
        .with_base_model("meta-llama/Llama-2-7b")
        .with_metric("perplexity", 4.56)
        .with_metric("final_loss", 0.123)
        .with_git_commit("abc123")
        .with_custom("trainer", "entrenar")
        .with_custom("epochs", "10")
}

/// Key and value, with the type before anything that is not a string.
fn strings(metadata: &Metadata) -> Vec<(&str, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.to_string(),
        Value::Array(Array::String(list)) => {
            format!("arr {}", list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        }
        Value::U32(number) => format!("u32 {number}"),
        other => format!("{other:?}"),
    };
    metadata.iter().map(|(key, value)| (key, text(value))).collect()
}

#[test]
fn an_experiment_has_its_pairs_in_the_promised_order() {
    let printed: Vec<String> =
        run().to_metadata_pairs().iter().map(|(key, value)| format!("{key}: {value}")).collect();
    assert_eq!(
        printed,
        [
            "entrenar.experiment_id: experiment-id",
            "entrenar.run_id: run-id",
            "entrenar.timestamp: 2024-01-15T10:30:00Z",
            "entrenar.config_hash: sha256-of-config",
            "entrenar.dataset: imagenet-1k",
            "entrenar.base_model: meta-llama/Llama-2-7b",
            "entrenar.git_commit: abc123",
            "entrenar.metric.final_loss: 0.123",
            "entrenar.metric.perplexity: 4.56",
            "entrenar.custom.epochs: 10",
            "entrenar.custom.trainer: entrenar",
            "general.base_model.count: 1",
            "general.base_model.0.name: Llama 2 7b",
            "general.base_model.0.organization: Meta Llama",
            "general.base_model.0.repo_url: https://huggingface.co/meta-llama/Llama-2-7b",
            "general.dataset.count: 1",
            "general.dataset.0.name: Imagenet 1k",
        ]
    );
}

#[test]
fn a_new_run_is_dated_now_to_the_second() {
    let before = Utc::now().timestamp();
    let run = ExperimentProvenance::new("e", "r");
    assert!((before..=Utc::now().timestamp()).contains(&run.timestamp.timestamp()));
    assert_eq!(run.timestamp.timestamp_subsec_nanos(), 0);
}

#[test]
fn a_run_joins_a_checkpoint() {
    let mut metadata = Metadata::new();
    metadata.insert("general.architecture", "llama");
    metadata.insert("general.name", "Base");
    metadata.insert("general.base_model.count", 2_u32);
    metadata.insert("general.base_model.0.name", "Old one");
    metadata.insert("general.base_model.1.name", "Old two");
    metadata.insert("general.tags", vec!["a".to_string()]);
    metadata.insert("llama.block_count", 2_u32);
    let run = ExperimentProvenance::new("e", "r")
        .with_timestamp(date("2024-01-15T10:30:00Z"))
        .with_base_model("New")
        .with_metric("loss", 1.0);
    run.merge_into(&mut metadata).unwrap();
    assert_eq!(
        strings(&metadata),
        [
            ("general.architecture", "llama".into()),
            ("general.name", "Base".into()),
            ("general.base_model.count", "u32 1".into()),
            ("general.base_model.0.name", "New".into()),
            ("general.tags", "arr a".into()),
            ("llama.block_count", "u32 2".into()),
            ("entrenar.experiment_id", "e".into()),
            ("entrenar.run_id", "r".into()),
            ("entrenar.timestamp", "2024-01-15T10:30:00Z".into()),
            ("entrenar.base_model", "New".into()),
            ("entrenar.metric.loss", "1".into()),
        ]
    );
}

#[test]
fn general_metadata_joins_a_checkpoint_and_keeps_its_architecture() {
    let mut metadata = Metadata::new();
    metadata.insert("general.architecture", "llama");
    metadata.insert("general.type", "model");
    metadata.insert("general.name", "Folder name");
    metadata.insert("general.size_label", "7B");
    metadata.insert("llama.block_count", 2_u32);
    let general = GeneralMetadata::new("mistral", "Mine")
        .with_license("MIT")
        .with_author("Me")
        .with_description("Two\nlines")
        .with_language("en")
        .with_tag("code")
        .with_tag("chat");
    general.merge_into(&mut metadata).unwrap();
    assert_eq!(
        strings(&metadata),
        [
            ("general.architecture", "llama".into()),
            ("general.type", "model".into()),
            ("general.name", "Mine".into()),
            ("general.author", "Me".into()),
            ("general.description", "Two\nlines".into()),
            ("general.size_label", "7B".into()),
            ("general.license", "MIT".into()),
            ("general.tags", "arr code chat".into()),
            ("general.languages", "arr en".into()),
            ("llama.block_count", "u32 2".into()),
        ]
    );
    assert_eq!(general.to_metadata().unwrap().get("general.architecture"), Some(&Value::from("mistral")));
    assert!(general.to_metadata_pairs().contains(&("general.tags".into(), "code, chat".into())));
}

#[test]
fn all_general_keys_come_in_write_order() {
    let general = GeneralMetadata::new("llama", "n")
        .with_source_repo_url("x")
        .with_source_uuid("x")
        .with_source_doi("10.1/x")
        .with_source_url("x")
        .with_repo_url("x")
        .with_uuid("x")
        .with_doi("10.1/x")
        .with_url("x")
        .with_license_link("x")
        .with_license_name("x")
        .with_license("other")
        .with_size_label("x")
        .with_quantized_by("x")
        .with_description("x")
        .with_basename("x")
        .with_finetune("x")
        .with_organization("x")
        .with_version("x")
        .with_author("x")
        .with_language("en")
        .with_tag("t");
    let keys: Vec<String> = general.to_metadata_pairs().into_iter().map(|(key, _)| key).collect();
    let order = "architecture name author version organization finetune basename description quantized_by \
        size_label license license.name license.link url doi uuid repo_url source.url source.doi source.uuid \
        source.repo_url tags languages";
    assert_eq!(keys, order.split_whitespace().map(|key| format!("general.{key}")).collect::<Vec<_>>());
    // Merging into nothing gives the same order as writing.
    let mut merged = Metadata::new();
    general.merge_into(&mut merged).unwrap();
    assert_eq!(merged, general.to_metadata().unwrap());
}

#[test]
fn what_cannot_be_written_is_refused_and_changes_nothing() {
    let bad: Vec<(ExperimentProvenance, &str)> = vec![
        (run().with_metric("loss", f64::NAN), r#"metric "loss" is NaN"#),
        (run().with_metric("gain", f64::NEG_INFINITY), r#"metric "gain" is -inf"#),
        (run().with_metric("a b", 1.0), r#"metric name "a b": ' '"#),
        (run().with_custom("", "x"), "the name of a custom is empty"),
        (
            run().with_custom("nul", "a\0b"),
            r"entrenar.custom.nul: the value holds the control character '\0'",
        ),
        (run().with_custom("x".repeat(70_000), "x"), "the key would have 70016 bytes"),
        (run().with_dataset("two\nlines"), r"entrenar.dataset: the value holds the control character '\n'"),
        (run().with_base_model(" "), "entrenar.base_model is empty"),
        (run().with_timestamp(DateTime::<Utc>::MAX_UTC), "the year must have four digits"),
        (ExperimentProvenance::new("", "r"), "entrenar.experiment_id is empty"),
        (ExperimentProvenance::new("e", ""), "entrenar.run_id is empty"),
    ];
    for (run, message) in bad {
        let error = run.validate().unwrap_err().to_string();
        assert!(error.contains(message), "{error:?} lacks {message:?}");
        assert_eq!(error.lines().count(), 1, "{error}");
        let mut metadata: Metadata = [("general.base_model.count", 1_u32)].into_iter().collect();
        let before = metadata.clone();
        run.merge_into(&mut metadata).unwrap_err();
        assert_eq!(metadata, before);
        run.to_metadata().unwrap_err();
    }
    for (general, message) in [
        (GeneralMetadata::new("", "n"), "general.architecture is empty"),
        (GeneralMetadata::new("a b", "n"), r#"architecture name "a b""#),
        (GeneralMetadata::new("llama", ""), "general.name is empty"),
        (GeneralMetadata::new("llama", "n").with_author(""), "general.author is empty"),
        (GeneralMetadata::new("llama", "n").with_license("apache 2"), "Apache-2.0 may be meant"),
        (GeneralMetadata::new("llama", "n").with_license("my licence"), "(with_custom_license)"),
        (GeneralMetadata::new("llama", "n").with_doi("12"), r#"DOI "12""#),
        (GeneralMetadata::new("llama", "n").with_tag("a\u{7}"), "general.tags"),
    ] {
        let error = general.validate().unwrap_err().to_string();
        assert!(error.contains(message), "{error:?} lacks {message:?}");
    }
}

#[test]
fn licences_go_out_as_they_were_said() {
    for said in ["MIT", "mit", "apache-2.0", "llama3.1", "MIT OR Apache-2.0"] {
        let general = GeneralMetadata::new("llama", "n").with_license(said);
        assert_eq!(general.to_metadata().unwrap().get("general.license"), Some(&Value::from(said)));
    }
    let general = GeneralMetadata::new("llama", "n").with_license(License::CcBy4);
    assert_eq!(general.license.as_deref(), Some("CC-BY-4.0"));
    let own = GeneralMetadata::new("llama", "n").with_custom_license("Ours", Some("https://example.org/l"));
    let metadata = own.to_metadata().unwrap();
    for (key, value) in [("", "other"), (".name", "Ours"), (".link", "https://example.org/l")] {
        assert_eq!(metadata.get(&format!("general.license{key}")), Some(&Value::from(value)));
    }
}

#[test]
fn an_artifact_becomes_general_metadata() {
    let artifact =
        ResearchArtifact::new("id", "A Title", ArtifactType::Model, License::Custom("Ours".into()))
            .with_version("2.1")
            .with_author("A")
            .with_authors(["B", "C"])
            .with_keywords(["x", "y"])
            .with_keyword("z")
            .with_doi("10.1/2")
            .with_description("d");
    assert_eq!(artifact.validate(), Ok(()));
    let general = artifact.to_general_metadata("bert");
    assert_eq!(general.validate(), Ok(()));
    let expected = GeneralMetadata::new("bert", "A Title")
        .with_version("2.1")
        .with_author("A, B, C")
        .with_custom_license("Ours", None)
        .with_doi("10.1/2")
        .with_description("d")
        .with_tag("x")
        .with_tag("y")
        .with_tag("z");
    assert_eq!(general, expected);
    let blank = ResearchArtifact::new("id", " ", ArtifactType::Paper, License::Mit);
    assert_eq!(blank.validate(), Err(Error::Empty { what: "title".into() }));
}

#[test]
fn json_reads_back_and_refuses_unknown_fields() {
    let artifact = ResearchArtifact::new("id", "t", ArtifactType::Workflow, License::Bsd3);
    let json = serde_json::to_string(&artifact).unwrap();
    assert_eq!(
        json,
        r#"{"id":"id","title":"t","artifact_type":"workflow","license":"BSD-3-Clause","version":"1.0.0"}"#
    );
    assert_eq!(serde_json::from_str::<ResearchArtifact>(&json).unwrap(), artifact);
    let general = GeneralMetadata::new("llama", "n").with_license("MIT").with_tag("a");
    let json = serde_json::to_string(&general).unwrap();
    assert_eq!(json, r#"{"architecture":"llama","name":"n","license":"MIT","tags":["a"]}"#);
    assert_eq!(serde_json::from_str::<GeneralMetadata>(&json).unwrap(), general);
    let json = serde_json::to_string(&run()).unwrap();
    assert!(json.contains(r#""timestamp":"2024-01-15T10:30:00Z""#), "{json}");
    assert_eq!(serde_json::from_str::<ExperimentProvenance>(&json).unwrap(), run());

    let json = r#"{"architecture":"llama","name":"n","licence":"MIT"}"#;
    assert!(serde_json::from_str::<GeneralMetadata>(json).is_err());
    let partial = serde_json::from_str::<GeneralMetadata>(r#"{"author":"Ada"}"#).unwrap();
    assert_eq!(partial, GeneralMetadata::default().with_author("Ada"));
    assert_eq!(partial.to_metadata_pairs(), [("general.author".to_string(), "Ada".to_string())]);
    for json in [
        r#"{"experiment_id":"e","run_id":"r","timestamp":"yesterday"}"#,
        r#"{"experiment_id":"e","run_id":"r","timestamp":"2024-01-15T10:30:00Z","metrics":{"a":null}}"#,
        r#"{"experiment_id":"e","run_id":"r","timestamp":"2024-01-15T10:30:00Z","metric":{}}"#,
    ] {
        assert!(serde_json::from_str::<ExperimentProvenance>(json).is_err(), "{json}");
    }
}

proptest! {
    /// Whatever is set: no panic; text pairs and typed pairs agree; every key once; the order of setting
    /// does not show.
    #[test]
    fn any_run_gives_pairs(
        ids in prop::collection::vec(any::<String>(), 6),
        metrics in prop::collection::vec((any::<String>(), any::<f64>()), 0..5),
        custom in prop::collection::vec((any::<String>(), any::<String>()), 0..5),
    ) {
        let base = ExperimentProvenance::new(&ids[0], &ids[1])
            .with_base_model(&ids[2])
            .with_dataset(&ids[3])
            .with_config_hash(&ids[4])
            .with_git_commit(&ids[5]);
        let run = metrics.iter().fold(base, |run, (name, value)| run.with_metric(name, *value));
        let run = custom.iter().fold(run, |run, (name, value)| run.with_custom(name, value));
        let texts = run.to_metadata_pairs();
        let mut keys: Vec<&String> = texts.iter().map(|(key, _)| key).collect();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), texts.len());
        match run.to_metadata() {
            Err(error) => prop_assert_eq!(Err(error), run.validate()),
            Ok(metadata) => {
                prop_assert_eq!(metadata.len(), texts.len());
                for (key, text) in &texts {
                    let value = metadata.get(key).unwrap();
                    let matches = value.as_str() == Some(text) || value.as_u64().is_some_and(|n| n.to_string() == *text);
                    prop_assert!(matches, "{} {:?} {}", key, value, text);
                }
            }
        }
    }

    #[test]
    fn json_of_any_general_metadata_reads_back(
        texts in prop::collection::vec(any::<String>(), 4),
        tags in prop::collection::vec(any::<String>(), 0..4),
    ) {
        let general = GeneralMetadata::new(&texts[0], &texts[1])
            .with_license(&texts[2])
            .with_description(&texts[3]);
        let general = tags.iter().fold(general, GeneralMetadata::with_tag);
        let json = serde_json::to_string(&general).unwrap();
        prop_assert_eq!(&serde_json::from_str::<GeneralMetadata>(&json).unwrap(), &general);
        let mut metadata = Metadata::new();
        prop_assert_eq!(general.merge_into(&mut metadata).is_ok(), general.validate().is_ok());
    }

    /// Every run that passes the checks can be written, and comes back the same from JSON.
    #[test]
    fn sound_runs_are_accepted(
        id in "[a-zA-Z0-9_ .-]{0,8}[a-z]",
        metrics in prop::collection::btree_map("[!-~]{1,12}", prop::num::f64::NORMAL | prop::num::f64::ZERO, 0..5),
    ) {
        let run = metrics.iter().fold(ExperimentProvenance::new(&id, &id), |run, (k, v)| run.with_metric(k, *v));
        prop_assert_eq!(run.validate(), Ok(()));
        let json = serde_json::to_string(&run).unwrap();
        let back = serde_json::from_str::<ExperimentProvenance>(&json).unwrap();
        prop_assert_eq!(back.metrics.keys().collect::<Vec<_>>(), run.metrics.keys().collect::<Vec<_>>());
        for (name, value) in &run.metrics {
            let text = run.to_metadata_pairs().into_iter().find(|(k, _)| k == &format!("entrenar.metric.{name}"));
            prop_assert_eq!(text.unwrap().1.parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }
}
