//! What the searches of a batch found, from lanes to super-blocks.

use crate::lanes::{MAX_LANES, Vector};

/// A number for each of `C` sub-blocks of each super-block.
#[derive(Clone)]
pub(super) struct Numbers<const C: usize>([[f32; C]; MAX_LANES]);

impl<const C: usize> Numbers<C> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self([[0.0; C]; MAX_LANES])
    }

    /// The numbers of group number `group` of as many sub-blocks as there are lanes.
    #[inline(always)]
    pub(super) fn set<V: Vector>(&mut self, group: usize, values: V) {
        values.store(&mut self.0.as_flattened_mut()[group * V::LANES..]);
    }

    #[inline(always)]
    pub(super) fn of(&self, super_block: usize) -> &[f32; C] {
        &self.0[super_block]
    }

    /// With a super-block in each lane.
    #[inline(always)]
    pub(super) fn columns<V: Vector>(&self, isa: V::Isa) -> [V; C] {
        crate::lanes::columns(isa, self.0.as_flattened())
    }
}

/// Which sub-blocks' results may be used.
pub(super) struct Sound<const C: usize>([u32; C]);

impl<const C: usize> Sound<C> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self([0; C])
    }

    #[inline(always)]
    pub(super) fn set<V: Vector>(&mut self, group: usize, mask: V::Mask) {
        self.0[group] = V::bits(mask);
    }

    /// Whether all sub-blocks of a super-block are sound.
    #[inline(always)]
    pub(super) fn all<V: Vector>(&self, super_block: usize) -> bool {
        let mut all = true;
        for sub_block in super_block * C..(super_block + 1) * C {
            all &= self.0[sub_block / V::LANES] >> (sub_block % V::LANES) & 1 != 0;
        }
        all
    }
}

/// A scale for the `C` numbers of each super-block, and their levels.
pub(super) struct Shared<const C: usize> {
    pub(super) scale: [f32; MAX_LANES],
    levels: [[f32; MAX_LANES]; C],
    sound: u32,
}

impl<const C: usize> Shared<C> {
    #[inline(always)]
    pub(super) fn new<V: Vector>(scale: V, levels: &[V; C], sound: V::Mask) -> Self {
        let mut all = Self { scale: [0.0; MAX_LANES], levels: [[0.0; MAX_LANES]; C], sound: V::bits(sound) };
        scale.store(&mut all.scale);
        for (to, from) in all.levels.iter_mut().zip(levels) {
            from.store(to);
        }
        all
    }

    #[inline(always)]
    pub(super) fn is_sound(&self, super_block: usize) -> bool {
        self.sound >> super_block & 1 != 0
    }

    /// One of the numbers kept as levels.
    #[inline(always)]
    pub(super) fn number(&self, index: usize, super_block: usize) -> f32 {
        self.levels[index][super_block]
    }

    /// The levels, none of which is negative.
    #[inline(always)]
    pub(super) fn levels(&self, super_block: usize) -> [u8; C] {
        let mut levels = [0; C];
        for (to, from) in levels.iter_mut().zip(&self.levels) {
            *to = from[super_block] as u8;
        }
        levels
    }
}

/// How many groups of as many sub-blocks as there are lanes hold some super-blocks of `sub_blocks` each.
#[inline(always)]
pub(super) fn groups<V: Vector>(super_blocks: usize, sub_blocks: usize) -> usize {
    (super_blocks * sub_blocks).div_ceil(V::LANES)
}
