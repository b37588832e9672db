//! Encodes the same weights in every type and shows size and error.
//!
//! ```text
//! cargo run --release -p kquant --example roundtrip
//! ```

use kquant::{GgmlType, can_encode, decode_rows, encode_rows};

fn main() -> Result<(), kquant::Error> {
    let row_len = 4096;
    let weights: Vec<f32> = bell_shaped(16 * row_len);
    let power: f64 = weights.iter().map(|&x| f64::from(x).powi(2)).sum();

    println!("{:<6} {:>12} {:>10} {:>18}", "type", "bits/weight", "bytes", "relative RMS error");
    for &ty in GgmlType::ALL.iter().filter(|&&ty| can_encode(ty)) {
        let mut blocks = vec![0; weights.len() / ty.block_len() * ty.block_bytes()];
        encode_rows(ty, &weights, row_len, None, &mut blocks)?;

        let mut decoded = vec![0.0; weights.len()];
        decode_rows(ty, &blocks, row_len, &mut decoded)?;

        let error: f64 = weights.iter().zip(&decoded).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let relative = (error / power).sqrt();
        println!("{ty:<6} {:>12.4} {:>10} {relative:>18.6}", ty.bits_per_weight(), blocks.len());
    }
    Ok(())
}

/// Sums of twelve uniform numbers, spread like the weights of a trained layer.
fn bell_shaped(len: usize) -> Vec<f32> {
    let mut state = 1u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 16_777_216.0
    };
    (0..len).map(|_| 0.02 * ((0..12).map(|_| uniform()).sum::<f32>() - 6.0)).collect()
}
