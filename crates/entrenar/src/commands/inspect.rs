//! `entrenar inspect`: what a GGUF file holds.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args as ClapArgs;
use entrenar::ecosystem::{TemplateFinding, TemplateLevel, lint_templates};
use gguf_format::{Array, ByteOrder, GgmlType, Gguf, GgufSet, Metadata, Value};
use serde_json::{Map, Value as Json, json};

use super::Failure;
use crate::{json, text};

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// A GGUF file; of a split set, any one
    file: PathBuf,

    /// List the tensors
    #[arg(long)]
    tensors: bool,

    /// Everything as JSON, arrays whole
    #[arg(long)]
    json: bool,
}

/// Width of a line on the terminal.
const WIDTH: usize = 100;

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let set = GgufSet::open(&args.file)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    if args.json {
        json::write(&mut out, &as_json(&set))?;
    } else {
        summary(&set, &mut out)?;
        let metadata = set.to_metadata();
        print_metadata(&metadata, &mut out)?;
        print_findings(&lint_templates(&metadata), &mut out)?;
        if args.tensors {
            tensors(&set, &mut out)?;
        }
    }
    out.flush()?;
    Ok(())
}

fn byte_order(header: &Gguf<'_>) -> &'static str {
    match header.byte_order() {
        ByteOrder::Little => "little-endian",
        ByteOrder::Big => "big-endian",
    }
}

/// Tensors and bytes of each type.
fn by_type(set: &GgufSet) -> BTreeMap<GgmlType, (usize, u64)> {
    let mut types = BTreeMap::new();
    for tensor in set.tensors() {
        let (count, bytes) = types.entry(tensor.tensor.ty()).or_insert((0, 0));
        *count += 1;
        *bytes += tensor.tensor.byte_len();
    }
    types
}

fn weights(set: &GgufSet) -> u64 {
    set.tensors().map(|tensor| tensor.tensor.dims().elements()).sum()
}

fn summary(set: &GgufSet, out: &mut impl Write) -> io::Result<()> {
    for file in set.files() {
        let header = file.header();
        writeln!(
            out,
            "{}: GGUF version {}, {}, {} ({} bytes)",
            text::path(file.path()),
            header.version(),
            byte_order(header),
            text::bytes(header.file_len()),
            header.file_len(),
        )?;
    }
    let weights = weights(set);
    let types = by_type(set);
    let bytes: u64 = types.values().map(|(_, bytes)| bytes).sum();
    let bits = bytes as f64 * 8.0 / weights.max(1) as f64;
    let (count, grouped) = (set.tensor_count(), text::grouped(weights));
    writeln!(out, "{count} tensors, {grouped} weights, {bits:.2} bits per weight")?;
    for (ty, (count, bytes)) in types {
        writeln!(out, "  {:<8} {count:>5} tensors {:>10}", ty.name(), text::bytes(bytes))?;
    }
    Ok(())
}

fn print_metadata(metadata: &Metadata, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n{} metadata keys", metadata.len())?;
    for (key, value) in metadata.iter() {
        let key = text::escape(key);
        let shown = match value {
            Value::Array(array) => preview(array),
            other => scalar(other),
        };
        let line = format!("  {key:<40} {:<9} {shown}", type_name(value));
        writeln!(out, "{}", text::shorten(&line, WIDTH))?;
    }
    Ok(())
}

/// What is in chat templates, the dangers first.
fn print_findings(findings: &[TemplateFinding], out: &mut impl Write) -> io::Result<()> {
    const SHOWN: usize = 20;
    if findings.is_empty() {
        return Ok(());
    }
    let of = |level| findings.iter().filter(move |finding| finding.level == level);
    let (dangers, notes) = (of(TemplateLevel::Danger), of(TemplateLevel::Note));
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let counts =
        format!("{}, {}", count(dangers.clone().count(), "danger"), count(notes.clone().count(), "note"));
    writeln!(out, "\nchat templates: {counts}")?;
    for finding in dangers.chain(notes).take(SHOWN) {
        writeln!(out, "  {}", text::shorten(&text::escape(&finding.to_string()), WIDTH - 2))?;
    }
    if let Some(more) = findings.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        writeln!(out, "  and {more} more (--json has them)")?;
    }
    Ok(())
}

