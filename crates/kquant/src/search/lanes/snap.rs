//! The nearest of the neighbours, as in [`search::snap`](crate::search::snap), with most of the sums made once.

/// Of the neighbours `all` of the point `own`, the code with the least `Σ w · (scale · level − x)²`, of equals the first.
///
/// Only those in `short` can cost least if the levels of `own` are the cheapest and costs grow on both
/// sides of them: see [`Nearby::Others`](crate::grids::Nearby::Others).
#[inline(always)]
pub(crate) fn cheapest(
    all: &[u16],
    short: &[u16],
    own: u16,
    x: &[f32],
    w: &[f32],
    scale: f32,
    values: &[f32; 3],
) -> Option<u16> {
    // By level, then place; the fourth level does not occur.
    let mut costs = [[0.0f32; 8]; 4];
    for (costs, value) in costs.iter_mut().zip(values) {
        let value = scale * value;
        for ((cost, x), w) in costs.iter_mut().zip(x).zip(w) {
            let diff = value - x;
            *cost = w * diff * diff;
        }
    }
    let mut grow = true;
    let [lows, middles, highs, _] = &costs;
    for (i, ((low, middle), high)) in lows.iter().zip(middles).zip(highs).enumerate() {
        let level = own >> (2 * i) & 3;
        grow &= if level == 0 { low <= middle } else { middle <= low };
        grow &= if level == 2 { high <= middle } else { middle <= high };
    }
    // Sums over the first two, three and four places, by code.
    let (mut two, mut three, mut four) = ([[0.0f32; 4]; 4], [[0.0f32; 16]; 4], [[0.0f32; 64]; 4]);
    for (to, own) in two.iter_mut().zip(&costs) {
        for (to, below) in to.iter_mut().zip(&costs) {
            *to = below[0] + own[1];
        }
    }
    for (to, own) in three.iter_mut().zip(&costs) {
        for (to, below) in to.iter_mut().zip(two.as_flattened()) {
            *to = below + own[2];
        }
    }
    for (to, own) in four.iter_mut().zip(&costs) {
        for (to, below) in to.iter_mut().zip(three.as_flattened()) {
            *to = below + own[3];
        }
    }
    let (four, costs) = (four.as_flattened(), costs.as_flattened());
    // Sums are not negative, so their bits are in their order; of equal ones the first place decides.
    let mut best = u64::MAX;
    let list = if grow { short } else { all };
    for (place, &code) in list.iter().enumerate() {
        let code = usize::from(code);
        let mut sum = four[code & 255];
        for i in 4..8 {
            sum += costs[(code >> (2 * i) & 3) * 8 + i];
        }
        best = best.min(u64::from(sum.to_bits()) << 32 | place as u64);
    }
    let finite = best >> 32 < u64::from(f32::MAX.to_bits());
    if finite { list.get(best as u32 as usize).copied() } else { None }
}
