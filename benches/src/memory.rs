//! What one core gets out of the memory, whatever it does with it: the limit of work that is as fast as memory.

use std::hint::black_box;
use std::time::Instant;

/// Words in the array, which no cache holds: 64 MiB.
const WORDS: usize = 8 << 20;
/// Words in a cache line.
const LINE: usize = 8;
const TURNS: usize = 15;

/// How fast reading alone is.
#[derive(Debug)]
pub struct Memory {
    /// Bytes a second that a copy reads; it writes as many.
    pub copied: f64,
    /// Bytes a second when an array is read at 1, 2, 4 and 8 places in turn, a line at each.
    pub read: [f64; 4],
}

impl Memory {
    /// Measures for a second or so: medians.
    #[must_use]
    pub fn measure() -> Self {
        let from = vec![1u64; WORDS];
        let mut to = vec![2u64; WORDS];
        let copied = rate(|| {
            to.copy_from_slice(black_box(&from));
            black_box(&mut to);
        });
        Self {
            copied,
            read: [1, 2, 4, 8].map(|places| rate(|| _ = black_box(mix(black_box(&from), places)))),
        }
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [one, two, four, eight] = self.read.map(|rate| rate / 1e9);
        let copied = self.copied / 1e9;
        write!(
            f,
            "memory: a copy reads {copied:.1} GB/s and writes as much; reading alone, \
             at 1, 2, 4, 8 places in turn: {one:.1}, {two:.1}, {four:.1}, {eight:.1} GB/s"
        )
    }
}

/// All words of an array, a line from each of some places in turn.
fn mix(words: &[u64], places: usize) -> [u64; LINE] {
    let len = words.len() / places / LINE * LINE;
    let mut all = [0; LINE];
    for at in (0..len).step_by(LINE) {
        for place in 0..places {
            let line = &words[place * len + at..][..LINE];
            for (all, word) in all.iter_mut().zip(line) {
                *all ^= word;
            }
        }
    }
    all
}

fn rate(mut work: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..TURNS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    size_of::<u64>() as f64 * WORDS as f64 / seconds[TURNS / 2]
}

#[cfg(test)]
mod tests {
    use super::mix;

    #[test]
    fn every_word_is_read_once_from_any_number_of_places() {
        let words: Vec<u64> = (0..1024).map(|i| i * 0x9e37_79b9).collect();
        for places in [2, 4, 8] {
            assert_eq!(mix(&words, places), mix(&words, 1));
        }
    }
}
