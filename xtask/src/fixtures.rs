//! Golden files, made again from the peers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fixture_models::{Conversion, FILE_TYPES, Model, Summary, Workbench};

use crate::shell::{self, Error, Result, cargo, root};

/// The numbers of `general.file_type`, in the order of [`FILE_TYPES`] (llama.h, `llama_ftype`).
const IDS: [u32; 8] = [0, 1, 7, 18, 17, 15, 12, 10];

/// The golden files that no Python script makes.
const OWN: [&str; 2] = ["models", "kernels"];

/// Makes those that are named, or all.
pub(crate) fn run(rest: &[String]) -> Result {
    let workbench = Workbench::new();
    let wanted = |name: &str| rest.is_empty() || rest.iter().any(|r| r == name);
    let scripts = scripts()?;
    let known = |name: &String| OWN.contains(&name.as_str()) || scripts.contains(name);
    if let Some(unknown) = rest.iter().find(|name| !known(name)) {
        let all = [OWN.join(", "), scripts.join(", ")].join(", ");
        return Err(Error::Usage(format!("no fixtures {unknown:?}; there are {all}")));
    }
    if wanted("models") {
        models(&workbench)?;
    }
    if wanted("kernels") {
        println!("kernels");
        shell::run(&mut cargo(&["run", "--quiet", "--release", "-p", "conformance", "--", "kernel-golden"]))?;
    }
    for name in scripts.iter().filter(|name| wanted(name)) {
        println!("{name}");
        let mut command = workbench.python(&format!("{name}_golden.py"))?;
        let (_, llama_cpp) = workbench.converter()?;
        shell::run(command.current_dir(root()).env("LLAMA_CPP", llama_cpp))?;
    }
    Ok(())
}

/// `X` for every scripts/X_golden.py.
fn scripts() -> std::result::Result<Vec<String>, Error> {
    let dir = root().join("conformance/scripts");
    let entries = std::fs::read_dir(&dir).map_err(|e| Error::Failed(format!("{}: {e}", dir.display())))?;
    let mut names: Vec<String> = entries
        .filter_map(|e| Some(e.ok()?.file_name().to_str()?.strip_suffix("_golden.py")?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// Every fixture model: written, converted, quantized eight times, summarised.
fn models(workbench: &Workbench) -> Result {
    let dir = workbench.folder("fixtures")?;
    let intermediate = |model: &Model| dir.join(format!("{}.gguf", model.name));
    let mut jobs = Vec::new();
    for model in fixture_models::all() {
        let folder = fixture_models::write(model.name, &dir)?;
        let outtype = model.lossless_outtype();
        jobs.push(Conversion { folder, out: intermediate(model), outtype, pre: model.pre });
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
