//! Our blocks against ggml's, live: every type, distribution and kind of importance, encoded and decoded.

use std::fmt;

use gguf_format::GgmlType;
use peer::{ggml, guarded};

#[path = "../../crates/kquant/tests/common/mod.rs"]
mod common;
pub mod golden;

use common::distributions::{DISTRIBUTIONS, IMPORTANCES, Random};
use common::{Case, DECODE_ONLY, TYPES, same_float};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Blocks compared and found equal.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    blocks: u64,
    equal: u64,
}

impl Count {
    fn of(equal: impl Iterator<Item = bool>) -> Self {
        equal.fold(Self::default(), |count, equal| Self {
            blocks: count.blocks + 1,
            equal: count.equal + u64::from(equal),
        })
    }

    fn add(&mut self, other: Self) {
        self.blocks += other.blocks;
        self.equal += other.equal;
    }

    fn all_equal(self) -> bool {
        self.blocks > 0 && self.blocks == self.equal
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded down: 100 % is said of nothing less.
        let hundredths = (self.equal * 10_000).checked_div(self.blocks).unwrap_or(0);
        f.pad(&if self.all_equal() { "100 %".into() } else { format!("{:.2}", hundredths as f64 / 100.0) })
    }
}

/// What a comparison found of one type.
#[derive(Clone, Debug)]
struct Compared {
    ty: GgmlType,
    /// One a distribution; none if the type is not encoded.
    encoded: Vec<(&'static str, Count)>,
    /// Of random bytes.
    decoded: Count,
}

impl Compared {
    fn all_encoded(&self) -> Count {
        let mut all = Count::default();
        self.encoded.iter().for_each(|(_, count)| all.add(*count));
        all
    }

    fn passed(&self) -> bool {
        self.encoded.iter().all(|(_, count)| count.all_equal()) && self.decoded.all_equal()
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = self.all_encoded();
        write!(f, "{:<8}", self.ty)?;
        if self.encoded.is_empty() {
            write!(f, "{:>12}{:>8}", "-", "")?;
        } else {
            write!(f, "{:>12}{encoded:>8}", encoded.blocks)?;
        }
        write!(f, "{:>12}{:>8}", self.decoded.blocks, self.decoded)?;
        for (name, _) in self.encoded.iter().filter(|(_, count)| !count.all_equal()) {
            write!(f, "  {name}")?;
        }
        Ok(())
    }
}

/// What a comparison found; its `Display` is the table.
#[derive(Clone, Debug)]
pub struct Report {
    peer: String,
    seed: u64,
    types: Vec<Compared>,
    /// The first differences found, in words.
    differences: Vec<String>,
}

impl Report {
    /// Whether every block of every type was the same, both ways.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.types.iter().all(Compared::passed)
    }

    /// Blocks compared while encoding.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.types.iter().map(|compared| compared.all_encoded().blocks).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "kquant against {}", self.peer)?;
        writeln!(
            f,
            "Blocks compared, and the share that is byte for byte equal; encoded from {} distributions, with {}\n\
             kinds of importance and without; decoded from random bytes; random row lengths; seed {}\n",
            DISTRIBUTIONS.len(),
            IMPORTANCES.len(),
            self.seed
        )?;
        writeln!(f, "{:<8}{:>12}{:>8}{:>12}{:>8}", "", "encoded", "equal", "decoded", "equal")?;
        for compared in &self.types {
            writeln!(f, "{compared}")?;
        }
        let verdict = if self.passed() { "pass: all equal" } else { "FAIL" };
        writeln!(f, "\n{} blocks encoded: {verdict}", self.blocks())?;
        for difference in &self.differences {
            writeln!(f, "  {difference}")?;
        }
        Ok(())
    }
}

