//! What a second thread gives on a large tensor: threads take chunks of rows in turn, as the exporter's do.

use std::hint::black_box;
use std::sync::{Mutex, PoisonError};
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
    /// How many times as fast as one.
    pub times_one: f64,
    /// Whether the bar is met.
    pub met: bool,
}

/// Times one thread and two in turn, for about that long, and takes the fastest turn of each: a virtual machine whose
/// processors are all busy is not given all of them all the time.
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
    let fastest = |value: fn(&(f64, f64)) -> f64| turns.iter().map(value).fold(f64::INFINITY, f64::min);
    let (one, two) = (fastest(|turn| turn.0), fastest(|turn| turn.1));
    let millions = input.weights.len() as f64 / 1e6;
    let times_one = one / two;
    Ok(Line {
        work: format!("encode {ty}"),
        one: millions / one,
        two: millions / two,
        times_one,
        met: times_one >= BAR,
    })
}

/// Rows in a chunk: as many as the exporter takes at a time.
const CHUNK_ROWS: usize = 64;

/// Seconds that so many threads take for all rows, each a chunk after the other.
fn time(ty: GgmlType, isa: Isa, input: &Input, threads: usize, blocks: &mut [u8]) -> Result<f64> {
    let Input { weights, row_len, .. } = input;
    let len = CHUNK_ROWS * row_len;
    let bytes = len / ty.block_len() * ty.block_bytes();
    let start = Instant::now();
    let chunks = Mutex::new(weights.chunks(len).zip(blocks.chunks_mut(bytes)));
    let next = || chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        let work = || {
            while let Some((weights, blocks)) = next() {
                kquant::encode_rows_on(isa, ty, black_box(weights), *row_len, None, blocks)?;
            }
            Ok::<(), kquant::Error>(())
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(done) => done.map_err(Into::into),
            Err(_) => Err(Box::<dyn std::error::Error>::from("a thread panicked")),
        })
    })?;
    let seconds = start.elapsed().as_secs_f64();
    black_box(&blocks);
    Ok(seconds)
}
