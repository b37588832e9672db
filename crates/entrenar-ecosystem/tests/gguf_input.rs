//! GGUF files as input.

use std::fs;
use std::path::{Path, PathBuf};

use entrenar_ecosystem::{CheckpointLimits, GgufExportError, GgufExporter, GgufLimits, QuantizationType};
use fixture_models::Summary;
use gguf_format::{
    GgmlType, GgufFile, GgufSet, Layout, Metadata, TensorSpec, Value, can_swap_byte_order, shard_file_name,
    swap_byte_order,
};

/// A fixture model as F32, in one file.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn as_f32(model: &str, folder: &Path) -> PathBuf {
    let checkpoint = fixture_models::write(model, folder).unwrap();
    let file = folder.join(format!("{model}-F32.gguf"));
    GgufExporter::new(QuantizationType::F32).export(&checkpoint, &file).unwrap();
    file
}

#[test]
fn a_file_gives_what_its_checkpoint_gives() {
    let work = tempfile::tempdir().unwrap();
    for model in fixture_models::all() {
        let file = as_f32(model.name, work.path());
        let output = work.path().join("out.gguf");
        for quantization in fixture_models::FILE_TYPES {
            let quantization = QuantizationType::parse(quantization).unwrap();
            GgufExporter::new(quantization).export(&file, &output).unwrap();
            let golden = fixture_models::golden(model.name, quantization.as_str()).unwrap();
            let differences = golden.differences(&Summary::read(&output).unwrap());
            assert!(differences.is_empty(), "{} as {quantization}:\n{}", model.name, differences.join("\n"));
        }
    }
}

/// Writes a file with other metadata, split over so many files, in the byte order of big machines or of small ones.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn rewrite(from: &Path, extra: &[(&str, Value)], shards: u16, big: bool, to: &Path) -> PathBuf {
    let set = GgufSet::open(from).unwrap();
    let tensors: Vec<_> = set.tensors().collect();
    let per_shard = tensors.len().div_ceil(usize::from(shards));
    let mut first = None;
    for (number, part) in (0..shards).zip(tensors.chunks(per_shard)) {
        let mut metadata = if number == 0 { set.to_metadata() } else { Metadata::new() };
        for (key, value) in extra {
            metadata.insert(*key, value.clone());
        }
        if shards > 1 {
            metadata.insert("split.no", Value::U16(number));
            metadata.insert("split.count", Value::U16(shards));
            metadata.insert("split.tensors.count", Value::I32(tensors.len() as i32));
        }
        let specs: Vec<TensorSpec> = part.iter().map(|t| t.tensor.to_spec()).collect();
        let layout = Layout::new(metadata, specs).unwrap();
        let mut bytes = if big { big_header(&layout) } else { layout.header() };
        for (placed, found) in layout.tensors().iter().zip(part) {
            let mut data = vec![0; found.tensor.byte_len() as usize];
            set.files()[found.shard].read_tensor_at(found.tensor.index(), 0, &mut data).unwrap();
            if big {
                assert!(swap_byte_order(found.tensor.ty(), &mut data));
            }
            bytes.resize(placed.offset() as usize, 0);
            bytes.extend(data);
        }
        bytes.resize(layout.file_len() as usize, 0);
        let path = if shards > 1 {
            to.join(shard_file_name("model", number, shards))
        } else {
            to.join("model.gguf")
        };
        fs::write(&path, bytes).unwrap();
        first.get_or_insert(path);
    }
    first.unwrap()
}

/// A header as a big-endian machine writes it: by the specification, value by value.
#[expect(clippy::panic, reason = "a helper of tests, which no other value reaches")]
fn big_header(layout: &Layout) -> Vec<u8> {
    fn text(out: &mut Vec<u8>, text: &[u8]) {
        out.extend((text.len() as u64).to_be_bytes());
        out.extend(text);
    }
    fn value(out: &mut Vec<u8>, value: &Value) {
        use gguf_format::Array;
        match value {
            Value::U16(n) => out.extend(n.to_be_bytes()),
            Value::U32(n) => out.extend(n.to_be_bytes()),
            Value::I32(n) => out.extend(n.to_be_bytes()),
            Value::F32(n) => out.extend(n.to_be_bytes()),
            Value::Bool(b) => out.push(u8::from(*b)),
            Value::String(s) => text(out, s.as_bytes()),
            Value::Array(array) => {
                out.extend((array.element_type() as u32).to_be_bytes());
                out.extend((array.len() as u64).to_be_bytes());
                match array {
                    Array::String(list) => list.iter().for_each(|s| text(out, s.as_bytes())),
                    Array::F32(list) => list.iter().for_each(|n| out.extend(n.to_be_bytes())),
                    Array::I32(list) => list.iter().for_each(|n| out.extend(n.to_be_bytes())),
                    other => panic!("{other:?}"),
                }
            }
            other => panic!("{other:?}"),
        }
    }
    let mut out = b"GGUF".to_vec();
    out.extend(3u32.to_be_bytes());
    out.extend((layout.tensors().len() as u64).to_be_bytes());
    out.extend((layout.metadata().len() as u64).to_be_bytes());
    for (key, found) in layout.metadata().iter() {
        text(&mut out, key.as_bytes());
        out.extend((found.value_type() as u32).to_be_bytes());
        value(&mut out, found);
    }
    for tensor in layout.tensors() {
        let spec = tensor.spec();
        text(&mut out, spec.name.as_bytes());
        out.extend((spec.dims.as_slice().len() as u32).to_be_bytes());
        spec.dims.as_slice().iter().for_each(|dim| out.extend(dim.to_be_bytes()));
        out.extend(spec.ty.id().to_be_bytes());
        out.extend((tensor.offset() - layout.data_start()).to_be_bytes());
    }
    out
}

