//! Folders with packed weights against what convert_hf_to_gguf made of them in F32, and in pieces against the whole.
#![expect(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

use std::fs;
use std::path::{Path, PathBuf};

use hf_checkpoint::{Checkpoint, Error, Options};

#[path = "common/listing.rs"]
mod listing;

/// The folders of `conformance/scripts/packed_fixtures.py`.
const FORMS: &[&str] = &[
    "awq",
    "bitnet",
    "ct-fp8-block",
    "ct-int8",
    "ct-mxfp4",
    "ct-nvfp4",
    "ct-pack4",
    "ct-pack4-actorder",
    "ct-pack4-channel",
    "ct-pack4-zero",
    "ct-pack8-zero",
    "fp8-block",
    "fp8-channel",
    "fp8-tensor",
    "gptq2",
    "gptq4-order",
    "gptq8-v2",
    "modelopt-fp8",
    "modelopt-nvfp4",
];

fn golden(form: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/packed").join(form)
}

/// The folder with its tokenizer.
fn folder(parent: &Path, form: &str) -> PathBuf {
    let out = parent.join(form);
    fs::create_dir_all(&out).unwrap();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/fixture-models/models");
    let tokenizer = models.join("Tiny-Llama-3.2-1M-Instruct");
    for file in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"] {
        if tokenizer.join(file).is_file() {
            fs::copy(tokenizer.join(file), out.join(file)).unwrap();
        }
    }
    for file in ["config.json", "model.safetensors"] {
        fs::copy(golden(form).join(file), out.join(file)).unwrap();
    }
    out
}

fn open(path: &Path) -> Result<Checkpoint, Error> {
    let mut options = Options::new();
    options.pre_tokenizer = Some("llama-bpe".to_owned());
    Checkpoint::open(path, &options)
}

#[test]
fn packed_folders_become_what_the_converter_makes_of_them() {
    let parent = tempfile::tempdir().unwrap();
    for form in FORMS {
        let checkpoint = open(&folder(parent.path(), form)).unwrap_or_else(|e| panic!("{form}: {e}"));
        let ours = listing::listing(&checkpoint, 64).unwrap();
        let ours: Vec<_> = ours.lines().filter(|l| !l.starts_with("token_embd.weight ")).collect();
        let golden = fs::read_to_string(golden(form).join("golden.txt")).unwrap();
        assert_eq!(golden.lines().collect::<Vec<_>>(), ours, "{form}");
    }
}

#[test]
fn every_cut_gives_the_bytes_of_the_whole() {
    let parent = tempfile::tempdir().unwrap();
    for form in FORMS {
        let checkpoint = open(&folder(parent.path(), form)).unwrap();
        for (number, tensor) in checkpoint.tensors().iter().enumerate() {
            if tensor.name == "token_embd.weight" {
                continue;
            }
            let (n, size) = (tensor.elements(), tensor.element.block_bytes() as u64);
            let mut whole = vec![0; (n * size) as usize];
            checkpoint.read_elements(number, 0..n, &mut whole).unwrap();
            for step in [1, 7, 33, 100, 1000] {
                // One element at a time is slow on a long tensor: there the first hundreds only.
                let end = if step == 1 { n.min(200) } else { n };
                for start in (0..end).step_by(step) {
                    let stop = (start + step as u64).min(n);
                    let mut piece = vec![0; ((stop - start) * size) as usize];
                    checkpoint.read_elements(number, start..stop, &mut piece).unwrap();
                    let expected = &whole[(start * size) as usize..(stop * size) as usize];
                    assert!(piece == expected, "{form}: {} {start}..{stop}", tensor.name);
                }
            }
        }
    }
}

/// Changes the configuration of a form by replacing a text.
fn changed(parent: &Path, form: &str, from: &str, to: &str) -> String {
    let path = folder(parent, form);
    let config = path.join("config.json");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains(from));
    fs::write(&config, text.replace(from, to)).unwrap();
    match open(&path).unwrap_err() {
        // The message tells the first ones only.
        Error::Packed { problems, .. } => problems.join("; "),
        error => error.to_string(),
    }
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let parent = tempfile::tempdir().unwrap();
    let refused = [
        ("awq", "\"gemm\"", "\"gemv\"", "awq: 4 bits packed for gemv"),
        ("gptq2", "\"bits\": 2", "\"bits\": 3", "gptq: 3 bits"),
        ("bitnet", "\"bitnet\"", "\"hqq\"", "(hqq)"),
        ("fp8-block", "[24, 20]", "[24, \"20\"]", "fp8: weight_block_size that is no list of sizes"),
        ("ct-fp8-block", "[16, 16]", "[16, 0]", "block_structure that is no list of sizes"),
        ("ct-int8", "int-quantized", "marlin-24", "compressed-tensors: format \"marlin-24\""),
    ];
    for (form, from, to, expected) in refused {
        let error = changed(parent.path(), form, from, to);
        assert!(error.contains(expected) && error.contains("config.json"), "{error}");
        assert!(error.contains("export the original model"), "{error}");
    }
}

