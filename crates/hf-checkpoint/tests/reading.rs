//! Reading tensors: in parts, by many threads, and with wrong arguments; tensors as they are.
#![expect(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

use hf_checkpoint::{Checkpoint, Error, Options};
use safetensors::Dtype;

#[path = "common/folders.rs"]
#[expect(dead_code, reason = "each test uses a part of it")]
mod folders;

fn open(parent: &std::path::Path, name: &str) -> Checkpoint {
    let folder = folders::folder(name);
    let mut options = Options::new();
    options.pre_tokenizer = folder.pre.map(str::to_owned);
    Checkpoint::open(&folder.write(parent), &options).unwrap()
}

fn whole(checkpoint: &Checkpoint, tensor: usize) -> Vec<u8> {
    let info = &checkpoint.tensors()[tensor];
    let mut out = vec![0; info.elements() as usize * info.element.block_bytes()];
    checkpoint.read_rows(tensor, 0..info.rows(), &mut out).unwrap();
    out
}

#[test]
fn parts_are_parts_of_the_whole_by_rows_and_by_elements_on_many_threads() {
    let parent = tempfile::tempdir().unwrap();
    for name in ["acme-Tiny-LLaMa-7b1-128k-chat-q4_k_v2.1", "llama3-rope", "bert-classifier-L2"] {
        let checkpoint = open(parent.path(), name);
        let read = |tensor: usize| {
            let info = &checkpoint.tensors()[tensor];
            let all = whole(&checkpoint, tensor);
            let size = info.element.block_bytes();
            let row = info.dims[0] as usize * size;
            for (start, end) in [(0, 1), (1, 4), (3, 8), (0, 17), (5, 5), (13, 30)] {
                let end = end.min(info.rows());
                let start = start.min(end);
                let mut out = vec![0xEE; (end - start) as usize * row];
                checkpoint.read_rows(tensor, start..end, &mut out).unwrap();
                assert!(
                    out == all[start as usize * row..end as usize * row],
                    "{name} {} {start}..{end}",
                    info.name
                );
            }
            let elements = info.elements();
            for (start, end) in [(0, 1), (1, 33), (7, 100), (elements - 1, elements), (30, 66)] {
                let end = end.min(elements);
                let start = start.min(end);
                let mut out = vec![0xEE; (end - start) as usize * size];
                checkpoint.read_elements(tensor, start..end, &mut out).unwrap();
                assert!(
                    out == all[start as usize * size..end as usize * size],
                    "{name} {} {start}..{end}",
                    info.name
                );
            }
        };
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let read = &read;
                let count = checkpoint.tensors().len();
                scope.spawn(move || (0..count).map(|i| (i * 7 + thread) % count).for_each(read));
            }
        });
    }
}

#[test]
fn rows_longer_than_the_scratch_are_read() {
    // A head of 4 rows of 40 000 elements each; F16 and F32.
    let parent = tempfile::tempdir().unwrap();
    let folder = folders::folder("llama3-rope");
    let mut config = (folder.config)();
    for (key, value) in [
        ("hidden_size", 40_000),
        ("head_dim", 4),
        ("num_attention_heads", 2),
        ("num_key_value_heads", 1),
        ("num_hidden_layers", 1),
        ("intermediate_size", 2),
    ] {
        config[key] = value.into();
    }
    config["rope_scaling"] = serde_json::Value::Null;
    let tensors: Vec<_> = (folder.tensors)(&config).into_iter().filter(|t| t.0 != "lm_head.weight").collect();
    let path = folder.write_changed(parent.path(), &config, tensors);
    let options = Options::new().with_pre_tokenizer("llama-bpe");
    let mapped = Checkpoint::open(&path, &options).unwrap();
    let raw = Checkpoint::open(&path, &Options::new().with_raw(true)).unwrap();
    let find = |c: &Checkpoint, name: &str| c.tensors().iter().position(|t| t.name == name).unwrap();
    let ours = whole(&mapped, find(&mapped, "blk.0.attn_q.weight"));
    let source = whole(&raw, find(&raw, "model.layers.0.self_attn.q_proj.weight"));
    // Rows 0 1 2 3 of a head become 0 2 1 3.
    let rows: Vec<_> = source.chunks(80_000).collect();
    assert_eq!(rows.len(), 8);
    let expected: Vec<u8> = [0, 2, 1, 3, 4, 6, 5, 7].iter().flat_map(|i| rows[*i].to_vec()).collect();
    assert!(ours == expected);
}

#[test]
fn wrong_calls_are_errors() {
    let parent = tempfile::tempdir().unwrap();
    let checkpoint = open(parent.path(), "gte-qwen2-embed");
    let count = checkpoint.tensors().len();
    let tensor = checkpoint.tensors().iter().position(|t| t.name == "blk.0.ffn_up.weight").unwrap();
    let (row, rows) = (32 * 2, 48);
    let call = |t, r: std::ops::Range<u64>, n| checkpoint.read_rows(t, r, &mut vec![0; n]).unwrap_err();
    assert!(matches!(call(count, 0..1, row), Error::NoSuchTensor { tensor, .. } if tensor == count));
    assert!(matches!(
        call(tensor, 0..rows + 1, row * 49),
        Error::Range { unit: "rows", end: 49, len: 48, .. }
    ));
    #[expect(clippy::reversed_empty_ranges, reason = "that is the wrong call")]
    let reversed = call(tensor, 2..1, 0);
    assert!(matches!(reversed, Error::Range { start: 2, end: 1, .. }));
    assert!(matches!(call(tensor, u64::MAX - 1..u64::MAX, row), Error::Range { .. }));
    assert!(matches!(call(tensor, 0..2, row), Error::Buffer { found: 64, expected: 128, .. }));
    let elements = checkpoint.read_elements(tensor, 0..1 + 32 * 48, &mut [0; 2]).unwrap_err();
    assert_eq!(
        elements.to_string(),
        "tensor `blk.0.ffn_up.weight`: elements 0..1537 asked for, the tensor has 1536"
    );
}

