//! `entrenar export`: a Hugging Face folder, or a GGUF file, becomes a GGUF file.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args as ClapArgs;
use entrenar::ecosystem::{
    Cancel, Existing, ExperimentProvenance, ExportPlan, GeneralMetadata, GgufExportResult, GgufExporter,
    MetadataFile, QuantizationType, Shards,
};
use serde_json::json;

use super::Failure;
use super::naming::default_output;
use super::sharding::Sharding;
use super::tuning::Tuning;
use crate::ui::{self, Meter};
use crate::{json, text};

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// A Hugging Face folder, an adapter's folder, a `*.safetensors.index.json`, a `.safetensors` or a `.gguf` file (of shards, any)
    input: PathBuf,

    /// The file to write [default: the folder's name and the type, in the current folder]; of shards, how their names
    /// begin
    output: Option<PathBuf>,

    /// A file type as llama-quantize names it (Q4_K_M, Q8_0, IQ3_S, F16 …), or COPY to keep all types [default:
    /// Q4_K_M; of an adapter F32]
    #[arg(short, long, value_name = "TYPE", value_parser = quantization)]
    quant: Option<QuantizationType>,

    /// Worker threads [default: one a processor]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Print the plan (every tensor's type, the exact size) and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Replace the output if it exists
    #[arg(long)]
    force: bool,

    /// Accept NaN and infinity, and do not check the encoded weights
    #[arg(long)]
    no_validate: bool,

    /// Keep the checkpoint's own tensor names; for architectures that are not known
    #[arg(long)]
    raw: bool,

    /// Merge a LoRA adapter (a folder of peft's) while exporting; SCALE is multiplied with its own; may be given several times,
    /// merged in this order
    #[arg(long, value_name = "DIR[=SCALE]", value_parser = lora)]
    lora: Vec<(PathBuf, f64)>,

    /// Make an adapter file of the input, a LoRA adapter (a folder of peft's) for the model in DIR, whose config.json is read
    #[arg(long, value_name = "DIR", conflicts_with_all = ["lora", "raw"])]
    base: Option<PathBuf>,

    /// The model's name [default: from the folder]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,

    /// Who made the model
    #[arg(long, value_name = "TEXT")]
    author: Option<String>,

    /// What the model is
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Its licence, an SPDX identifier such as Apache-2.0
    #[arg(long, value_name = "SPDX")]
    license: Option<String>,

    /// A JSON file of metadata that go over the model's own: as convert_hf_to_gguf takes it, and any other key; the flags
    /// above go over the file
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,

    /// A JSON file that describes the experiment: experiment_id, run_id, metrics, …
    #[arg(long, value_name = "FILE")]
    provenance: Option<PathBuf>,

    /// The pre-tokenizer's name, one that llama.cpp has [default: recognised from the tokenizer]
    #[arg(long, value_name = "NAME")]
    pre: Option<String>,

    /// Results as JSON on standard output
    #[arg(long)]
    json: bool,

    /// Say more: the tokenizer that was found, and the rule by which the pre-tokenizer was recognised
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,

    /// No progress and no notes
    #[arg(long)]
    quiet: bool,

    // Last, because a heading holds for all that follows.
    #[command(flatten)]
    tuning: Tuning,

    #[command(flatten)]
    sharding: Sharding,

    /// Write the shards that the input has: a GGUF model
    #[arg(long, help_heading = "Shards", conflicts_with_all = ["split_max_size", "split_max_tensors",
        "no_tensor_first_split"])]
    keep_split: bool,
}

impl Args {
    /// The type that is asked for.
    fn quant(&self) -> QuantizationType {
        let usual = if self.base.is_some() { QuantizationType::F32 } else { QuantizationType::Q4KM };
        self.quant.unwrap_or(usual)
    }
}

fn quantization(name: &str) -> Result<QuantizationType, String> {
    name.parse().map_err(|e: entrenar::ecosystem::GgufExportError| e.to_string())
}

