//! Damage to GGUF files: every kind that leaves most of the file as it was. The same files on every machine.

use fixture_models::split_mix;

use super::file::{Encoding, File, Pair};

/// A damaged file.
#[derive(Debug)]
pub(super) struct Damaged {
    /// What was done to it.
    pub done: String,
    pub bytes: Vec<u8>,
}

impl AsRef<[u8]> for Damaged {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

const LITTLE: Encoding = Encoding { big: false, wide: true };

/// All of them, or every so many of each kind; `random` of the kinds that are drawn.
pub(super) fn files(every: usize, random: usize) -> Vec<Damaged> {
    let mut files = Vec::new();
    let whole = |file: File, what: &str| Damaged { done: what.to_owned(), bytes: file.write().0 };
    files.push(whole(File::whole(LITTLE, 3, 32), "nothing"));
    files.push(whole(File::whole(LITTLE, 2, 32), "version 2"));
    files.push(whole(File::whole(LITTLE, 3, 1), "alignment 1"));
    files.push(whole(File::whole(LITTLE, 3, 256), "alignment 256"));
    for big in [false, true] {
        files.push(whole(File::whole(Encoding { big, wide: false }, 1, 32), "version 1"));
    }
    files.push(whole(File::whole(Encoding { big: true, wide: true }, 3, 32), "big-endian"));
    for alignment in [32, 1] {
        let (bytes, header) = File::whole(LITTLE, 3, alignment).write();
        files.extend(cut_short(&bytes).step_by(every));
        files.extend(bits_flipped(&bytes, header.len()).step_by(every));
        files.extend(numbers_replaced(&bytes, header.len()).step_by(every));
    }
    files.extend((0..random as u64).map(drawn));
    files
}

fn cut_short(whole: &[u8]) -> impl Iterator<Item = Damaged> {
    (0..whole.len())
        .map(|len| Damaged { done: format!("cut after {len} bytes"), bytes: whole[..len].to_vec() })
}

fn bits_flipped(whole: &[u8], header: usize) -> impl Iterator<Item = Damaged> {
    (0..header * 8).map(|bit| {
        let mut bytes = whole.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        Damaged { done: format!("bit {} of byte {} flipped", bit % 8, bit / 8), bytes }
    })
}

/// Numbers that have been a reader's end.
const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    9,
    13,
    255,
    (1 << 31) - 1,
    1 << 31,
    u32::MAX as u64,
    (1 << 42) + 1,
    1 << 62,
    i64::MAX as u64 - 63,
    i64::MAX as u64,
    1 << 63,
    u64::MAX - 31,
    u64::MAX,
];

/// At every place of the header, 32 and 64 bits replaced by each of the numbers.
fn numbers_replaced(whole: &[u8], header: usize) -> impl Iterator<Item = Damaged> {
    let places = (0..header).flat_map(|at| [(at, 4), (at, 8)]);
    let all = places.flat_map(|place| NUMBERS.iter().enumerate().map(move |(i, number)| (place, i, number)));
    // Narrow ones once only.
    all.filter(|((_, width), _, number)| *width == 8 || u32::try_from(**number).is_ok()).filter_map(
        move |((at, width), i, number)| {
            // A third of them: the file is small enough to have each field hit by all the same.
            if (at + i) % 3 > 0 {
                return None;
            }
            let mut bytes = whole.to_vec();
            bytes.get_mut(at..at + width)?.copy_from_slice(&number.to_le_bytes()[..width]);
            Some(Damaged { done: format!("{width} bytes at {at} are {number}"), bytes })
        },
    )
}

/// Numbers out of a seed.
struct Random {
    seed: u64,
    drawn: u64,
}

