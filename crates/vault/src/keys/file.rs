use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::{KeyLock, KeySource};
use crate::error::{LOCK, VaultError};
use crate::key::{Key, KeyRing};

/// Keys in a file that nobody else may read.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
}

/// More than any number of keys in use takes.
const TOO_MUCH: u64 = 64 * 1024;

impl KeyFile {
    /// The file at this place, which need not be there.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn failed(&self, doing: &'static str, why: impl std::fmt::Display) -> VaultError {
        VaultError::Keys { doing, keys: self.describe(), why: why.to_string() }
    }

    /// Where the file is in truth, whatever links lead there.
    fn place(&self) -> PathBuf {
        std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone())
    }

    /// The keys in a new file beside the one they are for, written to the disk.
    fn written(&self, folder: &Path, ring: &KeyRing) -> Result<NamedTempFile, VaultError> {
        // Such files are made with mode 0600.
        let failed = |why| self.failed("write", without_path(why));
        let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(ring.to_text().as_bytes())
            .and_then(|()| file.as_file().sync_all())
            .map_err(failed)?;
        Ok(file)
    }

    fn folder(&self) -> Result<PathBuf, VaultError> {
        let place = self.place();
        let folder = place.parent().unwrap_or_else(|| Path::new("/")).to_owned();
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&folder).map_err(|why| self.failed("write", why))?;
        Ok(folder)
    }

    /// The name of a file lasts when its folder was written.
    fn sync(&self, folder: &Path) -> Result<(), VaultError> {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|why| self.failed("write", why))
    }
}

/// The same failure without the name of a file that is made by chance and says nothing to anybody.
fn without_path(why: std::io::Error) -> std::io::Error {
    if why.raw_os_error().is_some() { why } else { why.kind().into() }
}

impl KeySource for KeyFile {
    fn describe(&self) -> String {
        format!("the key file `{}`", self.path.display())
    }

    fn load(&self) -> Result<Option<KeyRing>, VaultError> {
        let mut options = OpenOptions::new();
        // A pipe would be waited for until somebody writes into it.
        options.read(true).custom_flags(OFlags::NONBLOCK.union(OFlags::NOCTTY).bits() as i32);
        let file = match options.open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(self.failed("read", why)),
        };
        let facts = file.metadata().map_err(|why| self.failed("read", why))?;
        if !facts.is_file() {
            return Err(self.failed("read", "it is not a file"));
        }
        let mode = facts.mode() & 0o7777;
        let user = rustix::process::geteuid().as_raw();
        if mode & 0o077 != 0 || ![user, 0].contains(&facts.uid()) {
            let path = self.path.clone();
            return Err(VaultError::Unsafe { path, mode, owner: facts.uid(), user });
        }
        if facts.len() > TOO_MUCH {
            return Err(self.failed("read", "it is too large for a key"));
        }
        // Room for all of it: a text that grows leaves copies of itself behind.
        let room = usize::try_from(TOO_MUCH).unwrap_or_default();
        let mut text = Zeroizing::new(String::with_capacity(room));
        file.take(TOO_MUCH).read_to_string(&mut text).map_err(|why| self.failed("read", why))?;
        let ring = KeyRing::parse(&text);
        ring.map(Some).map_err(|why| VaultError::InvalidKey {
            keys: self.describe(),
            why,
            anew: None,
        })
    }

    fn create(&self, key: Key) -> Result<KeyRing, VaultError> {
        // Where keys are put by others, it may not be possible to write.
        if let Some(ring) = self.load()? {
            return Ok(ring);
        }
        let folder = self.folder()?;
        let ring = KeyRing::new(key);
        match self.written(&folder, &ring)?.persist_noclobber(self.place()) {
            Ok(_) => {
                self.sync(&folder)?;
                Ok(ring)
            }
            // Another run was faster: its key counts.
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                self.load()?.ok_or_else(|| VaultError::NoKey { keys: self.describe(), anew: None })
            }
            Err(error) => Err(self.failed("write", error.error)),
        }
    }

    fn save(&self, ring: &KeyRing) -> Result<(), VaultError> {
        let folder = self.folder()?;
        let file = self.written(&folder, ring)?;
        file.persist(self.place()).map_err(|why| self.failed("write", why.error))?;
        self.sync(&folder)
    }

    fn is_writable(&self) -> bool {
        true
    }

    fn lock(&self) -> Result<KeyLock, VaultError> {
        // The file itself is replaced, so its folder is what is locked.
        let folder = File::open(self.folder()?).map_err(|why| self.failed(LOCK, why))?;
        KeyLock::of(folder).map_err(|why| self.failed(LOCK, why))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn key(byte: u8) -> Key {
        Key::new(&[byte; 32])
    }

    #[test]
    fn a_key_file_is_made_for_its_owner_alone_and_the_first_key_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("a/b/key"));
        assert!(file.load().unwrap().is_none());
        assert_eq!(file.create(key(1)).unwrap(), KeyRing::new(key(1)));
        assert_eq!(file.create(key(2)).unwrap(), KeyRing::new(key(1)), "it was there");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&file.path), mode(&folder.path().join("a/b"))), (0o600, 0o700));
        let both = KeyRing::new(key(1)).with_newest(key(2));
        file.save(&both).unwrap();
        assert_eq!((file.load().unwrap(), mode(&file.path)), (Some(both), 0o600));
        assert_eq!(std::fs::read_dir(folder.path().join("a/b")).unwrap().count(), 1);
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("key"));
        file.create(key(1)).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o777] {
            std::fs::set_permissions(&file.path, Permissions::from_mode(mode)).unwrap();
            let error = file.load().unwrap_err();
            assert!(matches!(error, VaultError::Unsafe { mode: told, .. } if told == mode));
        }
        for mode in [0o600, 0o400] {
            std::fs::set_permissions(&file.path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(file.load().unwrap(), Some(KeyRing::new(key(1))));
        }
    }

    #[test]
    fn a_key_file_that_is_cut_is_told_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("key"));
        file.create(Key::generate().unwrap()).unwrap();
        let text = std::fs::read_to_string(&file.path).unwrap();
        for length in 0..text.len() - 1 {
            std::fs::write(&file.path, &text[..length]).unwrap();
            let error = file.load().unwrap_err();
            assert!(matches!(error, VaultError::InvalidKey { .. }), "{length}: {error:?}");
            let shown = format!("{error:?} {error}");
            assert!(length < 8 || !shown.contains(&text[..8]), "{shown}");
        }
    }

    #[test]
    fn a_key_that_cannot_be_written_is_told_by_the_name_of_its_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, gone) = (KeyFile::new("/k/key"), folder.path().join("gone"));
        let error = file.written(&gone, &KeyRing::new(key(1))).unwrap_err().to_string();
        assert!(error.contains("`/k/key`") && error.ends_with("entity not found"), "{error}");
    }

    #[test]
    fn what_is_no_file_is_no_key_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = KeyFile::new(folder.path()).load().unwrap_err();
        assert!(error.to_string().contains("it is not a file"), "{error}");
        // Nobody ever writes into it.
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        let error = KeyFile::new(pipe).load().unwrap_err();
        assert!(error.to_string().contains("it is not a file"), "{error}");
    }

    #[test]
    fn a_link_to_a_key_file_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        KeyFile::new(&real).create(key(1)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        KeyFile::new(&link).save(&KeyRing::new(key(2))).unwrap();
        assert_eq!(KeyFile::new(&real).load().unwrap(), Some(KeyRing::new(key(2))));
        assert!(link.is_symlink());
    }
}