/// `DIR` or `DIR=SCALE`; a folder that is there is one, whatever its name has in it.
fn lora(text: &str) -> Result<(PathBuf, f64), String> {
    match text.rsplit_once('=') {
        Some((folder, scale)) if !Path::new(text).is_dir() => match scale.parse::<f64>() {
            Ok(scale) if scale.is_finite() => Ok((folder.into(), scale)),
            _ => Err(format!("{scale:?} is no finite number")),
        },
        _ => Ok((text.into(), 1.0)),
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let exporter = exporter(args)?;
    let plan = exporter.plan(&args.input)?;
    if args.verbose {
        for detail in plan.details() {
            ui::say("info", detail);
        }
    }
    if !args.quiet {
        ui::say_notes(plan.notes());
    }
    if args.dry_run {
        return print_plan(&plan, args.json);
    }
    let output = match &args.output {
        Some(output) => output.clone(),
        None => default_output(&args.input, args.quant())?,
    };
    let cancel = Arc::new(Cancel::new());
    let on_signal = Arc::clone(&cancel);
    ctrlc::set_handler(move || on_signal.cancel())?;

    let meter = Meter::new(args.quiet);
    let written = exporter.write(&plan, &output, &meter, Some(&cancel));
    meter.clear();
    print_result(&plan, &written?, args.json)
}

/// The exporter that the flags describe.
fn exporter(args: &Args) -> Result<GgufExporter, Failure> {
    let mut exporter = args.tuning.exporter(args.quant())?.with_existing(if args.force {
        Existing::Replace
    } else {
        Existing::Keep
    });
    if args.keep_split {
        exporter = exporter.with_shards(Shards::AsInput);
    } else if args.sharding.is_given() {
        exporter = exporter.with_shards(Shards::Rule(args.sharding.rule()));
    }
    if let Some(threads) = args.threads {
        exporter = exporter.with_threads(threads.into());
    }
    for (folder, scale) in &args.lora {
        exporter = exporter.with_lora(folder, *scale);
    }
    if let Some(base) = &args.base {
        exporter = exporter.with_adapter_base(base);
    }
    if args.no_validate {
        exporter = exporter.without_validation();
    }
    if args.raw {
        exporter = exporter.with_raw_names();
    }
    if let Some(pre) = &args.pre {
        exporter = exporter.with_pre_tokenizer(pre);
    }
    if let Some(name) = &args.name {
        exporter = exporter.with_model_name(name);
    }
    if args.author.is_some() || args.description.is_some() || args.license.is_some() {
        let mut general = GeneralMetadata::default();
        if let Some(author) = &args.author {
            general = general.with_author(author);
        }
        if let Some(description) = &args.description {
            general = general.with_description(description);
        }
        if let Some(license) = &args.license {
            general = general.with_license(license);
        }
        exporter = exporter.with_general(general);
    }
    if let Some(path) = &args.metadata {
        exporter = exporter.with_metadata_file(metadata_file(path, args)?);
    }
    if let Some(path) = &args.provenance {
        exporter = exporter.with_provenance(read_provenance(path)?);
    }
    Ok(exporter)
}

/// The file, without the keys that have a flag of their own on the command line.
fn metadata_file(path: &Path, args: &Args) -> Result<MetadataFile, Failure> {
    let file = MetadataFile::open(path)?;
    let flags = [
        ("general.name", &args.name),
        ("general.author", &args.author),
        ("general.description", &args.description),
        ("general.license", &args.license),
    ];
    Ok(flags.iter().filter(|(_, flag)| flag.is_some()).fold(file, |file, (key, _)| file.without(key)))
}

fn read_provenance(path: &Path) -> Result<ExperimentProvenance, Failure> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()).into())
}

fn print_plan(plan: &ExportPlan, as_json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if as_json {
        json::write(&mut out, &plan.summary())?;
        return Ok(());
    }
    writeln!(out, "{:<44} {:>22}  {:<5} {:<7} {:>10}", "tensor", "dimensions", "from", "to", "bytes")?;
    for tensor in plan.tensors() {
        let name = text::shorten(&text::escape(&tensor.name), 44);
        let dims = text::dims(tensor.dims.as_slice());
        let (from, to) = (tensor.element, tensor.ty);
        writeln!(out, "{name:<44} {dims:>22}  {from:<5} {to:<7} {:>10}", text::bytes(tensor.bytes))?;
    }
    writeln!(
        out,
        "{} tensors, {} weights, {:.2} bits per weight, {} bytes ({})",
        plan.tensors().len(),
        text::grouped(plan.weights()),
        plan.bits_per_weight(),
        plan.file_len(),
        text::bytes(plan.file_len()),
    )?;
    for (number, file) in plan.files().iter().enumerate().filter(|_| plan.files().len() > 1) {
        let (count, bytes) = (file.tensors().len(), file.len());
        writeln!(out, "shard {:05}: {count} tensors, {bytes} bytes ({})", number + 1, text::bytes(bytes))?;
    }
    Ok(())
}

fn print_result(plan: &ExportPlan, result: &GgufExportResult, as_json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let seconds = result.report.elapsed.as_secs_f64();
    if as_json {
        let value = json!({
            "output": json::path(&result.output_path),
            "files": result.report.files,
            "quantization": result.quantization,
            "metadata_keys": result.metadata_keys,
            "bytes": result.estimated_size_bytes,
            "bits_per_weight": plan.bits_per_weight(),
            "seconds": seconds,
            "notes": plan.notes(),
            "tensors": result.report.tensors,
        });
        json::write(&mut out, &value)?;
        return Ok(());
    }
    let files = &result.report.files;
    for file in files.iter().filter(|_| files.len() > 1) {
        let (path, bytes) = (text::path(&file.path), text::bytes(file.bytes));
        writeln!(out, "{path}: {} tensors, {bytes}", file.tensors)?;
    }
    writeln!(
        out,
        "{}: {}, {}, {} tensors, {:.2} bits per weight, {seconds:.1} s",
        text::path(&result.output_path),
        result.quantization,
        text::bytes(result.estimated_size_bytes),
        result.report.tensors.len(),
        plan.bits_per_weight(),
    )?;
    Ok(())
}
