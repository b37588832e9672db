//! Fit to three levels by trying every split, as [`search::split`](crate::search::split).

use crate::lanes::Vector;
use crate::search::split::LEVELS;

/// What was found, lane by lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit<V: Vector, const N: usize> {
    /// 0, 1, 2: places in [`LEVELS`].
    pub(crate) levels: [V; N],
    /// Not negative.
    pub(crate) scale: V,
    /// 0 or 1 for each half.
    pub(crate) shifts: [V; 2],
    /// Where anything has weight: elsewhere there is no fit.
    pub(crate) found: V::Mask,
    /// Where no product leaves the range in which a power of two may be a factor of the terms or of the sum: elsewhere
    /// nothing above is to be used.
    pub(crate) sound: V::Mask,
}

/// 2⁻⁹⁶. Sums of numbers that are zero or no smaller are multiples of 2⁻¹²⁰, and a 64th of that is a float of full
/// precision.
const LEAST: f32 = 1.262_177_4e-29;
/// Differences of sums below this do not overflow.
const MOST: f32 = 1e37;

/// Weights in ascending order; `N + 1` places, of which the last belongs to no weight and is above all.
struct Sorted<V, const M: usize> {
    x: [V; M],
    /// Where the weight was.
    place: [V; M],
    w: [V; M],
}

/// In which range all sums of a group are as they should be; see [`Fit::sound`].
#[inline(always)]
fn sound<V: Vector, const N: usize>(isa: V::Isa, x: &[V; N], w: &[V; N]) -> V::Mask {
    let (zero, least) = (V::splat(isa, 0.0), V::splat(isa, LEAST));
    let mut tiny = zero.lt(zero);
    let (mut total_x, mut total_w) = (zero, zero);
    for i in 0..N {
        let (wx, w) = ((w[i] * x[i]).abs(), w[i]);
        tiny = tiny | (wx.lt(least) & wx.gt(zero)) | (w.lt(least) & w.gt(zero));
        // A product that vanishes is tiny, too.
        tiny = tiny | (wx.same(zero) & !x[i].same(zero) & !w.same(zero));
        total_x = total_x + wx;
        total_w = total_w + w;
    }
    let most = V::splat(isa, MOST);
    total_x.lt(most) & total_w.lt(most) & !tiny
}

/// Sorts by size, of equal weights the first first: a network of comparisons (Batcher's odd-even merge).
#[inline(always)]
fn sort<V: Vector, const N: usize, const M: usize>(isa: V::Isa, x: &[V; N], w: &[V; N]) -> Sorted<V, M> {
    const { assert!(N.is_power_of_two() && M == N + 1) }
    let zero = V::splat(isa, 0.0);
    let mut sorted =
        Sorted { x: [V::splat(isa, f32::INFINITY); M], place: [V::splat(isa, N as f32); M], w: [zero; M] };
    for i in 0..N {
        sorted.x[i] = x[i];
        sorted.place[i] = V::splat(isa, i as f32);
        sorted.w[i] = w[i];
    }
    let mut run = 1;
    while run < N {
        let mut apart = run;
        while apart > 0 {
            let mut start = apart % run;
            while start + apart < N {
                for a in start..(start + apart).min(N - apart) {
                    let b = a + apart;
                    if a / (2 * run) == b / (2 * run) {
                        sorted.compare(a, b);
                    }
                }
                start += 2 * apart;
            }
            apart /= 2;
        }
        run *= 2;
    }
    sorted
}

impl<V: Vector, const M: usize> Sorted<V, M> {
    /// Brings two weights in order.
    #[inline(always)]
    fn compare(&mut self, a: usize, b: usize) {
        let (xa, xb, pa, pb) = (self.x[a], self.x[b], self.place[a], self.place[b]);
        let (wa, wb) = (self.w[a], self.w[b]);
        let swap = xb.lt(xa) | (xb.same(xa) & pb.lt(pa));
        self.x[a] = V::select(swap, xb, xa);
        self.x[b] = V::select(swap, xa, xb);
        self.place[a] = V::select(swap, pb, pa);
        self.place[b] = V::select(swap, pa, pb);
        self.w[a] = V::select(swap, wb, wa);
        self.w[b] = V::select(swap, wa, wb);
    }
}

/// The best splits so far.
struct Best<V> {
    score: V,
    scale: V,
    /// The least weight of the middle level, and its place.
    middle: [V; 2],
    /// That of the highest level.
    high: [V; 2],
    shifts: [V; 2],
}

