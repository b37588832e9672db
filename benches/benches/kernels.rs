//! Ours beside ggml's, one thread, every type, with and without importance.
//!
//! Two programs in one. With `--table` it times both in turn, many short turns, and prints a table of medians:
//! a machine that slows down slows both. Otherwise it is an ordinary criterion benchmark.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use entrenar_benches::{Input, TYPES};
use gguf_format::GgmlType;
use peer::ggml;

/// One encoding of an input, by either side.
struct Job<'a> {
    ty: GgmlType,
    input: &'a Input,
    importance: Option<&'a [f32]>,
    ours: Vec<u8>,
    theirs: Vec<u8>,
}

impl<'a> Job<'a> {
    fn new(ty: GgmlType, input: &'a Input, weighted: bool) -> Self {
        let bytes = input.weights.len() / ty.block_len() * ty.block_bytes();
        let importance = weighted.then_some(input.importance.as_slice());
        Self { ty, input, importance, ours: vec![0; bytes], theirs: Vec::with_capacity(bytes) }
    }

    fn ours(&mut self) {
        let Input { weights, row_len, .. } = self.input;
        if let Err(error) =
            kquant::encode_rows(self.ty, black_box(weights), *row_len, self.importance, &mut self.ours)
        {
            unreachable!("{error}");
        }
        black_box(&self.ours);
    }

    fn theirs(&mut self) {
        let Input { weights, row_len, .. } = self.input;
        if let Err(error) = ggml::quantize_chunk_into(
            self.ty,
            black_box(weights),
            *row_len,
            self.importance,
            &mut self.theirs,
        ) {
            unreachable!("{error}");
        }
        black_box(&self.theirs);
    }
}

/// The types whose blocks change with importance.
fn uses_importance(ty: GgmlType) -> bool {
    ty.is_quantized() && ty != GgmlType::Q8_0
}

fn jobs(input: &Input) -> impl Iterator<Item = Job<'_>> {
    let kinds = TYPES.into_iter().flat_map(|ty| [(ty, false), (ty, true)]);
    kinds.filter(|&(ty, weighted)| !weighted || uses_importance(ty)).map(|(ty, w)| Job::new(ty, input, w))
}

fn criterion(input: &Input) {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Elements(input.weights.len() as u64));
    for mut job in jobs(input) {
        let name = format!("{}{}", job.ty, if job.importance.is_some() { "+importance" } else { "" });
        group.bench_function(BenchmarkId::new("kquant", &name), |b| b.iter(|| job.ours()));
        group.bench_function(BenchmarkId::new("ggml", &name), |b| b.iter(|| job.theirs()));
    }
    group.finish();
    criterion.final_summary();
}

fn table(input: &Input) {
    println!("{}; rows of {}; million weights a second, one thread\n", ggml::version(), input.row_len);
    println!("| type | importance | kquant | ggml | ratio |\n|---|---|---|---|---|");
    for mut job in jobs(input) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(2) || ours.len() < 5 {
            ours.push(time(|| job.ours()));
            theirs.push(time(|| job.theirs()));
        }
        assert!(job.ours == job.theirs, "{}: not the same blocks; timing them means nothing", job.ty);
        let rate = |times: &mut Vec<Duration>| {
            times.sort_unstable();
            input.weights.len() as f64 / times[times.len() / 2].as_secs_f64() / 1e6
        };
        let (ours, theirs) = (rate(&mut ours), rate(&mut theirs));
        let importance = if job.importance.is_some() { "yes" } else { "no" };
        println!("| {} | {importance} | {ours:.1} | {theirs:.1} | {:.2} |", job.ty, ours / theirs);
    }
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn main() {
    // 128 rows: a quarter of a million weights, so that the work stays in the cache.
    let input = Input::new(128);
    if std::env::args().any(|argument| argument == "--table") { table(&input) } else { criterion(&input) }
}