#[test]
fn shards_and_big_endian_files_give_the_same_file() {
    let work = tempfile::tempdir().unwrap();
    let file = as_f32("llama", work.path());
    let exporter = GgufExporter::new(QuantizationType::Q4KM);
    let plain = work.path().join("plain.gguf");
    exporter.export(&file, &plain).unwrap();
    for (shards, big) in [(3, false), (1, true), (2, true)] {
        let folder = work.path().join(format!("{shards}-{big}"));
        fs::create_dir(&folder).unwrap();
        let input = rewrite(&file, &[], shards, big, &folder);
        let output = folder.join("out.gguf");
        exporter.export(&input, &output).unwrap();
        assert_eq!(fs::read(&output).unwrap(), fs::read(&plain).unwrap(), "{shards} shards, big: {big}");
    }
    assert!(can_swap_byte_order(GgmlType::F32));
}

#[test]
fn a_missing_or_truncated_shard_is_refused_and_the_old_output_stays() {
    let work = tempfile::tempdir().unwrap();
    let file = as_f32("llama", work.path());
    let input = rewrite(&file, &[], 3, false, work.path());
    let output = work.path().join("out.gguf");
    fs::write(&output, b"old").unwrap();
    let exporter = GgufExporter::new(QuantizationType::Q4KM);
    let second = work.path().join(shard_file_name("model", 1, 3));
    let whole = fs::read(&second).unwrap();

    fs::write(&second, &whole[..whole.len() - 100]).unwrap();
    let error = exporter.export(&input, &output).unwrap_err();
    assert!(matches!(error, GgufExportError::Gguf(_)), "{error:?}");
    assert!(error.to_string().contains("model-00002-of-00003.gguf"), "{error}");

    fs::remove_file(&second).unwrap();
    let error = exporter.export(&input, &output).unwrap_err();
    assert!(error.to_string().contains("model-00002-of-00003.gguf"), "{error}");
    assert_eq!(fs::read(&output).unwrap(), b"old");
}

#[test]
fn another_alignment_is_kept_and_metadata_too() {
    let work = tempfile::tempdir().unwrap();
    let file = as_f32("llama", work.path());
    let extra = [("general.alignment", Value::U32(64)), ("my.key", Value::from("a\0b"))];
    let input = rewrite(&file, &extra, 1, false, work.path());
    let output = work.path().join("out.gguf");
    GgufExporter::new(QuantizationType::Q4KM).export(&input, &output).unwrap();
    let written = GgufFile::open(&output).unwrap();
    assert_eq!(written.header().alignment(), 64);
    assert!(written.tensors().iter().all(|tensor| tensor.offset() % 64 == 0));
    assert_eq!(written.metadata().to_metadata().get("my.key"), Some(&Value::from("a\0b")));
}

#[test]
fn the_output_cannot_be_the_input_or_a_shard_of_it() {
    let work = tempfile::tempdir().unwrap();
    let file = as_f32("llama", work.path());
    let input = rewrite(&file, &[], 3, false, work.path());
    let before = fs::read(&file).unwrap();
    let exporter = GgufExporter::new(QuantizationType::Q4KM);
    for (input, output) in [(&file, file.clone()), (&input, work.path().join(shard_file_name("model", 2, 3)))]
    {
        let error = exporter.export(input, output).unwrap_err();
        assert!(matches!(error, GgufExportError::OutputIsInput(_)), "{error:?}");
    }
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn limits_are_those_that_were_set() {
    let folder = tempfile::tempdir().unwrap();
    let model = fixture_models::write("llama", folder.path()).unwrap();
    let whole = folder.path().join("whole.gguf");
    let exporter = GgufExporter::new(QuantizationType::Q80);
    exporter.export(&model, &whole).unwrap();

    let settings = fs::metadata(model.join("config.json")).unwrap().len();
    let strict =
        exporter.clone().with_checkpoint_limits(CheckpointLimits::new().with_settings_bytes(settings - 1));
    let error = strict.plan(&model).unwrap_err().to_string();
    assert!(error.ends_with(&format!("expected at most {} of such a file", settings - 1)), "{error}");
    assert!(strict.plan(&whole).is_ok());

    let strict = exporter.with_gguf_limits(GgufLimits::new().with_pairs(3));
    let error = strict.plan(&whole).unwrap_err().to_string();
    assert!(error.contains("the limit is 3: raise Limits::pairs"), "{error}");
    assert!(strict.plan(&model).is_ok());
}
