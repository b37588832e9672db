//! Golden files, made again from the peers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fixture_models::{Conversion, FILE_TYPES, Model, Summary, Workbench};

use crate::shell::{self, Error, Result, cargo, root};

/// The numbers of `general.file_type`, in the order of [`FILE_TYPES`] (llama.h, `llama_ftype`).
const IDS: [u32; 8] = [0, 1, 7, 18, 17, 15, 12, 10];

type Make = fn(&Workbench) -> Result;

/// What the golden files are called here, and how each kind is made.
const KINDS: [(&str, Make); 9] = [
    ("models", models),
    ("kernels", |_| {
        shell::run(&mut cargo(&["run", "--quiet", "--release", "-p", "conformance", "--", "kernel-golden"]))
    }),
    ("recipe", |bench| shell::run(bench.python("recipe_golden.py")?.current_dir(root()))),
    ("tokenizer", |bench| {
        let (_, llama_cpp) = bench.converter()?;
        let cases = root().join("crates/hf-checkpoint/tests/golden/tokenizer");
        shell::run(bench.python("tokenizer_golden.py")?.arg(llama_cpp).arg("--cases").arg(cases))
    }),
    ("checkpoint", |bench| {
        let (_, llama_cpp) = bench.converter()?;
        let folders = bench.folder("checkpoints")?;
        let write = ["run", "--quiet", "-p", "hf-checkpoint", "--example", "write_folders", "--"];
        shell::run(cargo(&write).arg(&folders))?;
        let golden = root().join("crates/hf-checkpoint/tests/golden");
        let mut script = bench.python("checkpoint_golden.py")?;
        shell::run(script.arg(llama_cpp).arg("golden").arg(folders).arg(golden))
    }),
    ("classes", |bench| {
        let (_, llama_cpp) = bench.converter()?;
        let folders = bench.folder("class-folders")?;
        let golden = root().join("crates/hf-checkpoint/tests/golden/classes");
        let mut make = bench.python("class_models.py")?;
        shell::run(make.arg(&folders).arg("--small").arg("--describe").arg(&golden))?;
        let mut script = bench.python("checkpoint_golden.py")?;
        shell::run(script.arg(llama_cpp).arg("golden").arg(folders).arg(golden).arg("16"))
    }),
    ("packed", |bench| {
        let (_, llama_cpp) = bench.converter()?;
        let tokenizer = root().join("conformance/fixture-models/models/Tiny-Llama-3.2-1M-Instruct");
        let golden = root().join("crates/hf-checkpoint/tests/golden/packed");
        shell::run(bench.python("packed_fixtures.py")?.arg(llama_cpp).arg(tokenizer).arg(golden))
    }),
    ("config-defaults", |bench| {
        let table = root().join("crates/hf-checkpoint/src/defaults.json");
        shell::run(bench.python("config_defaults.py")?.arg(table))
    }),
    // Last: seeds are made of golden files.
    ("fuzz", |_| {
        shell::run(&mut cargo(&["run", "--quiet", "-p", "entrenar-fuzz", "--example", "write_seeds"]))
    }),
];

/// Makes those that are named, or all.
pub(crate) fn run(rest: &[String]) -> Result {
    let names = KINDS.map(|(name, _)| name);
    if let Some(unknown) = rest.iter().find(|wanted| !names.contains(&wanted.as_str())) {
        return Err(Error::Usage(format!("no fixtures {unknown:?}; there are {}", names.join(", "))));
    }
    let bench = Workbench::new();
    for (name, make) in KINDS {
        if rest.is_empty() || rest.iter().any(|wanted| wanted == name) {
            println!("{name}");
            make(&bench)?;
        }
    }
    Ok(())
}

/// Every fixture model: written, converted, quantized eight times, summarised.
fn models(workbench: &Workbench) -> Result {
    let dir = workbench.folder("fixtures")?;
    let intermediate = |model: &Model| dir.join(format!("{}.gguf", model.name));
    let mut jobs = Vec::new();
    for model in fixture_models::all() {
        let folder = fixture_models::write(model.name, &dir)?;
        let outtype = model.lossless_outtype();
        let pre = model.pre.map(Into::into);
        jobs.push(Conversion { folder, out: intermediate(model), outtype: outtype.into(), pre });
    }
    println!("convert_hf_to_gguf: {} models", jobs.len());
    let mut made_by: BTreeMap<String, String> = workbench.convert(&jobs)?;
    made_by.insert("llama_model_quantize".to_owned(), locked("llama-cpp-sys-2")?);

    let quantized = |model: &Model, ty: &str| -> PathBuf { dir.join(format!("{}.{ty}.gguf", model.name)) };
    println!("llama_model_quantize: {} files", jobs.len() * FILE_TYPES.len());
    for model in fixture_models::all() {
        let peer = ["run", "--quiet", "--release", "-p", "peer", "--example", "quantize", "--"];
        let mut quantize = cargo(&peer);
        quantize.arg(intermediate(model));
        for (ty, id) in FILE_TYPES.iter().zip(IDS) {
            quantize.arg(id.to_string()).arg(quantized(model, ty));
        }
        shell::run(&mut quantize)?;
    }

    for model in fixture_models::all() {
        let files = FILE_TYPES.iter().map(|ty| Summary::read(quantized(model, ty)));
        let files: Vec<Summary> = files.collect::<std::result::Result<_, _>>()?;
        let mut note = format!("convert_hf_to_gguf --outtype {}", model.lossless_outtype());
        if let Some(pre) = model.pre {
            note.push_str(&format!(
                ", its look-up of the tokenizer's hash replaced by the answer {pre:?} (the vocabulary is cut down, so \
                 its hash is no known one)"
            ));
        }
        note.push_str("; then llama_model_quantize to each file type");
        fixture_models::store(model.name, &files, made_by.clone(), &note)?;
        println!("golden/{}.json", model.name);
    }
    Ok(())
}

/// A package with its version in the lock file.
fn locked(name: &str) -> std::result::Result<String, Error> {
    let path = root().join("Cargo.lock");
    let text =
        std::fs::read_to_string(&path).map_err(|e| Error::Failed(format!("{}: {e}", path.display())))?;
    let mut lines = text.lines().skip_while(|l| *l != format!("name = \"{name}\""));
    let version = lines.nth(1).and_then(|l| l.strip_prefix("version = \"")?.strip_suffix('"'));
    let version = version.ok_or_else(|| Error::Failed(format!("Cargo.lock has no {name}")))?;
    Ok(format!("{name} {version}"))
}
