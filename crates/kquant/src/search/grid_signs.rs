//! Weights as magnitudes and signs, eight at a time: how `IQ2_*` and `IQ3_*` see them.

/// The magnitudes of some weights, and for each eight of them the signs: bit i is set for a negative weight i.
#[inline(always)]
pub(crate) fn magnitudes<const N: usize>(x: &[f32; N], signs: &mut [u8]) -> [f32; N] {
    for (signs, x) in signs.iter_mut().zip(x.as_chunks::<8>().0) {
        *signs = (0..8).fold(0, |signs, i| signs | u8::from(x[i] < 0.0) << i);
    }
    // Minus zero stays, as in ggml; no later step can tell it from zero.
    x.map(|x| if x < 0.0 { -x } else { x })
}

/// The same with an even number of signs in each eight, so that one of them need not be stored.
///
/// Where the number is odd, the weight whose change costs least (`w · x²`; of equals the first) gets the other sign, and
/// its magnitude becomes negative.
#[inline(always)]
pub(crate) fn even_magnitudes<const N: usize>(x: &[f32; N], w: &[f32; N], signs: &mut [u8]) -> [f32; N] {
    let mut magnitudes = magnitudes(x, signs);
    let groups = x.as_chunks::<8>().0.iter().zip(w.as_chunks::<8>().0);
    for ((signs, magnitudes), (x, w)) in signs.iter_mut().zip(magnitudes.as_chunks_mut::<8>().0).zip(groups) {
        if signs.count_ones() % 2 == 1 {
            let costs: [f32; 8] = std::array::from_fn(|i| w[i] * x[i] * x[i]);
            let least = (1..8).fold(0, |least, i| if costs[i] < costs[least] { i } else { least });
            magnitudes[least] = -magnitudes[least];
            *signs ^= 1 << least;
        }
        *signs &= 127;
    }
    magnitudes
}

/// Seven stored signs with the eighth, which makes their number even.
#[inline(always)]
pub(crate) fn with_eighth(signs: u8) -> u8 {
    signs | ((signs.count_ones() & 1) << 7) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheapest_weight_takes_the_odd_sign() {
        let x = [-1.0, 2.0, 0.5, -0.5, 3.0, -4.0, 5.0, 6.0];
        let mut signs = [0];
        let magnitudes = even_magnitudes(&x, &[1.0; 8], &mut signs);
        assert_eq!(magnitudes, [1.0, 2.0, -0.5, 0.5, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(signs, [0b10_1101]);
        assert_eq!(with_eighth(0b10_1101), 0b10_1101);
        assert_eq!(with_eighth(1), 0b1000_0001);
    }
}
