//! From bytes to a text, or to the reason why they are none.

use super::problem::{Problem, Problems};
use super::source::Source;
use super::{Reading, read};
use crate::error::Code;

/// Larger files are refused unread.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// Decodes `bytes`; a byte order mark is left out.
///
/// When they are not a text, the problem comes with a source of what could be decoded.
pub(super) fn decode(bytes: &[u8]) -> (Source, Result<(), Problem>) {
    if bytes.len() > MAX_BYTES {
        let problem = Problem::new(
            Code::CONFIG_UNREADABLE,
            format!("the file is too large: {} bytes, at most {MAX_BYTES}", bytes.len()),
        )
        .with_help("check the path given with `--config`");
        return (Source::new(String::new()), Err(problem));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let mut problem = Problem::new(
                Code::CONFIG_SYNTAX,
                format!(
                    "the file is not UTF-8: byte 0x{:02x} is not part of a character",
                    bytes[at]
                ),
            )
            .at(at..at + char::REPLACEMENT_CHARACTER.len_utf8())
            .with_label("the first byte that is no text");
            problem = if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
                problem.with_help("the file looks like UTF-16: save it as UTF-8")
            } else {
                problem.with_help("save the file as UTF-8")
            };
            return (Source::new(String::from_utf8_lossy(bytes).into_owned()), Err(problem));
        }
    };
    let source = Source::new(text.to_owned());
    let forbidden = text
        .char_indices()
        .find(|&(_, c)| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}'));
    let outcome = match forbidden {
        Some((at, c)) => Err(Problem::new(
            Code::CONFIG_SYNTAX,
            format!("the file contains the control character U+{:04X}", u32::from(c)),
        )
        .at(at..at + c.len_utf8())
        .with_label("not allowed in YAML")
        .with_help("remove it")),
        None => Ok(()),
    };
    (source, outcome)
}

impl Problems {
    /// Problems found after parsing, by [`Config::environment`](super::Config::environment), with the
    /// text of the file.
    #[must_use]
    pub fn of_file(file: &str, bytes: &[u8], problems: Vec<Problem>) -> Self {
        let Reading { source, secrets, .. } = read(bytes);
        Self::new(file, &source, problems, &secrets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_be_as_large_as_the_limit_and_no_larger() {
        assert!(decode(&[b' '; MAX_BYTES]).1.is_ok());
        let problem = decode(&[b' '; MAX_BYTES + 1]).1.expect_err("it is refused");
        assert_eq!(problem.code, Code::CONFIG_UNREADABLE);
    }
}
