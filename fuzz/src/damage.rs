//! Damage to files: what a fuzzer changes when it knows that most of a file should stay.

/// One change to one of several files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// What happens.
    pub kind: Kind,
    /// Which file, modulo their number.
    pub file: u8,
    /// Where in it, modulo its length.
    pub at: u32,
    /// What is put there, if anything; of what is taken out, the number of bytes is this one's length.
    pub bytes: Vec<u8>,
}

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The bytes take the place of others.
    Set,
    /// The bytes are put in.
    Insert,
    /// As many bytes are taken out.
    Remove,
    /// The file ends here.
    CutOff,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Set, Self::Insert, Self::Remove, Self::CutOff];
}

/// Reads changes, one after another to the end of the input: a byte each for the kind (modulo 4) and the file, four for
/// the place (little-endian), one for the number of bytes, then these. What is too short for a change is left alone.
pub(crate) fn read(mut input: &[u8]) -> Vec<Damage> {
    let mut damages = Vec::new();
    while let Some((&[kind, file, a, b, c, d, count], rest)) = input.split_first_chunk() {
        let (bytes, rest) = rest.split_at(rest.len().min(count.into()));
        let kind = Kind::ALL[usize::from(kind % 4)];
        damages.push(Damage { kind, file, at: u32::from_le_bytes([a, b, c, d]), bytes: bytes.to_vec() });
        input = rest;
    }
    damages
}

/// What [`read`] reads as this; at most 255 bytes count.
pub(crate) fn write(damage: &Damage) -> Vec<u8> {
    let bytes = &damage.bytes[..damage.bytes.len().min(255)];
    let mut out = vec![damage.kind as u8, damage.file];
    out.extend(damage.at.to_le_bytes());
    out.push(bytes.len() as u8);
    out.extend(bytes);
    out
}

impl Damage {
    /// Does it to its one of the files.
    pub(crate) fn apply<'a>(&self, mut files: impl ExactSizeIterator<Item = &'a mut Vec<u8>>) {
        let number = usize::from(self.file) % files.len().max(1);
        let Some(file) = files.nth(number) else { return };
        let start = self.at as usize % file.len().max(1);
        let end = (start + self.bytes.len()).min(file.len());
        match self.kind {
            Kind::Set => file.iter_mut().skip(start).zip(&self.bytes).for_each(|(old, new)| *old = *new),
            Kind::Insert => drop(file.splice(start..start, self.bytes.iter().copied())),
            Kind::Remove => drop(file.drain(start..end)),
            Kind::CutOff => file.truncate(start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Damage, Kind, read, write};

    #[test]
    fn what_is_written_is_read() {
        let damages = Kind::ALL.map(|kind| Damage { kind, file: 3, at: 70_000, bytes: vec![1, 2, 3] });
        let input: Vec<u8> = damages.iter().flat_map(write).collect();
        assert_eq!(read(&input), damages);
    }

    #[test]
    fn kinds_do_what_they_say() {
        let done = |kind, at| {
            let mut files = [vec![0; 2], b"abcdef".to_vec()];
            Damage { kind, file: 5, at, bytes: b"XY".to_vec() }.apply(files.iter_mut());
            assert_eq!(files[0], [0, 0]);
            String::from_utf8(files[1].clone()).expect("text")
        };
        assert_eq!(done(Kind::Set, 1), "aXYdef");
        assert_eq!(done(Kind::Set, 5), "abcdeX");
        assert_eq!(done(Kind::Insert, 8), "abXYcdef");
        assert_eq!(done(Kind::Remove, 5), "abcde");
        assert_eq!(done(Kind::CutOff, 2), "ab");
    }
}
