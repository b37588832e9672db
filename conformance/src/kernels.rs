//! Our blocks against ggml's, live: every type, distribution and kind of importance, encoded and decoded.

use std::fmt;

use gguf_format::GgmlType;
use peer::ggml;

#[path = "../../crates/kquant/tests/common/mod.rs"]
mod common;
pub mod golden;

use common::distributions::{DISTRIBUTIONS, IMPORTANCES, Random};
use common::{Case, TYPES, same_float};

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

/// What a comparison found; its `Display` is the table.
#[derive(Clone, Debug)]
pub struct Report {
    peer: String,
    seed: u64,
    /// One row a distribution, one column a type.
    encoded: Vec<(&'static str, Vec<Count>)>,
    /// Of random bytes.
    decoded: Vec<Count>,
    /// The first differences found, in words.
    differences: Vec<String>,
}

impl Report {
    /// Whether every block of every type was the same, both ways.
    #[must_use]
    pub fn passed(&self) -> bool {
        let encoded = self.encoded.iter().flat_map(|(_, counts)| counts);
        encoded.chain(&self.decoded).all(|count| count.all_equal())
    }

    /// Blocks compared while encoding.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.encoded.iter().flat_map(|(_, counts)| counts).map(|count| count.blocks).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "kquant against {}", self.peer)?;
        writeln!(
            f,
            "Share of blocks that are byte for byte equal; with {} kinds of importance and \
             without;\nrandom row lengths; seed {}\n",
            IMPORTANCES.len(),
            self.seed
        )?;
        write!(f, "{:<13}", "")?;
        for ty in TYPES {
            write!(f, "{ty:>6}")?;
        }
        for (name, counts) in &self.encoded {
            write!(f, "\n{name:<13}")?;
            for count in counts {
                write!(f, "{count:>6}")?;
            }
        }
        write!(f, "\n{:<13}", "(decoding)")?;
        for count in &self.decoded {
            write!(f, "{count:>6}")?;
        }
        let verdict = if self.passed() { "pass: all equal" } else { "FAIL" };
        writeln!(f, "\n\n{} blocks encoded: {verdict}", self.blocks())?;
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
    let mut report = Report {
        peer: ggml::version(),
        seed,
        encoded: Vec::new(),
        decoded: Vec::new(),
        differences: Vec::new(),
    };
    let share = weights_per_type.div_ceil(DISTRIBUTIONS.len() as u64);
    let mut random = Random::new(seed);
    for (row, &(name, _)) in DISTRIBUTIONS.iter().enumerate() {
        let mut counts = Vec::new();
        for ty in TYPES {
            let mut count = Count::default();
            let mut weights = 0;
            while weights < share {
                // As many without importance as with.
                for kind in (0..IMPORTANCES.len()).flat_map(|kind| [None, Some(kind)]) {
                    let case = Case::new(ty, row, kind, &mut random);
                    weights += case.src.len() as u64;
                    count.add(compare_encoded(&case, &mut report.differences)?);
                }
            }
            counts.push(count);
        }
        report.encoded.push((name, counts));
    }
    for ty in TYPES {
        report.decoded.push(compare_decoded(ty, share.max(100_000), &mut random, &mut report.differences)?);
    }
    Ok(report)
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
    let theirs = ggml::quantize_chunk(case.ty, &case.src, case.row_len, importance)?;
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
