//! Our blocks against ggml's, live: every type, distribution and kind of importance, encoded and decoded.

use std::fmt;

use gguf_format::GgmlType;
use peer::ggml::{self, BadCall};

#[path = "../../crates/kquant/tests/common/distributions.rs"]
mod distributions;

use distributions::{DISTRIBUTIONS, IMPORTANCES, Random};

/// The types that `kquant` encodes.
pub const TYPES: [GgmlType; 13] = [
    GgmlType::F32,
    GgmlType::F16,
    GgmlType::BF16,
    GgmlType::Q8_0,
    GgmlType::Q4_0,
    GgmlType::Q4_1,
    GgmlType::Q5_0,
    GgmlType::Q5_1,
    GgmlType::Q2_K,
    GgmlType::Q3_K,
    GgmlType::Q4_K,
    GgmlType::Q5_K,
    GgmlType::Q6_K,
];

/// Blocks compared and found equal.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    blocks: u64,
    equal: u64,
}

impl Count {
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
        let share = if self.all_equal() {
            "100 %".to_owned()
        } else {
            format!("{:.2} %", (self.equal * 10_000).checked_div(self.blocks).unwrap_or(0) as f64 / 100.0)
        };
        f.pad(&share)
    }
}

/// What a comparison found; its `Display` is the table.
#[derive(Clone, Debug)]
pub struct Report {
    peer: String,
    seed: u64,
    /// One row a distribution, one column a type.
    encoded: Vec<(&'static str, Vec<Count>)>,
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
        writeln!(f, "Blocks of kquant equal to those of {}", self.peer)?;
        writeln!(f, "with and without importance, random row lengths, seed {}\n", self.seed)?;
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
        write!(f, "\n{:<13}", "decoding")?;
        for count in &self.decoded {
            write!(f, "{count:>6}")?;
        }
        let verdict = if self.passed() { "all equal" } else { "NOT all equal" };
        writeln!(f, "\n\n{} blocks encoded: {verdict}", self.blocks())?;
        for difference in &self.differences {
            writeln!(f, "  {difference}")?;
        }
        Ok(())
    }
}

/// Compares about `weights_per_type` weights of each type, spread over the distributions.
///
/// # Errors
///
/// When ggml or `kquant` refuses a call: a defect of this comparison or of ours.
pub fn run(weights_per_type: u64, seed: u64) -> Result<Report, Box<dyn std::error::Error>> {
    let mut report = Report {
        peer: ggml::version(),
        seed,
        encoded: Vec::new(),
        decoded: vec![Count::default(); TYPES.len()],
        differences: Vec::new(),
    };
    let share = weights_per_type.div_ceil(DISTRIBUTIONS.len() as u64);
    for (row, &(name, _)) in DISTRIBUTIONS.iter().enumerate() {
        let mut counts = vec![Count::default(); TYPES.len()];
        for (column, ty) in TYPES.into_iter().enumerate() {
            let mut done = 0;
            for round in 0.. {
                if done >= share && round >= 2 * IMPORTANCES.len() {
                    break;
                }
                // Every second round without importance, the others through its kinds in turn.
                let importance = (round % 2 == 1).then(|| round / 2 % IMPORTANCES.len());
                let mut random = Random::new(seed ^ ((row as u64) << 48) ^ ((round as u64) << 16));
                let case = Case::new(ty, row, importance, &mut random);
                done += case.src.len() as u64;
                counts[column].add(case.compare_encoded(&mut report.differences)?);
            }
        }
        report.encoded.push((name, counts));
    }
    for (column, ty) in TYPES.into_iter().enumerate() {
        let mut random = Random::new(seed ^ ty.id() as u64);
        report.decoded[column] = compare_decoded(ty, share, &mut random, &mut report.differences)?;
    }
    Ok(report)
}

/// A few rows of one type.
struct Case {
    ty: GgmlType,
    name: String,
    src: Vec<f32>,
    row_len: usize,
    importance: Option<Vec<f32>>,
}

impl Case {
    fn new(ty: GgmlType, distribution: usize, importance: Option<usize>, random: &mut Random) -> Self {
        let blocks = 1 + random.below(if ty.block_len() == 256 { 12 } else { 80 }) as usize;
        let row_len = blocks * ty.block_len();
        let rows = 1 + random.below(6) as usize;
        let (name, fill) = DISTRIBUTIONS[distribution];
        let mut src = vec![0.0; rows * row_len];
        fill(random, &mut src);
        let mut name = format!("{ty}, {name}, {rows} rows of {row_len}");
        let importance = importance.map(|kind| {
            let (kind, fill) = IMPORTANCES[kind];
            name += &format!(", importance {kind}");
            let mut importance = vec![0.0; row_len];
            fill(random, &mut importance);
            importance
        });
        Self { ty, name, src, row_len, importance }
    }

    fn compare_encoded(&self, differences: &mut Vec<String>) -> Result<Count, Box<dyn std::error::Error>> {
        let importance = self.importance.as_deref();
        let theirs = ggml::quantize_chunk(self.ty, &self.src, self.row_len, importance)?;
        let mut ours = vec![0; theirs.len()];
        kquant::encode_rows(self.ty, &self.src, self.row_len, importance, &mut ours)?;
        let bytes = self.ty.block_bytes();
        let mut count = Count::default();
        for (block, (ours, theirs)) in ours.chunks_exact(bytes).zip(theirs.chunks_exact(bytes)).enumerate() {
            count.blocks += 1;
            count.equal += u64::from(ours == theirs);
            if ours != theirs && differences.len() < 20 {
                let byte = ours.iter().zip(theirs).position(|(a, b)| a != b).unwrap_or(0);
                differences.push(format!("{}: block {block} differs from byte {byte} on", self.name));
            }
        }
        Ok(count)
    }
}

/// Decodes random bytes, any two NaN counting as equal: ggml's build leaves their sign open.
fn compare_decoded(
    ty: GgmlType,
    weights: u64,
    random: &mut Random,
    differences: &mut Vec<String>,
) -> Result<Count, Box<dyn std::error::Error>> {
    let blocks = weights.div_ceil(ty.block_len() as u64).max(100) as usize;
    let bytes: Vec<u8> = (0..blocks * ty.block_bytes()).map(|_| random.bits() as u8).collect();
    let theirs: Result<Vec<f32>, BadCall> = ggml::dequantize_row(ty, &bytes);
    let theirs = theirs?;
    let mut ours = vec![0.0; theirs.len()];
    kquant::decode_rows(ty, &bytes, theirs.len(), &mut ours)?;
    let len = ty.block_len();
    let mut count = Count::default();
    for (block, (ours, theirs)) in ours.chunks_exact(len).zip(theirs.chunks_exact(len)).enumerate() {
        let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
        let equal = ours.iter().zip(theirs).all(same);
        count.blocks += 1;
        count.equal += u64::from(equal);
        if !equal && differences.len() < 20 {
            differences.push(format!("{ty}: random block {block} decodes differently"));
        }
    }
    Ok(count)
}