fn tensors(set: &GgufSet, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n{:<50} {:>24}  {:<7} {:>10}", "tensor", "dimensions", "type", "size")?;
    for tensor in set.tensors() {
        let info = tensor.tensor;
        let name = text::shorten(&text::escape(info.name()), 50);
        let dims = text::dims(info.dims().as_slice());
        writeln!(out, "{name:<50} {dims:>24}  {:<7} {:>10}", info.ty().name(), text::bytes(info.byte_len()))?;
    }
    Ok(())
}

fn type_name(value: &Value) -> String {
    match value {
        Value::Array(array) => format!("[{}]", array.element_type()),
        other => other.value_type().to_string(),
    }
}

/// A value that is not an array, in one line that is safe to show.
fn scalar(value: &Value) -> String {
    match value {
        Value::U8(v) => v.to_string(),
        Value::I8(v) => v.to_string(),
        Value::U16(v) => v.to_string(),
        Value::I16(v) => v.to_string(),
        Value::U32(v) => v.to_string(),
        Value::I32(v) => v.to_string(),
        Value::U64(v) => v.to_string(),
        Value::I64(v) => v.to_string(),
        Value::F32(v) => format!("{v:?}"),
        Value::F64(v) => format!("{v:?}"),
        Value::Bool(v) => v.to_string(),
        // No more than can be shown: a chat template or a licence may be long.
        Value::String(v) => text::escape(&text::shorten(&v.to_string(), WIDTH)),
        Value::Array(array) => preview(array),
    }
}

/// The length of an array and its first elements.
fn preview(array: &Array) -> String {
    const SHOWN: usize = 8;
    let first: Vec<String> = elements(array).take(SHOWN).map(|v| scalar(&v)).collect();
    let more = if array.len() > SHOWN { ", …" } else { "" };
    format!("{}: {}{more}", array.len(), first.join(", "))
}

/// The elements of an array, one by one.
fn elements(array: &Array) -> Box<dyn Iterator<Item = Value> + '_> {
    macro_rules! each {
        ($($variant:ident),*) => {
            match array {
                $(Array::$variant(v) => Box::new(v.iter().copied().map(Value::from)),)*
                Array::String(v) => Box::new(v.iter().cloned().map(Value::from)),
                Array::Array(v) => Box::new(v.iter().cloned().map(Value::from)),
            }
        };
    }
    each!(U8, I8, U16, I16, U32, I32, U64, I64, F32, F64, Bool)
}

fn as_json(set: &GgufSet) -> Json {
    let mut pairs = Map::new();
    let metadata = set.to_metadata();
    for (key, value) in metadata.iter() {
        pairs.insert(key.to_owned(), json!({ "type": type_name(value), "value": json_value(value) }));
    }
    let files: Vec<Json> = set
        .files()
        .iter()
        .map(|file| {
            let header = file.header();
            json!({
                "path": json::path(file.path()),
                "version": header.version(),
                "byte_order": byte_order(header),
                "alignment": header.alignment(),
                "data_start": header.data_start(),
                "bytes": header.file_len(),
            })
        })
        .collect();
    let tensors: Vec<Json> = set
        .tensors()
        .map(|tensor| {
            let info = tensor.tensor;
            json!({
                "name": info.name(),
                "dims": info.dims().as_slice(),
                "type": info.ty().name(),
                "shard": tensor.shard,
                "offset": info.offset(),
                "bytes": info.byte_len(),
            })
        })
        .collect();
    let findings = lint_templates(&metadata);
    json!({
        "files": files,
        "weights": weights(set),
        "metadata": pairs,
        "tensors": tensors,
        "template_findings": findings,
    })
}

fn json_value(value: &Value) -> Json {
    match value {
        // JSON has no NaN and no infinities: they are given as text.
        Value::F32(v) if !v.is_finite() => json!(v.to_string()),
        Value::F64(v) if !v.is_finite() => json!(v.to_string()),
        // The shortest decimal of the f32, not of the f64 that it is widened to.
        Value::F32(v) => json!(v.to_string().parse::<f64>().unwrap_or(f64::from(*v))),
        Value::F64(v) => json!(v),
        Value::U8(v) => json!(v),
        Value::I8(v) => json!(v),
        Value::U16(v) => json!(v),
        Value::I16(v) => json!(v),
        Value::U32(v) => json!(v),
        Value::I32(v) => json!(v),
        Value::U64(v) => json!(v),
        Value::I64(v) => json!(v),
        Value::Bool(v) => json!(v),
        Value::String(v) => json!(v.to_string()),
        Value::Array(array) => elements(array).map(|v| json_value(&v)).collect(),
    }
}
