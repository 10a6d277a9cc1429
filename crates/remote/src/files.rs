//! Reading files that may be anything: a pipe keeps nobody waiting, and no device or file of any size
//! fills the memory.

use std::fs::Metadata;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use fs_err::os::unix::fs::OpenOptionsExt as _;
use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// Opens an ordinary file for reading, or the null device, which many put in the place of a file that
/// shall be empty.
pub(crate) fn open(path: &Path) -> io::Result<(fs_err::File, Metadata)> {
    let mut options = fs_err::OpenOptions::new();
    // A pipe would be waited for until somebody writes into it.
    options.read(true).custom_flags(OFlags::NONBLOCK.union(OFlags::NOCTTY).bits() as i32);
    let file = options.open(path)?;
    let facts = file.metadata()?;
    if facts.is_file() || is_null(&facts) {
        return Ok((file, facts));
    }
    let why = format!("could not read `{}`: it is not an ordinary file", path.display());
    Err(io::Error::new(io::ErrorKind::InvalidInput, why))
}

/// What is in such a file, if it is not more than `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let (file, facts) = open(path)?;
    let too_large = || {
        let why = format!("could not read `{}`: it has more than {limit} bytes", path.display());
        io::Error::new(io::ErrorKind::FileTooLarge, why)
    };
    if facts.len() > limit {
        return Err(too_large());
    }
    // Room for all of it: what grows leaves copies of itself behind.
    let room = usize::try_from(facts.len()).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    // It may have grown meanwhile, or not know its length.
    if usize::try_from(limit).is_ok_and(|limit| bytes.len() > limit) {
        return Err(too_large());
    }
    Ok(bytes)
}

/// The same of a text.
pub(crate) fn read_text(path: &Path, limit: u64) -> io::Result<Zeroizing<String>> {
    let bytes = read(path, limit)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        let why = format!("could not read `{}`: it is not text in UTF-8", path.display());
        io::Error::new(io::ErrorKind::InvalidData, why)
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn is_null(facts: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    facts.file_type().is_char_device()
        && std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == facts.rdev())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn what_is_no_ordinary_file_is_told_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        for path in [pipe(dir.path()), dir.path().to_owned(), PathBuf::from("/dev/zero")] {
            let refused = read(&path, 10).unwrap_err().to_string();
            let shown = format!("`{}`: it is not an ordinary file", path.display());
            assert!(refused.contains(&shown), "{refused}");
        }
    }

    #[test]
    fn a_file_is_read_up_to_its_limit_and_refused_beyond_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(read_text(&path, 10).unwrap().as_str(), "0123456789");
        let refused = read(&path, 9).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge);
        assert!(refused.to_string().contains("it has more than 9 bytes"), "{refused}");
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(read_text(&path, 9).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn the_null_device_is_an_empty_file() {
        assert!(read(Path::new("/dev/null"), 0).unwrap().is_empty());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_that_does_not_know_its_length_has_a_limit_too() {
        let refused = read(Path::new("/proc/self/status"), 10).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge);
    }

    /// A pipe nobody ever writes into.
    pub(crate) fn pipe(folder: &Path) -> PathBuf {
        let path = folder.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        path
    }

    /// A file of a length that takes no room.
    pub(crate) fn hollow(folder: &Path, length: u64) -> PathBuf {
        let path = folder.join("hollow");
        std::fs::File::create(&path).unwrap().set_len(length).unwrap();
        path
    }
}
