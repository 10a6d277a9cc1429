//! Known-hosts files on disk: those of the user, read, and our own, kept.

use std::ffi::OsString;
use std::fs::TryLockError;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs_err::os::unix::fs::OpenOptionsExt as _;
use russh::keys::PublicKey;
use stagecraft_core::remote::quote;

use super::known_hosts::{self, Line};
use crate::files;
use crate::folders::{folder_of, make_folder_of};

/// How long other writers are waited for. Each takes milliseconds; and a login, which waits for this, must
/// not be over its own limit first: then the host would be told of as unreachable.
const LOCK_LIMIT: Duration = Duration::from_secs(5);

/// How often the lock is tried.
const LOCK_INTERVAL: Duration = Duration::from_millis(10);

/// More than is known of any number of hosts: tens of thousands of keys take less.
const TOO_MUCH: u64 = 16 * 1024 * 1024;

/// A known-hosts file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It could not be read or written; the message names it.
    // Told in the message, so it is no source: who shows sources would say it twice.
    #[error("the known-hosts file cannot be used: {0}")]
    File(io::Error),
    /// Somebody else can have written to our own, so what it says is not believed.
    #[error("the known-hosts file is not believed: `{}` {why}", path.display())]
    Unsafe {
        /// The file or its folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// What the user can do.
        mend: String,
    },
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// A key some file knows for a host.
#[derive(Clone, Debug)]
pub(crate) struct KnownKey {
    pub(crate) key: PublicKey,
    /// Whether it must never be believed.
    pub(crate) revoked: bool,
    /// The file it is written in.
    pub(crate) file: PathBuf,
    /// Its line there, from 1.
    pub(crate) line: usize,
}

/// Our own known-hosts file. Safe to use from several tasks and processes at once.
#[derive(Clone, Debug)]
pub struct HostKeyStore {
    path: PathBuf,
}

impl HostKeyStore {
    /// The store in the file `path`, which need not exist.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Whether the file and its folder are what they seem, and nobody else's. They are in a folder that may
    /// come from somewhere else: a link in it would have us write to a file of somebody's choice, a pipe would
    /// never be read to its end, and keys that somebody else wrote are nothing to verify a host by.
    fn check(&self) -> Result<(), StoreError> {
        let refused = |path: &Path, what: &str| {
            let path = path.display();
            let why = format!("`{path}` is {what}; remove it, and one of our own is made");
            Err(StoreError::File(io::Error::other(why)))
        };
        let folder = folder_of(&self.path);
        for path in [folder, &self.path, &self.lock_file()] {
            match std::fs::symlink_metadata(path) {
                Ok(of) if of.is_symlink() => return refused(path, "a symbolic link"),
                Ok(of) if path != folder && !of.is_file() && !of.is_dir() => {
                    return refused(path, "not an ordinary file");
                }
                // What else is wrong with it is told by whoever opens it.
                Ok(_) | Err(_) => {}
            }
        }
        let me = rustix::process::geteuid().as_raw();
        let mut trusted = vec![me, 0];
        let around = std::path::absolute(folder)?;
        trusted
            .extend(around.parent().and_then(|around| Some(std::fs::metadata(around).ok()?.uid())));
        for path in [folder, &self.path] {
            let Ok(facts) = std::fs::symlink_metadata(path) else { continue };
            if let Some((why, mend)) = exposure(facts.mode() & 0o7777, facts.uid(), me, &trusted) {
                let mend = mend.replace("PATH", &quote(&path.display().to_string()));
                return Err(StoreError::Unsafe { path: path.to_owned(), why, mend });
            }
        }
        Ok(())
    }

    /// Drops the keys remembered under `aliases`, for instances that are gone. Says how many.
    ///
    /// # Errors
    /// When the file cannot be read or written; it is then as it was.
    pub fn forget(&self, aliases: &[String]) -> Result<usize, StoreError> {
        if aliases.is_empty() || !self.path.exists() {
            return Ok(0);
        }
        let _lock = self.lock()?;
        let text = read(&self.path)?;
        let dropped: Vec<usize> = known_hosts::parse(&text)
            .into_iter()
            .filter(|line| aliases.iter().any(|alias| line.is_only_for(alias)))
            .map(|line| line.number)
            .collect();
        if dropped.is_empty() {
            return Ok(0);
        }
        let mut kept = String::with_capacity(text.len());
        for (index, line) in text.lines().enumerate() {
            if !dropped.contains(&(index + 1)) {
                kept.push_str(line);
                kept.push('\n');
            }
        }
        let mut fresh = tempfile::NamedTempFile::new_in(folder_of(&self.path))?;
        fresh.write_all(kept.as_bytes())?;
        fresh.persist(&self.path).map_err(|error| error.error)?;
        Ok(dropped.len())
    }