/// Compares at least `weights_per_type` weights of each type, spread over the distributions; each of them
/// without importance and with every kind of it, however few weights are asked for.
///
/// # Errors
///
/// When ggml or `kquant` refuses a call: a defect of this comparison or of ours.
pub fn run(weights_per_type: u64, seed: u64) -> Result<Report> {
    let mut differences = Vec::new();
    let share = weights_per_type.div_ceil(DISTRIBUTIONS.len() as u64);
    let mut random = Random::new(seed);
    let mut types = Vec::new();
    for ty in TYPES.into_iter().chain(DECODE_ONLY) {
        let mut encoded = Vec::new();
        for (row, &(name, _)) in DISTRIBUTIONS.iter().enumerate().filter(|_| kquant::can_encode(ty)) {
            let mut count = Count::default();
            let mut weights = 0;
            while weights < share {
                // As many without importance as with.
                let pairs = (0..IMPORTANCES.len()).flat_map(|kind| [None, Some(kind)]);
                for kind in pairs.filter(|kind| kind.is_some() || !kquant::needs_importance(ty)) {
                    let case = Case::new(ty, row, kind, &mut random);
                    weights += case.src.len() as u64;
                    count.add(compare_encoded(&case, &mut differences)?);
                }
            }
            encoded.push((name, count));
        }
        let decoded = compare_decoded(ty, share.max(100_000), &mut random, &mut differences)?;
        types.push(Compared { ty, encoded, decoded });
    }
    Ok(Report { peer: ggml::version(), seed, types, differences })
}

/// Compares F16 and BF16 on every one of the 2³² floats, NaN included, and gives the number that differ. Takes
/// about a minute.
///
/// # Errors
///
/// When ggml or `kquant` refuses a call.
pub fn every_float() -> Result<u64> {
    const CHUNK: u32 = 1 << 20;
    let mut differ = 0;
    let mut src = vec![0.0; CHUNK as usize];
    let mut ours = vec![0; 2 * src.len()];
    let mut theirs = Vec::new();
    for start in (0..=u32::MAX).step_by(CHUNK as usize) {
        for (bits, x) in (start..=u32::MAX).zip(&mut src) {
            *x = f32::from_bits(bits);
        }
        for ty in [GgmlType::F16, GgmlType::BF16] {
            ggml::quantize_chunk_into(ty, &src, src.len(), None, &mut theirs)?;
            kquant::encode_rows(ty, &src, src.len(), None, &mut ours)?;
            if ours != theirs {
                differ += ours.chunks(2).zip(theirs.chunks(2)).filter(|(a, b)| a != b).count() as u64;
            }
        }
    }
    Ok(differ)
}

fn compare_encoded(case: &Case, differences: &mut Vec<String>) -> Result<Count> {
    let importance = case.importance.as_deref();
    // Where ggml aborts, a block of zeros is expected.
    let theirs = guarded::quantize_chunk(case.ty, &case.src, case.row_len, importance)?.blocks;
    let mut ours = vec![0; theirs.len()];
    kquant::encode_rows(case.ty, &case.src, case.row_len, importance, &mut ours)?;
    let bytes = case.ty.block_bytes();
    let blocks = || ours.chunks_exact(bytes).zip(theirs.chunks_exact(bytes));
    if let Some(block) = blocks().position(|(a, b)| a != b) {
        note(differences, || {
            let at = ours.iter().zip(&theirs).position(|(a, b)| a != b).unwrap_or(0) % bytes;
            format!("{}, {}: block {block} differs from its byte {at} on", case.ty, case.name)
        });
    }
    Ok(Count::of(blocks().map(|(a, b)| a == b)))
}

fn compare_decoded(
    ty: GgmlType,
    weights: u64,
    random: &mut Random,
    differences: &mut Vec<String>,
) -> Result<Count> {
    let len = ty.block_len();
    let blocks = weights.div_ceil(len as u64) as usize;
    let bytes: Vec<u8> = (0..blocks * ty.block_bytes()).map(|_| random.bits() as u8).collect();
    let theirs = ggml::dequantize_row(ty, &bytes)?;
    let mut ours = vec![0.0; theirs.len()];
    kquant::decode_rows(ty, &bytes, theirs.len(), &mut ours)?;
    let equal = || {
        let blocks = ours.chunks_exact(len).zip(theirs.chunks_exact(len));
        blocks.map(|(ours, theirs)| ours.iter().zip(theirs).all(|(&a, &b)| same_float(a, b)))
    };
    if let Some(block) = equal().position(|equal| !equal) {
        note(differences, || format!("{ty}: random block {block} decodes differently"));
    }
    Ok(Count::of(equal()))
}

/// Keeps the first few.
fn note(differences: &mut Vec<String>, text: impl FnOnce() -> String) {
    if differences.len() < 20 {
        differences.push(text());
    }
}