impl<V: Vector> Best<V> {
    #[inline(always)]
    fn new(isa: V::Isa) -> Self {
        let zero = V::splat(isa, 0.0);
        Self {
            score: V::splat(isa, f32::MIN),
            scale: zero,
            middle: [zero; 2],
            high: [zero; 2],
            shifts: [zero; 2],
        }
    }

    #[inline(always)]
    fn beaten(&self, sum_xl: V, sum_ll: V) -> V::Mask {
        // In a sound lane Σ w·l² is only zero if Σ w·x·l is, and this is false then.
        (sum_xl * sum_xl).gt(self.score * sum_ll)
    }

    /// Takes a split where it is better.
    #[inline(always)]
    fn offer<const M: usize>(
        &mut self,
        sum_xl: V,
        sum_ll: V,
        sorted: &Sorted<V, M>,
        (first, second): (usize, usize),
        shifts: [V; 2],
    ) {
        let better = self.beaten(sum_xl, sum_ll);
        let scale = sum_xl / sum_ll;
        self.score = V::select(better, scale * sum_xl, self.score);
        self.scale = V::select(better, scale, self.scale);
        self.middle[0] = V::select(better, sorted.x[first], self.middle[0]);
        self.middle[1] = V::select(better, sorted.place[first], self.middle[1]);
        self.high[0] = V::select(better, sorted.x[second], self.high[0]);
        self.high[1] = V::select(better, sorted.place[second], self.high[1]);
        self.shifts[0] = V::select(better, shifts[0], self.shifts[0]);
        self.shifts[1] = V::select(better, shifts[1], self.shifts[1]);
    }

    #[inline(always)]
    fn fit<const N: usize>(self, isa: V::Isa, x: &[V; N], sound: V::Mask) -> Fit<V, N> {
        let (zero, one, two) = (V::splat(isa, 0.0), V::splat(isa, 1.0), V::splat(isa, 2.0));
        // A negative scale turns the levels around.
        let turned = self.scale.lt(zero);
        let (direction, lowest) = (V::select(turned, zero - one, one), V::select(turned, two, zero));
        let mut levels = [zero; N];
        for (i, level) in levels.iter_mut().enumerate() {
            let place = V::splat(isa, i as f32);
            let low = x[i].lt(self.middle[0]) | (x[i].same(self.middle[0]) & place.lt(self.middle[1]));
            let not_high = x[i].lt(self.high[0]) | (x[i].same(self.high[0]) & place.lt(self.high[1]));
            let ascending = V::select(low, zero, V::select(not_high, one, two));
            *level = lowest + direction * ascending;
        }
        let [a, b] = self.shifts;
        Fit {
            levels,
            scale: V::select(turned, zero - self.scale, self.scale),
            shifts: [V::select(turned, one - a, a), V::select(turned, one - b, b)],
            found: !self.score.same(V::splat(isa, f32::MIN)),
            sound,
        }
    }
}

/// See [`search::split::one_shift`](crate::search::split::one_shift).
#[inline(always)]
pub(crate) fn one_shift<V: Vector>(isa: V::Isa, x: &[V; 32], w: &[V; 32]) -> Fit<V, 32> {
    let (zero, one) = (V::splat(isa, 0.0), V::splat(isa, 1.0));
    let sorted: Sorted<V, 33> = sort(isa, x, w);
    let (mut xs, mut ws) = ([zero; 33], [zero; 33]);
    for i in 0..32 {
        xs[i + 1] = xs[i] + sorted.w[i] * sorted.x[i];
        ws[i + 1] = ws[i] + sorted.w[i];
    }
    // What the weights above the second place add, by shift; and sums with the middle level, ±⅛, and its square as a
    // factor, which differences may be taken of in place of the sums: it is a power of two.
    let (mut high_x, mut high_w) = ([[zero; 33]; 2], [[zero; 33]; 2]);
    let (mut middle_x, mut middle_w) = ([zero; 33], [zero; 33]);
    let eighth = V::splat(isa, LEVELS[0][1]);
    for i in 0..33 {
        for shift in 0..2 {
            let level = V::splat(isa, LEVELS[shift][2]);
            high_x[shift][i] = (xs[32] - xs[i]) * level;
            high_w[shift][i] = (ws[32] - ws[i]) * level * level;
        }
        middle_x[i] = xs[i] * eighth;
        middle_w[i] = ws[i] * eighth * eighth;
    }
    let (low_up, low_down) = (V::splat(isa, LEVELS[0][0]), V::splat(isa, LEVELS[1][0]));
    let mut best = Best::new(isa);
    for first in 0..=32 {
        let (below_x, below_w) = (middle_x[first], middle_w[first]);
        let (x_up, x_down) = (xs[first] * low_up, xs[first] * low_down);
        let (w_up, w_down) = (ws[first] * low_up * low_up, ws[first] * low_down * low_down);
        for second in first..=32 {
            let (between_x, between_w) = (middle_x[second] - below_x, middle_w[second] - below_w);
            let xl_up = (x_up + between_x) + high_x[0][second];
            let xl_down = (x_down - between_x) + high_x[1][second];
            let ll_up = (w_up + between_w) + high_w[0][second];
            let ll_down = (w_down + between_w) + high_w[1][second];
            if V::any(best.beaten(xl_up, ll_up) | best.beaten(xl_down, ll_down)) {
                best.offer(xl_up, ll_up, &sorted, (first, second), [zero; 2]);
                best.offer(xl_down, ll_down, &sorted, (first, second), [one; 2]);
            }
        }
    }
    best.fit(isa, x, sound(isa, x, w))
}