#[test]
fn companions_that_do_not_fit_are_named_all_at_once() {
    let parent = tempfile::tempdir().unwrap();
    let error = changed(parent.path(), "fp8-block", "[24, 20]", "[8, 8]");
    for part in ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] {
        assert!(error.contains(&format!("{part}.weight_scale_inv")), "{error}");
    }
    // Codes said to be twice as wide: words of zeros and the index do not fit.
    let error = changed(parent.path(), "gptq4-order", "\"bits\": 4", "\"bits\": 8");
    for part in ["q_proj.qzeros", "q_proj.g_idx", "down_proj.qzeros", "down_proj.g_idx"] {
        assert!(error.contains(part), "{error}");
    }
    // Without the block's sizes a matrix of scales is none that is known.
    let error = changed(parent.path(), "ct-fp8-block", "block_structure", "no_structure");
    assert!(error.contains("q_proj.weight_scale: shape [2, 2]"), "{error}");
}

#[test]
fn an_index_of_groups_that_are_not_there_is_an_error_that_names_it() {
    let parent = tempfile::tempdir().unwrap();
    let path = folder(parent.path(), "gptq4-order");
    let file = path.join("model.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let json: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
    let name = "model.layers.0.mlp.up_proj.g_idx";
    let at = 8 + header + json[name]["data_offsets"][0].as_u64().unwrap() as usize;
    bytes[at..at + 4].copy_from_slice(&(-1i32).to_le_bytes());
    fs::write(&file, bytes).unwrap();
    let checkpoint = open(&path).unwrap();
    let number = checkpoint.tensors().iter().position(|t| t.name == "blk.0.ffn_up.weight").unwrap();
    let error = checkpoint.read_elements(number, 0..1, &mut [0; 4]).unwrap_err().to_string();
    assert!(error.contains(name) && error.contains("group 4294967295, there are 2"), "{error}");
}

/// Scales for a whole tensor are one float: of another type, or several, they would be read as something else.
#[test]
fn scales_for_all_must_be_one_float() {
    let parent = tempfile::tempdir().unwrap();
    for (form, end) in [
        ("ct-nvfp4", ".weight_global_scale"),
        ("modelopt-nvfp4", ".weight_scale_2"),
        ("bitnet", ".weight_scale"),
    ] {
        let path = folder(parent.path(), form);
        let file = path.join("model.safetensors");
        let bytes = fs::read(&file).unwrap();
        let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let mut json: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
        let name = format!("model.layers.0.mlp.up_proj{end}");
        let stored = json[&name]["dtype"].as_str().unwrap();
        let other = if stored == "F32" { "I32" } else { "I16" };
        json[&name]["dtype"] = other.into();
        let json = json.to_string();
        let parts = [&(json.len() as u64).to_le_bytes(), json.as_bytes(), &bytes[8 + header..]];
        fs::write(&file, parts.concat()).unwrap();
        let error = open(&path).unwrap_err().to_string();
        assert!(
            error.contains(&format!("{name} is {other} [")) && error.contains("expected one float"),
            "{error}"
        );
    }
}

/// Scales of activations are of no use to a GGUF file; that they are there is told.
#[test]
fn scales_of_activations_are_left_out_with_a_note() {
    let parent = tempfile::tempdir().unwrap();
    let scaled = open(&folder(parent.path(), "fp8-block")).unwrap();
    let [note] = scaled.notes() else { panic!("{:?}", scaled.notes()) };
    let expected = "7 tensors of the checkpoint left out, for which a GGUF file has no place: ";
    assert!(note.starts_with(expected) && note.contains("up_proj.activation_scale"), "{note}");
    assert_eq!(open(&folder(parent.path(), "ct-int8")).unwrap().notes(), [""; 0]);
}
