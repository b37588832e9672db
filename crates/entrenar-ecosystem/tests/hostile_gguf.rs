//! GGUF files as input whose metadata have broken readers: quantized as they are, or refused in one line that names the
//! key. A table of reports; what breaks the file itself is in gguf-format's `tests/hostile`.

use std::fs;
use std::path::{Path, PathBuf};

use entrenar_ecosystem::{GgufExporter, QuantizationType};
use gguf_format::{Array, GgufFile, Layout, Metadata, TensorSpec, Value};

/// What becomes of a file with this value for a key.
struct Case {
    /// The report that it answers to.
    id: &'static str,
    key: &'static str,
    value: Value,
    /// `None`: it is quantized, and the value stays as it is.
    said: Option<&'static str>,
}

fn cases() -> Vec<Case> {
    let kept = |id, key, value: Value| Case { id, key, value, said: None };
    let refused = |id, key, value: Value, said| Case { id, key, value, said: Some(said) };
    let blocks = "llama.block_count";
    let tokens = |count: usize| {
        let mut tokens: Vec<String> = (0..count).map(|i| format!("t{i}")).collect();
        tokens[0] = "<0x-1>".to_owned();
        Value::from(tokens)
    };
    vec![
        // No more is asked of it than tensors have numbers.
        kept("llama.cpp #25513", blocks, Value::U32(513)),
        kept("llama.cpp #26051", blocks, Value::U32(u32::MAX)),
        kept("llama.cpp #25513", blocks, Value::U32(0)),
        refused(
            "CVE-2024-8063",
            blocks,
            Value::from("2"),
            "metadata key llama.block_count: found str, expected a number of 32 bits",
        ),
        refused(
            "CVE-2024-8063",
            blocks,
            Value::I32(-1),
            "metadata key llama.block_count: found i32, expected a number of 32 bits",
        ),
        refused(
            "CVE-2024-8063",
            blocks,
            Value::U64(1 << 32),
            "metadata key llama.block_count: found u64 4294967296, expected a number of 32 bits",
        ),
        refused(
            "CVE-2024-8063",
            blocks,
            Value::Array(Array::U32(vec![2; 1000])),
            "metadata key llama.block_count: found a list of 1000 u32, expected a number of 32 bits",
        ),
        kept("llama.cpp #26690", "tokenizer.ggml.scores", Value::Array(Array::U8(vec![1; 1000]))),
        kept("llama.cpp #26690", "tokenizer.ggml.token_type", Value::Array(Array::U8(vec![6; 3]))),
        kept("llama.cpp #25969 #27226", "tokenizer.ggml.tokens", tokens(512)),
        // Never run here: it is a text, and `inspect` says what it does.
        kept(
            "CVE-2024-34359",
            "tokenizer.chat_template",
            Value::from(
                "{% for x in ().__class__.__base__.__subclasses__() %}{{ x.__init__.__globals__ }}{% endfor %}",
            ),
        ),
    ]
}

/// The file with another value for a key, and zeros for weights.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn with_value(whole: &Path, case: &Case) -> PathBuf {
    let file = GgufFile::open(whole).unwrap();
    let mut metadata: Metadata = file.metadata().to_metadata();
    metadata.insert(case.key, case.value.clone());
    let specs: Vec<TensorSpec> = file.tensors().iter().map(|t| t.to_spec()).collect();
    let layout = Layout::new(metadata, specs).unwrap();
    let path = whole.with_file_name("hostile.gguf");
    fs::write(&path, layout.header()).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(layout.file_len()).unwrap();
    path
}

#[test]
fn hostile_metadata_are_kept_or_refused_by_name() {
    let work = tempfile::tempdir().unwrap();
    let checkpoint = fixture_models::write("llama", work.path()).unwrap();
    let whole = work.path().join("whole.gguf");
    GgufExporter::new(QuantizationType::F32).export(&checkpoint, &whole).unwrap();
    let output = work.path().join("out.gguf");
    for case in cases() {
        let input = with_value(&whole, &case);
        let result = GgufExporter::new(QuantizationType::Q4KM).export(&input, &output);
        let what = format!("{}: {} {:?}", case.id, case.key, case.value);
        match (result, case.said) {
            (Ok(_), None) => {
                let file = GgufFile::open(&output).unwrap();
                assert_eq!(file.metadata().get(case.key).map(|v| v.to_value()), Some(case.value), "{what}");
            }
            (Err(error), Some(said)) => assert!(error.to_string().contains(said), "{what}:\n{error}"),
            (result, said) => panic!("{what}: expected {said:?}, found {result:?}"),
        }
    }
}
