//! Seeds of targets whose inputs are no files: changes to files, and weights.

use fixture_models::{Dtype, values};
use kquant::GgmlType;

use super::Inputs;
use crate::damage::{Damage, Kind, write};

/// One change of each kind to the first bytes and to the middle of each of so many files.
fn damages(files: u8) -> Vec<(String, Vec<u8>)> {
    let kinds = [Kind::Set, Kind::Insert, Kind::Remove, Kind::CutOff];
    let mut all = Vec::new();
    for file in 0..files {
        for kind in kinds {
            let damage = Damage { kind, file, at: 40 + 60 * u32::from(file), bytes: b"\x019".to_vec() };
            all.push((format!("{kind:?}-{file}").to_lowercase(), write(&damage)));
        }
    }
    all
}

/// Every quantization of the model as it is, and damages.
pub(super) fn export() -> Inputs {
    let types = entrenar_ecosystem::QuantizationType::ALL.len() as u8;
    let whole = (0..types).map(|ty| (format!("whole-{ty:02}"), vec![ty]));
    let damaged = damages(5).into_iter().map(|(name, damage)| (name, [vec![0], damage].concat()));
    whole.chain(damaged).collect()
}

/// Every model as it is, and with damages.
pub(super) fn folder() -> Inputs {
    let whole = (0..20).map(|model| (format!("whole-{model:02}"), vec![model]));
    let damaged = damages(5)
        .into_iter()
        .enumerate()
        .map(|(n, (name, damage))| (name, [vec![n as u8], damage].concat()));
    whole.chain(damaged).collect()
}

/// The set as it is, and with damages.
pub(super) fn split_set() -> Inputs {
    let whole = ("whole".to_owned(), Vec::new());
    // Each byte of a shard's header that is a number can be changed by one change.
    let counts = (0..12).map(|n| {
        let damage = Damage { kind: Kind::Set, file: n % 3, at: 4 + u32::from(n) * 4, bytes: vec![n] };
        (format!("number-{n:02}"), write(&damage))
    });
    std::iter::once(whole).chain(damages(3)).chain(counts).collect()
}

/// For each type a row of ordinary weights, with and without importance, and one of extremes.
pub(super) fn kernels() -> Inputs {
    let mut seeds = Inputs::new();
    for (number, ty) in (0..).zip(GgmlType::ALL) {
        let row = ty.block_len() as u64;
        let ordinary = values(ty.name(), Dtype::F32, row);
        seeds.insert(format!("{}-row", ty.name()), [vec![number, 0, 0], ordinary.clone()].concat());
        let importance = values("importance", Dtype::F32, row);
        let with = [vec![number, 1, 0], importance, ordinary].concat();
        seeds.insert(format!("{}-importance", ty.name()), with);
        let extremes =
            [0.0f32, -0.0, 1e-45, 6e-8, -65504.0, 32768.0, 1e30, f32::MAX, f32::NEG_INFINITY, f32::NAN];
        let extremes = extremes.iter().cycle().take(row as usize).flat_map(|v| v.to_le_bytes());
        seeds.insert(format!("{}-extremes", ty.name()), [number, 0, 0].into_iter().chain(extremes).collect());
    }
    seeds
}
