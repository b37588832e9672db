//! Timing in turns: a machine that slows down slows all sides.

use std::hint::black_box;
use std::time::{Duration, Instant};

use kquant::Isa;
use peer::ggml;
use serde::Serialize;

use crate::bars::{self, Bar};
use crate::{Input, Work};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// What was timed.
    pub work: String,
    /// Where ours ran.
    pub isa: String,
    /// Million weights a second, ours.
    pub ours: f64,
    /// Million weights a second, ggml's.
    pub ggml: f64,
    /// How many times as fast as ggml: the median over the turns.
    pub times_ggml: f64,
    /// How many times as fast as a copy that reads and writes as many bytes: the median over the turns.
    pub times_copy: f64,
    /// The bar, in words.
    pub bar: String,
    /// Whether it is met; nothing where there is none.
    pub met: Option<bool>,
}

/// Times one kind of work on several instruction sets, for about that long each.
///
/// # Errors
/// When ours and ggml's results differ, so that timing them means nothing.
pub fn measure(work: Work, isas: &[Isa], input: &Input, time: Duration) -> Result<Vec<Line>> {
    isas.iter().map(|&isa| Job::new(work, isa, input)?.line(time)).collect()
}

/// One kind of work with everything that it reads and writes.
struct Job<'a> {
    work: Work,
    isa: Isa,
    input: &'a Input,
    blocks: Vec<u8>,
    their_blocks: Vec<u8>,
    weights: Vec<f32>,
    copy_from: Vec<u8>,
    copy_to: Vec<u8>,
}

impl<'a> Job<'a> {
    fn new(work: Work, isa: Isa, input: &'a Input) -> Result<Self> {
        let ty = work.ty();
        let bytes = input.weights.len() / ty.block_len() * ty.block_bytes();
        let moved = input.weights.len() * 4 + bytes;
        let mut job = Self {
            work,
            isa,
            input,
            blocks: vec![0; bytes],
            their_blocks: vec![0; bytes],
            weights: Vec::new(),
            copy_from: vec![1; moved / 2],
            copy_to: vec![0; moved / 2],
        };
        if let Work::Decode { .. } = work {
            job.weights = vec![0.0; input.weights.len()];
            job.blocks = job.blocks_to_decode()?;
        }
        Ok(job)
    }

    /// Encoded by us where we can, else bytes that decode to something.
    fn blocks_to_decode(&self) -> Result<Vec<u8>> {
        let ty = self.work.ty();
        let mut blocks: Vec<u8> = (0..self.blocks.len()).map(|i| (i * 37 % 61) as u8).collect();
        if kquant::can_encode(ty) {
            let Input { weights, row_len, importance } = self.input;
            let importance = kquant::needs_importance(ty).then_some(importance.as_slice());
            kquant::encode_rows(ty, weights, *row_len, importance, &mut blocks)?;
        }
        Ok(blocks)
    }

    fn ours(&mut self) -> Result<()> {
        let Input { weights, row_len, importance } = self.input;
        match self.work {
            Work::Encode { ty, importance: with } => {
                let importance = with.then_some(importance.as_slice());
                let weights = black_box(weights.as_slice());
                kquant::encode_rows_on(self.isa, ty, weights, *row_len, importance, &mut self.blocks)?;
            }
            Work::Decode { ty } => {
                kquant::decode_rows_on(self.isa, ty, black_box(&self.blocks), *row_len, &mut self.weights)?;
            }
        }
        black_box((&self.blocks, &self.weights));
        Ok(())
    }

    fn theirs(&mut self) -> Result<()> {
        let Input { weights, row_len, importance } = self.input;
        match self.work {
            Work::Encode { ty, importance: with } => {
                let importance = with.then_some(importance.as_slice());
                let weights = black_box(weights.as_slice());
                ggml::quantize_chunk_into(ty, weights, *row_len, importance, &mut self.their_blocks)?;
            }
            Work::Decode { ty } => {
                ggml::dequantize_row_into(ty, black_box(&self.blocks), &mut self.weights)?;
            }
        }
        black_box((&self.their_blocks, &self.weights));
        Ok(())
    }

    /// As many bytes read and written as by the work.
    fn copy(&mut self) {
        self.copy_to.copy_from_slice(black_box(&self.copy_from));
        black_box(&self.copy_to);
    }

    fn same(&mut self) -> Result<bool> {
        self.ours()?;
        let ours = self.weights.clone();
        self.theirs()?;
        Ok(match self.work {
            Work::Encode { .. } => self.blocks == self.their_blocks,
            Work::Decode { .. } => ours
                .iter()
                .zip(&self.weights)
                .all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()),
        })
    }

    fn line(mut self, limit: Duration) -> Result<Line> {
        if !self.same()? {
            return Err(format!(
                "{} on {}: not what ggml makes; timing it means nothing",
                self.work, self.isa
            )
            .into());
        }
        let mut turns = Vec::new();
        let start = Instant::now();
        while start.elapsed() < limit || turns.len() < 5 {
            let ours = time(|| self.ours())?;
            let ggml = time(|| self.theirs())?;
            let copy = time(|| {
                self.copy();
                Ok(())
            })?;
            turns.push((ours, ggml, copy));
        }
        let median_of = |value: fn(&(f64, f64, f64)) -> f64| {
            let mut values: Vec<f64> = turns.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let millions = self.input.weights.len() as f64 / 1e6;
        let times_ggml = median_of(|&(ours, ggml, _)| ggml / ours);
        let times_copy = median_of(|&(ours, _, copy)| copy / ours);
        let bar = bars::bar(self.work, self.isa);
        Ok(Line {
            work: self.work.to_string(),
            isa: self.isa.to_string(),
            ours: millions / median_of(|turn| turn.0),
            ggml: millions / median_of(|turn| turn.1),
            times_ggml,
            times_copy,
            bar: bar.map_or(String::new(), words),
            met: bar.map(|bar| {
                bar.ggml.is_some_and(|wanted| times_ggml >= wanted)
                    || bar.copy.is_some_and(|wanted| times_copy >= wanted)
            }),
        })
    }
}

fn words(bar: Bar) -> String {
    let parts =
        [bar.ggml.map(|times| format!("{times} x ggml")), bar.copy.map(|times| format!("{times} x copy"))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" or ")
}

fn time(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}
