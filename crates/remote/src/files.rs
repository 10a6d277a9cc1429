//! Reading files that may be anything: a pipe keeps nobody waiting, and no device or file of any size
//! fills the memory.

use std::fs::Metadata;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// What is in an ordinary file, if it is not more than `limit` bytes; or in the null device, which many put
/// in the place of a file that shall be empty.
///
/// # Errors
/// Why it cannot be read. The file is not named: whoever asks knows how its user calls it.
pub fn read_file(path: &Path, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut options = std::fs::OpenOptions::new();
    // A pipe would be waited for until somebody writes into it.
    options.read(true).custom_flags(OFlags::NONBLOCK.union(OFlags::NOCTTY).bits() as i32);
    let file = options.open(path)?;
    let facts = file.metadata()?;
    if facts.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
    }
    if !facts.is_file() && !is_null(&facts) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not an ordinary file"));
    }
    let too_large = || {
        let why = match limit >> 20 {
            0 => format!("it has more than {limit} bytes"),
            mebibytes => format!("it is larger than {mebibytes} MiB"),
        };
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

/// The same, with errors that name it.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    read_file(path, limit).map_err(|error| {
        io::Error::new(error.kind(), format!("could not read `{}`: {error}", path.display()))
    })
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
        let (pipe, folder) = (pipe(dir.path()), dir.path().to_owned());
        for (path, is) in [
            (pipe, "it is not an ordinary file"),
            (folder, "it is a directory"),
            (PathBuf::from("/dev/zero"), "it is not an ordinary file"),
        ] {
            let refused = read(&path, 10).unwrap_err().to_string();
            assert_eq!(refused, format!("could not read `{}`: {is}", path.display()));
            assert_eq!(read_file(&path, 10).unwrap_err().to_string(), is);
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
