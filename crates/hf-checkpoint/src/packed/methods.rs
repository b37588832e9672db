//! The methods: which tensors of a checkpoint make a weight.

use safetensors::Dtype;
use serde_json::Value;

use super::Plan;
use super::columns::{Columns, Packing};
use super::fp4::{Fp4, Scale};
use super::grouped::Grouped;
use super::scaled::Scaled;
use super::ternary::Ternary;
use crate::error::Error;

/// What a method's reader says: the inner error is a form of the method that is not read.
type Outcome = Result<Result<(), String>, Error>;

/// The reader of a method.
type Reader = fn(&mut Plan<'_>) -> Outcome;

/// `quant_method` and who reads it.
pub(super) const METHODS: &[(&str, Reader)] = &[
    ("awq", awq),
    ("bitnet", bitnet),
    ("compressed-tensors", compressed),
    ("fp8", fp8),
    ("gptq", gptq),
    ("modelopt", modelopt),
    ("mxfp4", mxfp4),
];

/// The types that scales have.
pub(super) const SCALES: &[Dtype] = &[Dtype::F16, Dtype::BF16, Dtype::F32];
const EIGHT_BITS: &[Dtype] = &[Dtype::F8_E4M3, Dtype::F8_E5M2, Dtype::I8];
/// Scales of activations and of the key-value cache.
const ACTIVATIONS: &[&str] = &[
    ".activation_scale",
    "_activation_scale",
    ".input_scale",
    ".input_zero_point",
    ".input_global_scale",
    ".output_scale",
    ".k_scale",
    ".v_scale",
    ".q_scale",
    ".qscale_act",
];

fn fp8(plan: &mut Plan<'_>) -> Outcome {
    let block = match sizes("weight_block_size", plan.quantization.get("weight_block_size")) {
        Ok(block) => block,
        Err(form) => return Ok(Err(form)),
    };
    plan.leave_out(ACTIVATIONS);
    for suffix in ["_scale_inv", "weight_scale", "qscale_weight"] {
        for stem in plan.stems(suffix) {
            let weight = if suffix == "_scale_inv" { stem.clone() } else { format!("{stem}weight") };
            scaled(plan, weight, &format!("{stem}{suffix}"), &block);
        }
    }
    Ok(Ok(()))
}

fn modelopt(plan: &mut Plan<'_>) -> Outcome {
    plan.leave_out(ACTIVATIONS);
    for stem in plan.stems(".weight_scale") {
        let (weight, scale) = (format!("{stem}.weight"), format!("{stem}.weight_scale"));
        match plan.tensors.get(weight.as_str()).map(|s| s.entry.dtype) {
            Some(Dtype::U8) => {
                let all = match plan.optional(&format!("{stem}.weight_scale_2")) {
                    Some(part) => plan.number(&part)?,
                    None => Some(1.0),
                };
                let Some(all) = all else { continue };
                fp4(plan, &weight, &scale, weight.clone(), Scale::Nv(all));
            }
            Some(_) => scaled(plan, weight, &scale, &[]),
            // The scale of something else, as the converter takes it.
            None => plan.leave_out(&[&scale]),
        }
    }
    Ok(Ok(()))
}

/// A weight of eight bits and its scales.
fn scaled(plan: &mut Plan<'_>, weight: String, scale: &str, block: &[u64]) {
    let (Some(codes), Some(scales)) = (plan.needed(&weight), plan.needed(scale)) else { return };
    for (part, dtypes) in [(&codes, EIGHT_BITS), (&scales, SCALES)] {
        if !plan.expect(part, dtypes, &part.shape) {
            return;
        }
    }
    let shape = codes.shape.clone();
    match Scaled::new(codes, scales, block) {
        Ok(scaled) => plan.make(weight, shape, scaled),
        Err(problem) => plan.problems.push(problem),
    }
}

fn compressed(plan: &mut Plan<'_>) -> Outcome {
    let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).map(str::to_owned);
    let groups = plan.quantization.get("config_groups").and_then(Value::as_object);
    let groups: Vec<Value> = groups.map(|g| g.values().cloned().collect()).unwrap_or_default();
    let mut format = text(plan.quantization, "format").unwrap_or_default();
    if format == "mixed-precision" {
        let mut formats: Vec<_> = groups.iter().map(|g| text(g, "format").unwrap_or_default()).collect();
        formats.dedup();
        if let [one] = formats.as_slice() {
            format = one.clone();
        }
    }
    let weights = groups.first().and_then(|g| g.get("weights")).cloned().unwrap_or_default();
    let one = groups.len() == 1;
    plan.leave_out(ACTIVATIONS);
    match format.as_str() {
        "float-quantized" | "int-quantized" | "naive-quantized" if one => {
            if weights.get("symmetric") == Some(&Value::Bool(false)) {
                return Ok(Err(format!("format {format} with zero points")));
            }
            let block = match sizes("block_structure", weights.get("block_structure")) {
                Ok(block) => block,
                Err(form) => return Ok(Err(form)),
            };
            for stem in plan.stems(".weight_scale") {
                scaled(plan, format!("{stem}.weight"), &format!("{stem}.weight_scale"), &block);
            }
        }
        "pack-quantized" if one => {
            let bits = weights.get("num_bits").and_then(Value::as_u64).filter(|b| (2..=8).contains(b));
            let Some(bits) = bits else {
                return Ok(Err("pack-quantized with num_bits other than 2 to 8".to_owned()));
            };
            for stem in plan.stems(".weight_packed") {
                grouped(plan, &format!("{stem}.weight"), bits as u32)?;
            }
        }
        "nvfp4-pack-quantized" | "mxfp4-pack-quantized" => {
            for stem in plan.stems(".weight_packed") {
                let name = format!("{stem}.weight");
                let scale = if format.starts_with("mx") {
                    Scale::Mx
                } else {
                    let all = match plan.optional(&format!("{name}_global_scale")) {
                        Some(part) => plan.number(&part)?,
                        None => Some(1.0),
                    };
                    let Some(all) = all else { continue };
                    Scale::Nv(1.0 / all)
                };
                fp4(plan, &format!("{name}_packed"), &format!("{name}_scale"), name.clone(), scale);
            }
        }
        _ => return Ok(Err(format!("format {format:?} with {} config_groups", groups.len()))),
    }
    Ok(Ok(()))
}