/// See [`search::split::shift_by_half`](crate::search::split::shift_by_half).
#[inline(always)]
pub(crate) fn shift_by_half<V: Vector>(isa: V::Isa, x: &[V; 16], w: &[V; 16]) -> Fit<V, 16> {
    let (zero, one) = (V::splat(isa, 0.0), V::splat(isa, 1.0));
    let sorted: Sorted<V, 17> = sort(isa, x, w);
    // Each half's sums over all places: adding zero leaves them as they are.
    let (mut xs, mut ws) = ([[zero; 17]; 2], [[zero; 17]; 2]);
    for i in 0..16 {
        let (w, wx) = (sorted.w[i], sorted.w[i] * sorted.x[i]);
        let first_half = sorted.place[i].lt(V::splat(isa, 8.0));
        xs[0][i + 1] = xs[0][i] + V::select(first_half, wx, zero);
        ws[0][i + 1] = ws[0][i] + V::select(first_half, w, zero);
        xs[1][i + 1] = xs[1][i] + V::select(first_half, zero, wx);
        ws[1][i + 1] = ws[1][i] + V::select(first_half, zero, w);
    }
    // By half and shift: sums as if all were on the highest level; what the square sums lose by the place of the middle
    // level's begin, and of the highest one's.
    let (mut all_x, mut all_w) = ([[zero; 2]; 2], [[zero; 2]; 2]);
    let (mut to_low, mut to_middle) = ([[[zero; 17]; 2]; 2], [[[zero; 17]; 2]; 2]);
    for half in 0..2 {
        for (shift, &[low, middle, high]) in LEVELS.iter().enumerate() {
            let highest = V::splat(isa, high);
            all_x[half][shift] = xs[half][16] * highest;
            all_w[half][shift] = ws[half][16] * highest * highest;
            for i in 0..17 {
                to_low[half][shift][i] = ws[half][i] * V::splat(isa, low * low - middle * middle);
                to_middle[half][shift][i] = ws[half][i] * V::splat(isa, middle * middle - high * high);
            }
        }
    }
    let mut best = Best::new(isa);
    for first in 0..=16 {
        let mut low_w = all_w;
        for half in 0..2 {
            for shift in 0..2 {
                low_w[half][shift] = all_w[half][shift] + to_low[half][shift][first];
            }
        }
        for second in first..=16 {
            let (mut xl, mut ll) = ([[zero; 2]; 2], [[zero; 2]; 2]);
            for half in 0..2 {
                let below = xs[half][first] + xs[half][second];
                for shift in 0..2 {
                    xl[half][shift] = all_x[half][shift] - below;
                    ll[half][shift] = low_w[half][shift] + to_middle[half][shift][second];
                }
            }
            let up_up = (xl[0][0] + xl[1][0], ll[0][0] + ll[1][0]);
            let up_down = (xl[0][0] + xl[1][1], ll[0][0] + ll[1][1]);
            let down_up = (xl[0][1] + xl[1][0], ll[0][1] + ll[1][0]);
            let down_down = (xl[0][1] + xl[1][1], ll[0][1] + ll[1][1]);
            let up = best.beaten(up_up.0, up_up.1) | best.beaten(up_down.0, up_down.1);
            let down = best.beaten(down_up.0, down_up.1) | best.beaten(down_down.0, down_down.1);
            if V::any(up | down) {
                let at = (first, second);
                best.offer(up_up.0, up_up.1, &sorted, at, [zero, zero]);
                best.offer(up_down.0, up_down.1, &sorted, at, [zero, one]);
                best.offer(down_up.0, down_up.1, &sorted, at, [one, zero]);
                best.offer(down_down.0, down_down.1, &sorted, at, [one, one]);
            }
        }
    }
    best.fit(isa, x, sound(isa, x, w))
}
