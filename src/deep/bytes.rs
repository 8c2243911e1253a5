//! The part of a file that is at hand: a layer is a stream, and only a few pieces of each file are kept.

use std::ops::Range;

/// Some pieces of a file, and its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bytes {
    size: u64,
    pieces: Vec<(u64, Vec<u8>)>,
}

/// Why bytes are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absent {
    /// The file ends before.
    PastTheEnd,
    /// They are in the file, but were not kept.
    NotKept(Range<u64>),
}

impl Bytes {
    /// A file of this size, of which nothing is at hand yet.
    #[must_use]
    pub fn of_size(size: u64) -> Self {
        Self {
            size,
            pieces: Vec::new(),
        }
    }

    /// A whole file.
    #[must_use]
    pub fn whole(bytes: &[u8]) -> Self {
        let mut whole = Self::of_size(bytes.len() as u64);
        whole.add(0, bytes.to_vec());
        whole
    }

    /// Adds a piece that begins at `offset`.
    pub fn add(&mut self, offset: u64, piece: Vec<u8>) {
        self.pieces.push((offset, piece));
    }

    /// The size of the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// `length` bytes from `offset` on.
    ///
    /// # Errors
    /// When the file is shorter, or these bytes were not kept (in one piece).
    pub fn get(&self, offset: u64, length: u64) -> Result<&[u8], Absent> {
        let end = offset.checked_add(length).ok_or(Absent::PastTheEnd)?;
        if end > self.size {
            return Err(Absent::PastTheEnd);
        }
        let found = self.pieces.iter().find_map(|(start, piece)| {
            let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
            let to = from.checked_add(usize::try_from(length).ok()?)?;
            piece.get(from..to)
        });
        found.ok_or(Absent::NotKept(offset..end))
    }

    /// The first `N` bytes, with zeros after the end of a shorter file: what the kernel looks at.
    #[must_use]
    pub fn start<const N: usize>(&self) -> [u8; N] {
        let mut start = [0; N];
        let length = self.size.min(N as u64);
        if let Ok(bytes) = self.get(0, length) {
            for (to, from) in start.iter_mut().zip(bytes) {
                *to = *from;
            }
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_found_and_gaps_are_named() {
        let mut bytes = Bytes::of_size(100);
        bytes.add(0, vec![1, 2, 3]);
        bytes.add(90, vec![9; 10]);
        assert_eq!(bytes.get(1, 2), Ok(&[2, 3][..]));
        assert_eq!(bytes.get(95, 5), Ok(&[9; 5][..]));
        assert_eq!(bytes.get(2, 2), Err(Absent::NotKept(2..4)));
        assert_eq!(bytes.get(95, 6), Err(Absent::PastTheEnd));
        assert_eq!(bytes.get(u64::MAX, 2), Err(Absent::PastTheEnd));
        assert_eq!(Bytes::whole(b"#!").start::<4>(), [b'#', b'!', 0, 0]);
    }
}