#[test]
fn tensors_as_they_are() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("weights.safetensors");
    folders::write_file(
        &path,
        &[
            ("half".into(), vec![3, 2], Dtype::F16),
            ("brain".into(), vec![2, 1, 3], Dtype::BF16),
            ("double".into(), vec![2, 2], Dtype::F64),
            ("row".into(), vec![5], Dtype::BF16),
            ("one".into(), vec![], Dtype::F32),
            ("long".into(), vec![2, 2], Dtype::I64),
        ],
    );
    let checkpoint = Checkpoint::open(&path, &Options::new()).unwrap();
    let got: Vec<_> = checkpoint
        .tensors()
        .iter()
        .map(|t| (t.name.as_str(), t.dims.as_slice(), t.element.name(), t.source.as_str()))
        .collect();
    let expected: [(&str, &[u64], &str, &str); 6] = [
        ("brain", &[3, 1, 2], "BF16", "brain"),
        ("double", &[2, 2], "F32", "double"),
        ("half", &[2, 3], "F16", "half"),
        ("long", &[2, 2], "F32", "long"),
        ("one", &[1], "F32", "one"),
        ("row", &[5], "F32", "row"),
    ];
    assert_eq!(got, expected);
    assert_eq!(checkpoint.source_files()[0].bytes, std::fs::metadata(&path).unwrap().len());
    let long: Vec<u8> = [0f32, 1.0, 2.0, 3.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    assert_eq!(whole(&checkpoint, 3), long);

    // A folder's config is not looked at.
    let folder = folders::folder("llama3-rope").write(parent.path());
    std::fs::write(folder.join("config.json"), "broken").unwrap();
    let raw = Checkpoint::open(&folder, &Options::new().with_raw(true)).unwrap();
    assert!(raw.tensors().iter().any(|t| t.name == "model.layers.0.self_attn.q_proj.weight"));
    // One shard of several is no model.
    let shard = Checkpoint::open(&folder.join("model-00001-of-00006.safetensors"), &Options::new()).unwrap();
    assert_eq!((shard.architecture(), shard.tensors().len()), (None, 4));
}

#[test]
fn values_that_f32_cannot_hold_are_named_when_they_are_read() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("x.safetensors");
    let data: Vec<u8> = [1.0f64, 0.1].iter().flat_map(|v| v.to_le_bytes()).collect();
    let view = safetensors::tensor::TensorView::new(Dtype::F64, vec![2], &data).unwrap();
    safetensors::serialize_to_file([("t", view)], None, &path).unwrap();
    let checkpoint = Checkpoint::open(&path, &Options::new()).unwrap();
    let error = checkpoint.read_rows(0, 0..1, &mut [0; 8]).unwrap_err().to_string();
    assert!(
        error.ends_with("tensor `t`: element 1 is 0.1, which F32 cannot hold exactly; convert F64 first"),
        "{error}"
    );
}

#[test]
fn the_same_model_by_folder_index_or_file() {
    let parent = tempfile::tempdir().unwrap();
    for (name, file) in
        [("llama3-rope", "model.safetensors.index.json"), ("gte-qwen2-embed", "model.safetensors")]
    {
        let by_folder = open(parent.path(), name);
        let folder = folders::folder(name);
        let mut options = Options::new();
        options.pre_tokenizer = folder.pre.map(str::to_owned);
        let by_file = Checkpoint::open(&parent.path().join(name).join(file), &options).unwrap();
        assert_eq!(by_file.architecture(), by_folder.architecture());
        assert_eq!(by_file.metadata(), by_folder.metadata());
        assert_eq!(by_file.tensors(), by_folder.tensors());
        let named = Checkpoint::open(&parent.path().join(name), &options.with_model_name("A Name")).unwrap();
        assert_eq!(named.metadata().get("general.name").and_then(|v| v.as_str()), Some("A Name"));
    }
}

#[test]
fn notes_say_what_was_left_out() {
    let parent = tempfile::tempdir().unwrap();
    let notes = |name| open(parent.path(), name).notes().join("\n");
    let llama = notes("llama3-rope");
    assert!(llama.contains("2 tensors of the checkpoint left out"), "{llama}");
    assert!(llama.contains("model.layers.1.self_attn.rotary_emb.inv_freq"), "{llama}");
    let bert = notes("bert-masked-lm");
    assert!(bert.contains("cls.predictions.bias") && bert.contains("pooler.dense.weight"), "{bert}");
    let spm = notes("no model type 1B");
    assert!(spm.contains("generation_config.json: not valid JSON"), "{spm}");

    let folder = folders::folder("llama3-rope");
    let mut config = (folder.config)();
    config["tie_word_embeddings"] = false.into();
    let tensors = (folder.tensors)(&config).into_iter().filter(|t| t.0 != "lm_head.weight").collect();
    let path = folder.write_changed(&parent.path().join("headless"), &config, tensors);
    let headless = Checkpoint::open(&path, &Options::new().with_pre_tokenizer("llama-bpe")).unwrap();
    assert!(headless.notes().iter().any(|n| n.contains("lm_head.weight")), "{:?}", headless.notes());
}
