//! Everything that is wrong with a checkpoint is told at once, before any work; long lists are told in part, and kept
//! whole in the error.
#![expect(clippy::unwrap_used, reason = "helpers of tests, where a failure is a panic")]

use std::fs;
use std::path::{Path, PathBuf};

use hf_checkpoint::{Checkpoint, Error, Options, Problem, ShardProblem};
use safetensors::Dtype;
use serde_json::{Value, json};

#[path = "common/folders.rs"]
#[expect(dead_code, reason = "each test uses a part of it")]
mod folders;
use folders::{Spec, folder, write_file};

/// Opens what must not open: the message, and the error.
fn refused(path: &Path) -> (String, Error) {
    let error =
        Checkpoint::open(path, &Options::new().with_pre_tokenizer("llama-bpe")).map(|_| ()).unwrap_err();
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    (message, error)
}

/// A Llama with this config and these tensors.
fn llama(parent: &Path, change: impl FnOnce(&mut Value, &mut Vec<Spec>)) -> PathBuf {
    let base = folder("llama3-rope");
    let mut config = (base.config)();
    let mut tensors = (base.tensors)(&config);
    change(&mut config, &mut tensors);
    base.write_changed(parent, &config, tensors)
}

#[test]
fn all_that_does_not_fit_the_model() {
    let parent = tempfile::tempdir().unwrap();
    let path = llama(parent.path(), |config, tensors| {
        tensors.retain(|t| t.0 != "model.norm.weight" && t.0 != "model.layers.0.mlp.up_proj.weight");
        tensors.push(("model.layers.0.mlp.up_proj.scale".into(), vec![1], Dtype::F32));
        tensors.push(("extra.weight".into(), vec![1], Dtype::F32));
        for tensor in tensors.iter_mut() {
            match tensor.0.as_str() {
                "model.layers.1.mlp.down_proj.weight" => tensor.1.reverse(),
                "model.layers.1.input_layernorm.weight" => tensor.2 = Dtype::I32,
                // Fewer rows than the tokenizer has tokens, as the config has it.
                "model.embed_tokens.weight" | "lm_head.weight" => tensor.1[0] = 400,
                _ => {}
            }
        }
        config["vocab_size"] = json!(400);
    });
    let (message, error) = refused(&path);
    for part in [
        "llama3-rope: 2 tensors unknown to llama: extra.weight, model.layers.0.mlp.up_proj.scale; ",
        "2 tensors missing that llama needs: ",
        "model.norm.weight",
        "model.layers.0.mlp.up_proj.weight",
        "tensor `model.layers.1.mlp.down_proj.weight`: shape [32, 48], expected [48, 32]",
        "tensor `model.layers.1.input_layernorm.weight`: dtype I32 is not read",
        "tokenizer.json: ",
        "expected ids under 400",
    ] {
        let swapped = part.replace("[32, 48], expected [48, 32]", "[48, 32], expected [32, 48]");
        assert!(message.contains(part) || message.contains(&swapped), "no `{part}` in: {message}");
    }
    let Error::Mismatch { architecture, problems, .. } = error else { panic!("{message}") };
    assert_eq!((architecture, problems.len()), (Some("llama"), 7));
}

#[test]
fn long_lists_are_told_in_part_and_kept_whole() {
    let parent = tempfile::tempdir().unwrap();
    let path = llama(parent.path(), |_, tensors| {
        tensors.extend((0..223).map(|i| (format!("extra.{i:03}.weight"), vec![1], Dtype::F32)));
    });
    let (message, error) = refused(&path);
    let told: Vec<String> = (0..10).map(|i| format!("extra.{i:03}.weight")).collect();
    let expected = format!("223 tensors unknown to llama: {}, and 213 more", told.join(", "));
    assert!(message.ends_with(&expected), "{message}");
    let Error::Mismatch { problems, .. } = error else { panic!("{message}") };
    let unknown = |p: &&Problem| matches!(p, Problem::Unknown { .. });
    assert_eq!(problems.iter().filter(unknown).count(), 223);

    // The same of other problems.
    let parent = tempfile::tempdir().unwrap();
    let path = llama(parent.path(), |config, _| config["intermediate_size"] = json!(40));
    let (message, _) = refused(&path);
    assert_eq!(message.matches("expected [").count(), 6, "{message}");
    let parent = tempfile::tempdir().unwrap();
    let path = llama(parent.path(), |config, _| config["hidden_size"] = json!(40));
    let (message, error) = refused(&path);
    let Error::Mismatch { problems, .. } = error else { panic!("{message}") };
    assert!(problems.len() > 15);
    assert_eq!(message.matches("; ").count(), 10, "{message}");
    assert!(message.ends_with(&format!("; and {} more", problems.len() - 10)), "{message}");
}

