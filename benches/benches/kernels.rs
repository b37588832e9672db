//! Every kernel beside ggml's, for criterion.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use entrenar_benches::{Input, Work};
use peer::ggml;

fn main() {
    // A quarter of a million weights, so that the work stays in the cache.
    let input = Input::new(128);
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Elements(input.weights.len() as u64));
    for work in Work::all() {
        let Work::Encode { ty, importance } = work else { continue };
        let importance = importance.then_some(input.importance.as_slice());
        let name = work.to_string();
        let mut blocks = vec![0; input.weights.len() / ty.block_len() * ty.block_bytes()];
        group.bench_function(BenchmarkId::new("kquant", &name), |b| {
            b.iter(|| {
                kquant::encode_rows(ty, black_box(&input.weights), input.row_len, importance, &mut blocks)
            });
        });
        group.bench_function(BenchmarkId::new("ggml", &name), |b| {
            b.iter(|| {
                ggml::quantize_chunk_into(
                    ty,
                    black_box(&input.weights),
                    input.row_len,
                    importance,
                    &mut blocks,
                )
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