/// A weight of compressed-tensors' pack-quantized.
fn grouped(plan: &mut Plan<'_>, name: &str, bits: u32) -> Result<(), Error> {
    let part = |suffix: &str| format!("{name}_{suffix}");
    let zeros = plan.optional(&part("zero_point"));
    let group_of = plan.optional(&part("g_idx"));
    let (codes, scales, shape) =
        (plan.needed(&part("packed")), plan.needed(&part("scale")), plan.needed(&part("shape")));
    let (Some(codes), Some(scales), Some(shape)) = (codes, scales, shape) else { return Ok(()) };
    if !plan.expect(&shape, &[Dtype::I64, Dtype::I32], &[2]) {
        return Ok(());
    }
    let mut bytes = vec![0; shape.dtype.bitsize() / 4];
    shape.bytes(plan.shards, 0, &mut bytes)?;
    let values: Vec<u64> = bytes
        .chunks_exact(shape.dtype.bitsize() / 8)
        .map(|b| b.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
        .collect();
    let &[rows, cols] = values.as_slice() else { return Ok(()) };
    let per_word = u64::from(32 / bits);
    let groups = match *scales.shape {
        _ if scales.elements() == 1 => 1,
        [_, groups] => groups,
        _ => 1,
    };
    let shared = scales.elements() == 1;
    let group = cols.div_ceil(groups.max(1));
    let mut good = plan.expect(&codes, &[Dtype::I32], &[rows, cols.div_ceil(per_word)]);
    if groups == 0 || !cols.is_multiple_of(groups) {
        plan.problems.push(format!("{} has {groups} groups for {cols} columns of {name}", scales.name));
        good = false;
    }
    let expected = if shared { scales.shape.clone() } else { vec![rows, groups] };
    // One scale a row may come without the dimension of groups.
    let expected = if scales.shape == [rows] { vec![rows] } else { expected };
    good &= plan.expect(&scales, SCALES, &expected);
    if let Some(zeros) = &zeros {
        let rows = if shared { 1 } else { rows };
        good &= plan.expect(zeros, &[Dtype::I32], &[rows.div_ceil(per_word), groups]);
    }
    if let Some(index) = &group_of {
        good &= plan.expect(index, &[Dtype::I32], &[cols]);
    }
    // Zeros of a scale for all would be read by rows.
    if shared && zeros.is_some() && rows != 1 {
        plan.problems.push(format!("{name} has a zero point and one scale for all, which is not read"));
        good = false;
    }
    if good {
        let grouped = Grouped { codes, scales, zeros, group_of, bits, group, groups, shared, cols };
        plan.make(name.to_owned(), vec![rows, cols], grouped);
    }
    Ok(())
}

/// A weight of four-bit floats: a matrix of bytes with two elements each, and its scales.
fn fp4(plan: &mut Plan<'_>, codes: &str, scales: &str, name: String, scale: Scale) {
    let (Some(codes), Some(scales)) = (plan.needed(codes), plan.needed(scales)) else { return };
    let Some((rows, bytes)) = codes.matrix() else {
        plan.problems.push(format!("{} is of shape {:?}, expected a matrix", codes.name, codes.shape));
        return;
    };
    let cols = bytes.saturating_mul(2);
    let (good, scale_types): (_, &[Dtype]) = match scale {
        Scale::Mx => (cols % 32 == 0, &[Dtype::U8, Dtype::F8_E8M0]),
        Scale::Nv(_) => (cols % 16 == 0, &[Dtype::F8_E4M3]),
    };
    if !good {
        plan.problems.push(format!("{} has {cols} columns, expected whole groups", codes.name));
    }
    let shape = [rows, cols / scale.group()];
    if plan.expect(&codes, &[Dtype::U8], &[rows, bytes]) && plan.expect(&scales, scale_types, &shape) && good
    {
        plan.make(name, vec![rows, cols], Fp4 { codes, scales, scale, cols, first: 0, step: 1 });
    }
}

/// gpt-oss: experts of four-bit blocks. Gate and up projection lie in alternate rows; the weights that are made are
/// one tensor each with rows as ggml has them, `gate_proj.weight`, `up_proj.weight` and `down_proj.weight`, since
/// the class's own `gate_up_proj` is the transpose, across which no block could be kept whole.
fn mxfp4(plan: &mut Plan<'_>) -> Outcome {
    for stem in plan.stems("_blocks") {
        let codes = plan.needed(&format!("{stem}_blocks"));
        let scales = plan.needed(&format!("{stem}_scales"));
        let (Some(codes), Some(scales)) = (codes, scales) else { continue };
        let &[experts, rows, groups, 16] = codes.shape.as_slice() else {
            let problem =
                format!("{} is of shape {:?}, expected 4 dimensions, the last 16", codes.name, codes.shape);
            plan.problems.push(problem);
            continue;
        };
        let mut good = plan.expect(&codes, &[Dtype::U8], &codes.shape);
        good &= plan.expect(&scales, &[Dtype::U8, Dtype::F8_E8M0], &[experts, rows, groups]);
        let pair = stem.strip_suffix("gate_up_proj");
        if pair.is_some() && !rows.is_multiple_of(2) {
            plan.problems.push(format!("{} has {rows} rows, expected as many of gate and up", codes.name));
            good = false;
        }
        if !good {
            continue;
        }
        let names = match pair {
            Some(stem) => vec![format!("{stem}gate_proj.weight"), format!("{stem}up_proj.weight")],
            None => vec![format!("{stem}.weight")],
        };
        let step = names.len() as u64;
        for (first, name) in (0..).zip(names) {
            let (codes, scales) = (codes.clone(), scales.clone());
            let cols = groups.saturating_mul(32);
            let fp4 = Fp4 { codes, scales, scale: Scale::Mx, cols, first, step };
            plan.make(name, vec![experts, rows / step, cols], fp4);
        }
    }
    Ok(Ok(()))
}

fn bitnet(plan: &mut Plan<'_>) -> Outcome {
    for stem in plan.stems(".weight_scale") {
        let (weight, scale) = (format!("{stem}.weight"), format!("{stem}.weight_scale"));
        let (Some(codes), Some(scale)) = (plan.needed(&weight), plan.needed(&scale)) else { continue };
        let good = plan.expect(&codes, &[Dtype::U8, Dtype::I8], &codes.shape);
        let Some((packed_rows, cols)) = codes.matrix() else {
            plan.problems.push(format!("{weight} is of shape {:?}, expected a matrix", codes.shape));
            continue;
        };
        let Some(rows) = packed_rows.checked_mul(4) else {
            plan.problems.push(format!("{weight} is too large: {:?}", codes.shape));
            continue;
        };
        if let Some(scale) = plan.number(&scale)?
            && good
        {
            plan.make(weight, vec![rows, cols], Ternary { codes, scale, packed_rows, cols });
        }
    }
    Ok(Ok(()))
}

fn gptq(plan: &mut Plan<'_>) -> Outcome {
    let bits = plan.int("bits").unwrap_or(4);
    if ![2, 4, 8].contains(&bits) {
        return Ok(Err(format!("{bits} bits")));
    }
    let dynamic = plan.quantization.get("dynamic").and_then(Value::as_object);
    if dynamic.is_some_and(|d| d.keys().any(|k| !k.starts_with("-:"))) {
        return Ok(Err("`dynamic` gives modules other settings".to_owned()));
    }
    let zero_offset = match plan.quantization.get("checkpoint_format").and_then(Value::as_str) {
        None | Some("gptq") => 1,
        Some("gptq_v2") => 0,
        Some(other) => return Ok(Err(format!("checkpoint_format {other}"))),
    };
    for stem in plan.stems(".qweight") {
        columns(plan, &stem, Packing::Gptq, bits as u32, zero_offset);
    }
    Ok(Ok(()))
}

fn awq(plan: &mut Plan<'_>) -> Outcome {
    let bits = plan.int("bits").or(plan.int("w_bit")).unwrap_or(4);
    let version = plan.quantization.get("version").and_then(Value::as_str).unwrap_or("gemm");
    if bits != 4 || !version.eq_ignore_ascii_case("gemm") {
        return Ok(Err(format!("{bits} bits packed for {version}")));
    }
    for stem in plan.stems(".qweight") {
        columns(plan, &stem, Packing::Awq, 4, 0);
    }
    Ok(Ok(()))
}

/// A weight of GPTQ or AWQ.
fn columns(plan: &mut Plan<'_>, stem: &str, packing: Packing, bits: u32, zero_offset: u32) {
    let codes = plan.needed(&format!("{stem}.qweight"));
    let zeros = plan.needed(&format!("{stem}.qzeros"));
    let scales = plan.needed(&format!("{stem}.scales"));
    let group_of = plan.optional(&format!("{stem}.g_idx"));
    let (Some(codes), Some(zeros), Some(scales)) = (codes, zeros, scales) else { return };
    let per_word = u64::from(32 / bits);
    let (Some((a, b)), Some((groups, _))) = (codes.matrix(), scales.matrix()) else {
        plan.problems.push(format!("{stem}: qweight and scales are no matrices"));
        return;
    };
    let (inputs, outputs) = match packing {
        Packing::Gptq => (a.checked_mul(per_word), Some(b)),
        Packing::Awq => (Some(a), b.checked_mul(per_word)),
    };
    let (Some(inputs), Some(outputs)) = (inputs, outputs) else {
        plan.problems.push(format!("{} is too large: {:?}", codes.name, codes.shape));
        return;
    };
    let mut good = plan.expect(&codes, &[Dtype::I32], &[a, b]);
    good &= plan.expect(&scales, SCALES, &[groups, outputs]);
    good &= plan.expect(&zeros, &[Dtype::I32], &[groups, outputs / per_word]);
    if let Some(index) = &group_of {
        good &= plan.expect(index, &[Dtype::I32], &[inputs]);
    }
    let size = plan.int("group_size").or(plan.int("q_group_size")).unwrap_or(-1);
    let group = u64::try_from(size).ok().filter(|&g| g > 0).unwrap_or(inputs);
    if group_of.is_none() && (group == 0 || inputs.div_ceil(group) != groups) {
        plan.problems.push(format!("{} has {groups} groups, expected {inputs} / {group}", scales.name));
        good = false;
    }
    if !outputs.is_multiple_of(per_word) {
        plan.problems.push(format!("{} has {outputs} outputs, expected whole words of zeros", scales.name));
        good = false;
    }
    if good {
        let columns = Columns {
            packing,
            codes,
            zeros,
            scales,
            group_of,
            bits,
            group,
            groups,
            zero_offset,
            inputs,
            outputs,
        };
        plan.make(format!("{stem}.weight"), vec![outputs, inputs], columns);
    }
}

/// Sizes of a block; none for null. The error is a form that is not read.
fn sizes(key: &str, value: Option<&Value>) -> Result<Vec<u64>, String> {
    let size = |v: &Value| v.as_u64().filter(|size| *size > 0);
    let sizes = match value {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(size).collect(),
        Some(_) => None,
    };
    sizes.ok_or_else(|| format!("{key} that is no list of sizes"))
}
