//! What a file says of the machine that made it: nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place::{Place, text};

/// Words that nothing else has, one for each thing that could leak.
const ABOVE: &str = "parent-qwzxv";
const OUT: &str = "output-jkqxz";
const USER: &str = "user-vxqjz";
const HOST: &str = "host-zqvxk";
const ENVIRONMENT: &str = "environment-xvqzj";
const OTHER: &str = "other-kzqvw";

/// The command in a folder of its own, with an environment that says who we are.
fn run(place: &Place, args: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_entrenar"))
        .args(args)
        .current_dir(place.folder.path())
        .envs([("USER", USER), ("LOGNAME", USER), ("USERNAME", USER), ("HOSTNAME", HOST), ("HOST", HOST)])
        .envs([("HOME", format!("/home/{USER}")), ("SECRET_TOKEN", ENVIRONMENT.to_owned())])
        .envs([("HF_TOKEN", ENVIRONMENT), ("HF_HOME", ENVIRONMENT), ("EMAIL", ENVIRONMENT)])
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The name of this machine and of who runs the test, where they are peculiar enough to look for.
fn names_of_this_machine() -> Vec<String> {
    let host = fs::read_to_string("/etc/hostname").unwrap_or_default();
    let user = std::env::var("USER").unwrap_or_default();
    let temporary = std::env::temp_dir().display().to_string();
    let names = [host, user, temporary].map(|name| name.trim().to_owned());
    names.into_iter().filter(|name| name.len() > 6).collect()
}

#[test]
fn no_output_file_names_this_machine() {
    let place = Place::new();
    let above = place.path(ABOVE);
    fs::create_dir(&above).unwrap();
    let folder = |name: &str| above.join(name);
    fs::rename(&place.model, folder("tiny-model")).unwrap();
    fs::remove_file(folder("tiny-model").join("README.md")).unwrap();
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../hf-checkpoint/tests/golden/lora/patterns-rslora");
    for (from, to) in [("base", "base"), ("0", "adapter")] {
        fs::create_dir(folder(to)).unwrap();
        for entry in fs::read_dir(golden.join(from)).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, folder(to).join(from.file_name().unwrap())).unwrap();
        }
    }
    // Paths of another machine, which the folders' own files name.
    let config = folder("adapter").join("adapter_config.json");
    let mut adapter: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    adapter["base_model_name_or_path"] = format!("/home/{OTHER}/models/base").into();
    fs::write(&config, adapter.to_string()).unwrap();
    for model in ["tiny-model", "base"] {
        let config = folder(model).join("config.json");
        let mut values: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
        values["_name_or_path"] = format!("/home/{OTHER}/models/{model}").into();
        fs::write(&config, values.to_string()).unwrap();
    }
    let provenance = format!(
        r#"{{"experiment_id": "e", "run_id": "r", "timestamp": "2024-01-15T10:30:00Z", "base_model": "/home/{OTHER}/models/base"}}"#
    );
    fs::write(folder("p.json"), provenance).unwrap();
    fs::write(folder("m.json"), r#"{"general.author": "A"}"#).unwrap();
    // A matrix of an entry that no tensor has would be refused; this one has one that counts.
    let name = "blk.0.ffn_up.weight";
    let mut matrix = [1_u32.to_le_bytes(), (name.len() as u32).to_le_bytes()].concat();
    matrix.extend(name.as_bytes());
    matrix.extend([1_u32, 256].iter().flat_map(|n| n.to_le_bytes()));
    matrix.extend(1.0_f32.to_le_bytes().repeat(256));
    fs::write(folder("m.dat"), matrix).unwrap();

    let out = place.path(OUT);
    fs::create_dir(&out).unwrap();
    let at = |name: &str| above.join(name).display().to_string();
    let to = |name: &str| out.join(name).display().to_string();
    let export = |name: &str, output: &str, more: &[&str]| {
        run(&place, &[&["export", &at(name), &to(output)], more].concat());
    };
    export("tiny-model", "whole.gguf", &["-q", "Q8_0"]);
    export("tiny-model", "shards.gguf", &["-q", "F16", "--split-max-tensors", "9"]);
    export("tiny-model/model.safetensors", "file.gguf", &["-q", "Q8_0", "--pre", "llama-bpe"]);
    export("tiny-model", "raw.gguf", &["-q", "F16", "--raw"]);
    export(
        "tiny-model",
        "told.gguf",
        &["-q", "Q8_0", "--metadata", &at("m.json"), "--provenance", &at("p.json")],
    );
    export("tiny-model", "matrix.gguf", &["-q", "Q4_K_S", "--imatrix", &at("m.dat")]);
    export("base", "merged.gguf", &["-q", "F16", "--raw", "--lora", &at("adapter")]);
    export("adapter", "adapter.gguf", &["--base", &at("base")]);
    run(&place, &["export", &to("whole.gguf"), &to("again.gguf"), "-q", "Q8_0"]);
    run(&place, &["split", &to("whole.gguf"), &to("cut"), "--split-max-tensors", "9"]);
    run(&place, &["merge", &to("cut-00001-of-00004.gguf"), &to("merged-again.gguf")]);

    let mut words = [ABOVE, OUT, USER, HOST, ENVIRONMENT, OTHER].map(str::to_owned).to_vec();
    words.push(place.folder.path().file_name().unwrap().to_string_lossy().into_owned());
    words.extend(names_of_this_machine());
    let written = files(&out);
    assert!(written.len() > 15, "{written:?}");
    for file in written {
        let bytes = fs::read(&file).unwrap();
        for word in &words {
            let found = bytes.windows(word.len()).position(|window| window == word.as_bytes());
            assert_eq!(found, None, "{}: {word}", file.display());
        }
    }
}
