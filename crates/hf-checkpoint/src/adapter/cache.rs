//! Pieces of factors that were read last: many threads want the same ones.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;

/// Columns of a panel: what the product's innermost loop takes at a time.
pub(super) const PANEL: usize = 8;

/// A stretch of columns of a factor, in panels: for each panel all rows, [`PANEL`] columns wide.
pub(super) type Tile = Arc<Vec<[f32; PANEL]>>;

/// Which tile: of which update, which matrix of it, which stretch of columns.
pub(super) type Key = (usize, u64, u64);

/// Elements that are kept at most, besides those in use: 32 MiB.
const KEPT: usize = 8 << 20;

/// The tiles that were used last.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    tiles: Mutex<VecDeque<(Key, Tile)>>,
}

impl Cache {
    /// The tile of this key, made if it is not kept. Two threads may make the same one; it is the same.
    pub(super) fn get(&self, key: Key, make: impl FnOnce() -> Result<Tile, Error>) -> Result<Tile, Error> {
        let lock = || self.tiles.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut tiles = lock();
            if let Some(found) = tiles.iter().position(|(k, _)| *k == key).and_then(|at| tiles.remove(at)) {
                let tile = Arc::clone(&found.1);
                tiles.push_back(found);
                return Ok(tile);
            }
        }
        let tile = make()?;
        let mut tiles = lock();
        tiles.push_back((key, Arc::clone(&tile)));
        let mut elements: usize = tiles.iter().map(|(_, t)| t.len() * PANEL).sum();
        while elements > KEPT {
            let Some((_, oldest)) = tiles.pop_front() else { break };
            elements -= oldest.len() * PANEL;
        }
        Ok(tile)
    }
}
