//! The searches on sub-blocks side by side, one a lane: see [`crate::lanes`].
//!
//! Each does, lane by lane, what the plain search of the same name does. Where that depends on more than rounded
//! arithmetic (a level out of the range that `nearest_int` is made for) the lane is marked unsound, and its super-block
//! goes through the plain version.

pub(crate) mod affine;
pub(crate) mod grid;
mod grid_scale;
pub(crate) mod iq4;
pub(crate) mod q3;
pub(crate) mod qp;
pub(crate) mod qx;
pub(crate) mod snap;
pub(crate) mod split;

use crate::lanes::Vector;

/// Below this magnitude, the addition of [`NEAREST`](crate::search::rounding::NEAREST) rounds a value, and limits may be
/// applied before or after.
const ROUNDABLE: f32 = 2_097_152.0;

/// Σ x², in order.
#[inline(always)]
pub(crate) fn sum_of_squares<V: Vector, const S: usize>(isa: V::Isa, x: &[V; S]) -> V {
    let mut sum = V::splat(isa, 0.0);
    for &x in x {
        sum = sum + x * x;
    }
    sum
}

/// Σ w, in order.
#[inline(always)]
pub(crate) fn sum<V: Vector, const S: usize>(isa: V::Isa, w: &[V; S]) -> V {
    let mut sum = V::splat(isa, 0.0);
    for &w in w {
        sum = sum + w;
    }
    sum
}