    /// The keys remembered under `alias`.
    pub(super) fn keys_of(&self, alias: &str) -> Result<Vec<KnownKey>, StoreError> {
        Ok(self.file()?.keys(|line| line.is_for(alias)))
    }

    /// The file as it is now.
    pub(super) fn file(&self) -> Result<KnownFile, StoreError> {
        self.check()?;
        KnownFile::read(&self.path)
    }

    /// Remembers `key` under `alias` unless a key is already known for it. Returns what was known;
    /// empty means that `key` is remembered now.
    pub(super) fn remember(
        &self,
        alias: &str,
        key: &PublicKey,
    ) -> Result<Vec<KnownKey>, StoreError> {
        let entry =
            PublicKey::new(key.key_data().clone(), "").to_openssh().map_err(io::Error::other)?;
        let _lock = self.lock()?;
        let known = self.keys_of(alias)?;
        if !known.is_empty() {
            return Ok(known);
        }
        let mut file = fs_err::OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)?;
        let before = if ends_with_newline(&mut file)? { "" } else { "\n" };
        file.write_all(format!("{before}{alias} {}\n", entry.trim_end()).as_bytes())?;
        Ok(Vec::new())
    }

    /// Makes the folder of the file, which OpenSSH would not when it learns a key.
    pub(crate) fn prepare(&self) -> Result<(), StoreError> {
        self.check()?;
        Ok(make_folder_of(&self.path)?)
    }

    /// Waits for other writers, within a limit; released when dropped. The lock is on a file of its own, since
    /// [`Self::forget`] replaces the file itself.
    fn lock(&self) -> Result<fs_err::File, StoreError> {
        self.prepare()?;
        let file = fs_err::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.lock_file())?;
        let deadline = Instant::now() + LOCK_LIMIT;
        loop {
            match file.file().try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(LOCK_INTERVAL);
                }
                Err(TryLockError::WouldBlock) => return Err(self.held()),
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
    }

    fn held(&self) -> StoreError {
        let path = self.lock_file();
        let why = format!(
            "another run has held `{}` for more than {} s; end it, or go on when it is over",
            path.display(),
            LOCK_LIMIT.as_secs()
        );
        StoreError::File(io::Error::new(io::ErrorKind::WouldBlock, why))
    }

    fn lock_file(&self) -> PathBuf {
        let mut path = OsString::from(&self.path);
        path.push(".lock");
        PathBuf::from(path)
    }
}

/// What a known-hosts file says at one time; nothing when there is none.
#[derive(Clone, Debug)]
pub(super) struct KnownFile {
    path: PathBuf,
    text: String,
}

impl KnownFile {
    pub(super) fn read(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { path: path.to_owned(), text: read(path)? })
    }

    /// The keys it knows for the host a predicate recognises.
    pub(super) fn keys(&self, is_for: impl Fn(&Line) -> bool) -> Vec<KnownKey> {
        known_hosts::parse(&self.text)
            .into_iter()
            .filter(is_for)
            .map(|line| KnownKey {
                key: line.key,
                revoked: line.revoked,
                file: self.path.clone(),
                line: line.number,
            })
            .collect()
    }
}

/// Why keys in a file or folder with this mode and owner may be another's, and what to do then.
///
/// Believed are this user, root, and whose the folder around ours is: that one could put another in its place,
/// and a configuration file that says whom to believe. So runs by `sudo`, and in containers that have the
/// files of somebody outside, go on. A group may write: with the usual umask of many systems each user's
/// private group may.
fn exposure(mode: u32, owner: u32, me: u32, trusted: &[u32]) -> Option<(String, &'static str)> {
    if !trusted.contains(&owner) {
        let why = format!("belongs to user {owner}, who is neither you nor root");
        return Some((why, "find out who made it, and remove `PATH`: then keys are learned anew"));
    }
    // In a folder with the sticky bit only its own files are somebody's.
    (mode & 0o1002 == 0o002).then(|| {
        let why = format!("may be changed by everybody (its mode is {mode:04o})");
        // Only the owner and root can change a mode.
        let mend = if [owner, 0].contains(&me) {
            "run `chmod o-w PATH`, after a look at what it holds; on a file system where that changes nothing, \
             e.g. a Windows drive in WSL, move the project to one that keeps permissions"
        } else {
            "its owner or root can run `chmod o-w PATH`, after a look at what it holds; or move the project to \
             a folder of your own"
        };
        (why, mend)
    })
}

fn read(path: &Path) -> Result<String, StoreError> {
    match files::read(path, TOO_MUCH) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error.into()),
    }
}

fn ends_with_newline(file: &mut fs_err::File) -> io::Result<bool> {
    use std::io::{Seek as _, SeekFrom};
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests;