impl Random {
    fn next(&mut self) -> u64 {
        self.drawn += 1;
        split_mix(self.seed, self.drawn)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

type Change = fn(&mut File, &mut Random);

/// Changes that know what they change.
const CHANGES: &[(&str, Change)] = &[
    ("version", |file, random| {
        file.version = random.of(&[0, 1, 2, 3, 4, 3 << 24, 2 << 24, 1 << 24, u32::MAX]);
    }),
    ("number of tensors", |file, random| file.counts[0] = Some(near(random, file.tensors.len() as u64))),
    ("number of pairs", |file, random| file.counts[1] = Some(near(random, file.pairs.len() as u64))),
    ("pair lost", |file, random| drop(file.pairs.remove(random.below(file.pairs.len())))),
    ("pair twice", |file, random| {
        let pair = file.pairs[random.below(file.pairs.len())].clone();
        file.pairs.insert(random.below(file.pairs.len()), pair);
    }),
    ("key", |file, random| {
        let at = random.below(file.pairs.len());
        file.pairs[at].key = name(random);
    }),
    ("length of a key", |file, random| {
        let at = random.below(file.pairs.len());
        file.pairs[at].key_len = Some(near(random, file.pairs[at].key.len() as u64));
    }),
    ("type of a value", |file, random| {
        let at = random.below(file.pairs.len());
        file.pairs[at].ty = random.below(15) as u32;
    }),
    ("type of an array", |file, random| {
        let at = random.below(file.pairs.len());
        if let Some((ty, _)) = &mut file.pairs[at].array {
            *ty = random.below(15) as u32;
        }
    }),
    ("length of an array", |file, random| {
        let at = random.below(file.pairs.len());
        if let Some((_, count)) = &mut file.pairs[at].array {
            *count = near(random, *count);
        }
    }),
    ("array of arrays", |file, random| {
        let mut pair = Pair { array: Some((9, 1)), ..Pair::new("nested", 9, Vec::new()) };
        for _ in 0..random.below(6) {
            LITTLE.u32(&mut pair.value, 9);
            LITTLE.length(&mut pair.value, 1);
        }
        LITTLE.u32(&mut pair.value, 0);
        LITTLE.length(&mut pair.value, 0);
        file.pairs.push(pair);
    }),
    ("bool", |file, random| {
        file.pairs.push(Pair::new("bool", 7, vec![random.of(&[0, 1, 2, 255])]));
    }),
    ("empty array", |file, random| {
        file.pairs
            .push(Pair { array: Some((random.below(13) as u32, 0)), ..Pair::new("empty", 9, Vec::new()) });
    }),
    ("text", |file, random| file.pairs.push(Pair::text(LITTLE, "text", &name(random)))),
    ("alignment", |file, random| {
        let alignment = random.of(&[0, 1, 2, 8, 13, 16, 32, 64, 4096, 1 << 31, u32::MAX]);
        let mut pair = Pair::new("general.alignment", random.of(&[4, 4, 4, 5, 6]), Vec::new());
        LITTLE.u32(&mut pair.value, alignment);
        file.pairs.retain(|pair| pair.key != b"general.alignment");
        file.pairs.push(pair);
    }),
    ("alignment, kept to", |file, random| {
        let alignment = random.of(&[1, 2, 8, 16, 64, 512]);
        let pairs = std::mem::take(&mut file.pairs);
        *file = File { pairs, ..File::whole(LITTLE, file.version, alignment) };
        let mut pair = Pair::new("general.alignment", 4, Vec::new());
        LITTLE.u32(&mut pair.value, alignment);
        file.pairs.retain(|pair| pair.key != b"general.alignment");
        file.pairs.push(pair);
    }),
    ("tensor lost", |file, random| drop(file.tensors.remove(random.below(file.tensors.len())))),
    ("last tensor lost", |file, _| drop(file.tensors.pop())),
    ("no tensors", |file, random| {
        file.tensors.clear();
        file.data *= random.below(2);
    }),
    ("tensor twice", |file, random| {
        let tensor = file.tensors[random.below(file.tensors.len())].clone();
        file.tensors.push(tensor);
    }),
    ("tensors change places", |file, random| {
        let (a, b) = (random.below(file.tensors.len()), random.below(file.tensors.len()));
        file.tensors.swap(a, b);
    }),
    ("name", |file, random| {
        let at = random.below(file.tensors.len());
        file.tensors[at].name = name(random);
    }),
    ("length of a name", |file, random| {
        let at = random.below(file.tensors.len());
        file.tensors[at].name_len = Some(near(random, file.tensors[at].name.len() as u64));
    }),
    ("number of dimensions", |file, random| {
        let at = random.below(file.tensors.len());
        file.tensors[at].dims_count = Some(random.of(&[0, 1, 2, 3, 4, 5, 255, 1 << 31, u32::MAX]));
    }),
    ("dimensions", |file, random| {
        let at = random.below(file.tensors.len());
        file.tensors[at].dims = (0..random.below(6)).map(|_| near(random, 8)).collect();
    }),
    ("a dimension", |file, random| {
        let at = random.below(file.tensors.len());
        let dims = &mut file.tensors[at].dims;
        let dim = random.below(dims.len());
        if let Some(dim) = dims.get_mut(dim) {
            *dim = near(random, *dim);
        }
    }),
    ("dimensions of 1", |file, random| {
        let at = random.below(file.tensors.len());
        let dims = &mut file.tensors[at].dims;
        dims.extend(std::iter::repeat_n(1, random.below(5 - dims.len())));
    }),
    ("no dimensions", |file, _| {
        if let Some(last) = file.tensors.last_mut() {
            last.dims.clear();
        }
    }),
    ("type of a tensor", |file, random| {
        let at = random.below(file.tensors.len());
        file.tensors[at].ty = random.below(46) as u32;
    }),
    ("offset", |file, random| {
        let at = random.below(file.tensors.len());
        let offset = &mut file.tensors[at].offset;
        *offset = if random.below(2) == 0 { *offset + 32 } else { near(random, *offset) };
    }),
    ("a gap", |file, random| {
        let at = random.below(file.tensors.len());
        file.tensors[at..].iter_mut().for_each(|tensor| tensor.offset += 64);
        file.data += 64;
    }),
    ("less data", |file, random| file.data = file.data.saturating_sub(1 + random.below(64))),
    ("more data", |file, random| file.data += 1 + random.below(64)),
];

/// One to three changes, and at times bytes put in or taken out anywhere.
fn drawn(seed: u64) -> Damaged {
    let mut random = Random { seed, drawn: 0 };
    let mut file = File::whole(LITTLE, 3, random.of(&[32, 32, 32, 1, 64]));
    let mut done = format!("seed {seed}:");
    for _ in 0..=random.below(3) {
        let (name, change) = random.of(CHANGES);
        if !file.tensors.is_empty() && file.tensors.iter().all(|tensor| tensor.dims.len() < 5) {
            change(&mut file, &mut random);
            done.push_str(&format!(" {name};"));
        }
    }
    let (mut bytes, header) = file.write();
    if random.below(8) == 0 {
        let at = random.below(header.end);
        let count = random.below(12);
        if random.below(2) == 0 {
            bytes.drain(at..at + count.min(bytes.len() - at));
            done.push_str(&format!(" {count} bytes at {at} taken out;"));
        } else {
            bytes.splice(at..at, std::iter::repeat_n(random.next() as u8, count));
            done.push_str(&format!(" {count} bytes put in at {at};"));
        }
    }
    Damaged { done, bytes }
}

/// One of the numbers, or one beside this.
fn near(random: &mut Random, number: u64) -> u64 {
    match random.below(8) {
        0 => number.wrapping_add(1),
        1 => number.wrapping_sub(1),
        2 => number.wrapping_mul(2),
        3 => random.next() >> random.below(64),
        _ => random.of(&NUMBERS),
    }
}

/// A name or a key.
fn name(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0 => Vec::new(),
        1 => b"a\0b".to_vec(),
        2 => b"\xff".to_vec(),
        3 => vec![b'n'; 62 + random.below(4)],
        4 => vec![b'k'; 65_534 + random.below(4)],
        5 => b"general.alignment".to_vec(),
        6 => "ein_größerer.Name".into(),
        _ => b"token_embd.weight".to_vec(),
    }
}
