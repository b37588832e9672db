//! The codebook of IQ4_NL and IQ4_XS: sixteen levels that lie closer around zero than far from it.

/// The levels. Data of ggml (`kvalues_iq4nl` in `ggml-common.h`; MIT, see `NOTICE`).
pub(crate) const LEVELS: [f32; 16] = [
    -127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0, 69.0, 89.0, 113.0,
];

/// The middle between each level and the next.
pub(crate) const BOUNDS: [f32; 15] = {
    let mut bounds = [0.0; 15];
    let mut i = 0;
    while i < 15 {
        bounds[i] = (LEVELS[i] + LEVELS[i + 1]) * 0.5;
        i += 1;
    }
    bounds
};

/// The place of the nearest level; in the middle of two that of the upper one; of NaN the last.
///
/// ggml (`best_index_int8`) finds the two levels around a value and compares the distances. Near the middle of two levels
/// both distances are exact, since they are no larger than the value (or, around −4.5, of its own binade), so that this is
/// a comparison with the middle.
#[inline(always)]
pub(crate) fn nearest(value: f32) -> u8 {
    let mut place = 15;
    for bound in BOUNDS {
        place -= u8::from(value < bound);
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By distances, as the format's reference does.
    fn by_distance(value: f32) -> u8 {
        let above = (0..16).find(|&i| value < LEVELS[i]);
        match above {
            Some(0) => 0,
            Some(i) if value - LEVELS[i - 1] < LEVELS[i] - value => i as u8 - 1,
            Some(i) => i as u8,
            None => 15,
        }
    }

    #[test]
    fn comparing_with_the_middle_is_comparing_distances() {
        for bound in BOUNDS {
            let around = bound.to_bits() - 100_000..bound.to_bits() + 100_000;
            for value in around.map(f32::from_bits) {
                assert_eq!(nearest(value), by_distance(value), "{value:?}");
            }
        }
        for bits in (0..=u32::MAX).step_by(4099) {
            let value = f32::from_bits(bits);
            assert_eq!(nearest(value), by_distance(value), "{value:?}");
        }
        for (i, level) in LEVELS.into_iter().enumerate() {
            assert_eq!(usize::from(nearest(level)), i);
        }
        assert_eq!([nearest(f32::NAN), nearest(f32::INFINITY), nearest(f32::NEG_INFINITY)], [15, 15, 0]);
    }
}
