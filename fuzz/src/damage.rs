//! Damage to a file: what a fuzzer changes when it knows that most of the file should stay.

use arbitrary::Arbitrary;

/// One change.
#[derive(Arbitrary, Debug)]
pub enum Damage {
    /// These bytes are others.
    Set {
        /// Where, modulo the length.
        at: u32,
        /// The new bytes.
        bytes: [u8; 4],
        /// How many of them count, less one, modulo 4.
        count: u8,
    },
    /// Bytes are put in.
    Insert {
        /// Where, modulo the length.
        at: u32,
        /// What.
        bytes: Vec<u8>,
    },
    /// Bytes are taken out.
    Remove {
        /// Where, modulo the length.
        at: u32,
        /// How many.
        count: u16,
    },
    /// The file ends here.
    CutOff {
        /// Where, modulo the length.
        at: u32,
    },
}

impl Damage {
    /// Does it.
    pub fn apply(&self, file: &mut Vec<u8>) {
        let len = file.len();
        let place = |at: u32| at as usize % len.max(1);
        match self {
            Self::Set { at, bytes, count } => {
                let count = usize::from(count % 4) + 1;
                for (old, new) in file.iter_mut().skip(place(*at)).zip(bytes.iter().take(count)) {
                    *old = *new;
                }
            }
            Self::Insert { at, bytes } => {
                let at = place(*at);
                file.splice(at..at, bytes.iter().copied());
            }
            Self::Remove { at, count } => {
                let start = place(*at).min(len);
                file.drain(start..(start + usize::from(*count)).min(len));
            }
            Self::CutOff { at } => file.truncate(place(*at)),
        }
    }
}
