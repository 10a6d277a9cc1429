//! The end of what a command prints; the rest is forgotten as it comes, and the text says so.

/// Keeps the last `limit` bytes of a stream in at most twice that.
#[derive(Debug)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
    limit: usize,
    /// How much came in all.
    total: u64,
}

impl Tail {
    pub(crate) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, total: 0 }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let useful = &bytes[bytes.len().saturating_sub(self.limit)..];
        if self.bytes.len() + useful.len() > 2 * self.limit {
            let kept = self.limit - useful.len();
            self.bytes.drain(..self.bytes.len().saturating_sub(kept));
        }
        self.bytes.extend_from_slice(useful);
    }

    /// Whether more came than is kept.
    pub(crate) fn is_cut(&self) -> bool {
        self.total > self.limit as u64
    }

    /// The text, with what is not UTF-8 replaced. When it is only the end, its first line says how
    /// much is left out.
    pub(crate) fn into_text(mut self) -> String {
        if self.bytes.len() > self.limit {
            let mut start = self.bytes.len() - self.limit;
            // Not in the middle of a character.
            while start < self.bytes.len() && self.bytes[start] & 0b1100_0000 == 0b1000_0000 {
                start += 1;
            }
            self.bytes.drain(..start);
        }
        let left_out = self.total - self.bytes.len() as u64;
        let text = match String::from_utf8(self.bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        if left_out == 0 {
            text
        } else {
            format!("[the first {left_out} bytes are left out]\n{text}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_memory_is_bounded() {
        let mut tail = Tail::new(10);
        for index in 0..100 {
            tail.push(format!("{index:02}").as_bytes());
            assert!(tail.bytes.len() <= 20);
        }
        assert_eq!(tail.into_text(), "[the first 190 bytes are left out]\n9596979899");
    }

    #[test]
    fn one_push_larger_than_all_is_cut() {
        let mut tail = Tail::new(4);
        tail.push(b"ab");
        tail.push(b"0123456789");
        assert_eq!(tail.into_text(), "[the first 8 bytes are left out]\n6789");
    }

    #[test]
    fn no_character_is_cut_in_two_and_bad_bytes_are_replaced() {
        let mut tail = Tail::new(4);
        tail.push("aéé".as_bytes());
        tail.push(b"b");
        assert_eq!(tail.into_text(), "[the first 3 bytes are left out]\néb");
        let mut tail = Tail::new(4);
        tail.push(&[b'a', 0xff]);
        assert_eq!(tail.into_text(), "a\u{fffd}");
    }
}
