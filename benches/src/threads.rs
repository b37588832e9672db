//! What a second thread gives on a large tensor: rows are encoded one by one, so each thread takes half of them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use gguf_format::GgmlType;
use kquant::Isa;
use serde::Serialize;

use crate::Input;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// One bound by arithmetic with and one without an offset, one bound by memory.
pub const TYPES: &[GgmlType] = &[GgmlType::Q4_K, GgmlType::Q6_K, GgmlType::Q8_0];

/// How many times one thread's speed two are to give.
pub const BAR: f64 = 1.9;

const THREADS: usize = 2;

/// A line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// What was timed.
    pub work: String,
    /// Million weights a second, one thread.
    pub one: f64,
    /// Million weights a second, two threads.
    pub two: f64,
    /// How many times as fast as one: the median over the turns.
    pub times_one: f64,
    /// Whether the bar is met.
    pub met: bool,
}

/// Times one thread and two in turn, for about that long.
///
/// # Errors
/// The kernel's.
pub fn measure(ty: GgmlType, isa: Isa, input: &Input, limit: Duration) -> Result<Line> {
    let mut blocks = vec![0; input.weights.len() / ty.block_len() * ty.block_bytes()];
    let mut turns = Vec::new();
    let start = Instant::now();
    while start.elapsed() < limit || turns.len() < 5 {
        turns.push((time(ty, isa, input, 1, &mut blocks)?, time(ty, isa, input, THREADS, &mut blocks)?));
    }
    let median_of = |value: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = turns.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let millions = input.weights.len() as f64 / 1e6;
    let times_one = median_of(|(one, two)| one / two);
    Ok(Line {
        work: format!("encode {ty}"),
        one: millions / median_of(|turn| turn.0),
        two: millions / median_of(|turn| turn.1),
        times_one,
        met: times_one >= BAR,
    })
}

/// Seconds that so many threads take for all rows.
fn time(ty: GgmlType, isa: Isa, input: &Input, threads: usize, blocks: &mut [u8]) -> Result<f64> {
    let Input { weights, row_len, .. } = input;
    let rows = (weights.len() / row_len).div_ceil(threads);
    let (len, bytes) = (rows * row_len, rows * row_len / ty.block_len() * ty.block_bytes());
    let start = Instant::now();
    std::thread::scope(|scope| {
        let parts = weights.chunks(len).zip(blocks.chunks_mut(bytes));
        let workers: Vec<_> = parts
            .map(|(weights, blocks)| {
                scope.spawn(|| kquant::encode_rows_on(isa, ty, black_box(weights), *row_len, None, blocks))
            })
            .collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(encoded) => encoded.map_err(Into::into),
            Err(_) => Err(Box::<dyn std::error::Error>::from("a thread panicked")),
        })
    })?;
    black_box(&blocks);
    Ok(start.elapsed().as_secs_f64())
}