#[test]
fn tensors_as_they_are() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("x.safetensors");
    let long = "n".repeat(64);
    write_file(
        &path,
        &[
            ("a".into(), vec![4], Dtype::F8_E4M3),
            ("b".into(), vec![1, 1, 1, 1, 2], Dtype::F32),
            (long, vec![1], Dtype::F32),
            ("z".into(), vec![1], Dtype::F32),
        ],
    );
    let (message, error) = refused(&path);
    for part in
        ["tensor `a`: dtype F8_E4M3 is not read", "tensor `b`: shape [1, 1, 1, 1, 2]", "name of 64 bytes"]
    {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
    assert!(matches!(error, Error::Mismatch { architecture: None, problems, .. } if problems.len() == 3));
}

#[test]
fn all_that_index_and_shards_contradict() {
    let parent = tempfile::tempdir().unwrap();
    let path = llama(parent.path(), |_, _| {});
    let index = path.join("model.safetensors.index.json");
    let shard = |n: usize| format!("model-{n:05}-of-00006.safetensors");
    let mut document: Value = serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
    let map = document["weight_map"].as_object_mut().unwrap();
    map.remove("model.norm.weight");
    for i in 0..12 {
        map.insert(format!("ghost.{i:02}"), json!(shard(1)));
    }
    map.insert("outside".into(), json!("../x.safetensors"));
    fs::write(&index, document.to_string()).unwrap();
    fs::remove_file(path.join(shard(2))).unwrap();
    fs::remove_file(path.join(shard(3))).unwrap();
    fs::copy(path.join(shard(4)), path.join(shard(5))).unwrap();
    let (message, error) = refused(&path);
    for part in [
        "file of `outside` is `../x.safetensors`, expected the name of a file in the same folder; ",
        &format!("{}: absent, but ", shard(2)),
        &format!("{}: absent, but ", shard(3)),
        &format!("{}: 4 tensors in ", shard(5)),
        "lacks 12 tensors that",
        "ghost.09, and 2 more",
        "holds 1 tensor that",
        "does not place there: model.norm.weight",
    ] {
        let twice = format!("4 tensors in {}", path.join(shard(4)).display());
        let part = if part.contains(": 4 tensors in ") { &twice } else { part };
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
    let Error::Shards { problems } = error else { panic!("{message}") };
    let ghosts = problems.iter().find_map(|p| match p {
        ShardProblem::Lacks { tensors, .. } if tensors[0].starts_with("ghost") => Some(tensors.len()),
        _ => None,
    });
    assert_eq!(ghosts, Some(12));

    // Without an index every file counts; all names that are in two are told.
    let parent = tempfile::tempdir().unwrap();
    let path = llama(parent.path(), |_, _| {});
    fs::remove_file(path.join("model.safetensors.index.json")).unwrap();
    fs::copy(path.join(shard(1)), path.join("model-extra.safetensors")).unwrap();
    fs::copy(path.join(shard(2)), path.join("model-more.safetensors")).unwrap();
    let (message, error) = refused(&path);
    assert_eq!(message.matches("and again in").count(), 2, "{message}");
    let Error::Shards { problems } = error else { panic!("{message}") };
    let names =
        |p: &ShardProblem| if let ShardProblem::Twice { tensors, .. } = p { tensors.len() } else { 0 };
    assert_eq!(problems.iter().map(names).sum::<usize>(), 8);
}
