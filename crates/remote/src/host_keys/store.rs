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
        let mut trusted = vec![rustix::process::geteuid().as_raw(), 0];
        let around = std::path::absolute(folder)?;
        trusted
            .extend(around.parent().and_then(|around| Some(std::fs::metadata(around).ok()?.uid())));
        for path in [folder, &self.path] {
            let Ok(facts) = std::fs::symlink_metadata(path) else { continue };
            if let Some((why, mend)) = exposure(facts.mode() & 0o7777, facts.uid(), &trusted) {
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
/// private group may, and a team that shares a folder by a group means it.
fn exposure(mode: u32, owner: u32, trusted: &[u32]) -> Option<(String, &'static str)> {
    if !trusted.contains(&owner) {
        let why = format!("belongs to user {owner}, who is neither you nor root");
        return Some((why, "find out who made it, and remove `PATH`: then keys are learned anew"));
    }
    // In a folder with the sticky bit only its own files are somebody's.
    (mode & 0o1002 == 0o002).then(|| {
        let why = format!("may be changed by everybody (its mode is {mode:04o})");
        let mend = "run `chmod o-w PATH`, after a look at what it holds; or remove `PATH`: then keys are learned anew";
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
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use stagecraft_core::error::chain;

    use super::*;
    use crate::keys::tests::public_key;

    #[test]
    fn a_key_is_remembered_once_and_in_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/deep/known_hosts");
        let store = HostKeyStore::new(&path);
        let (first, second) = (public_key(), public_key());
        assert!(store.keys_of("a").unwrap().is_empty());
        assert!(store.remember("a", &first).unwrap().is_empty());
        let known = store.remember("a", &second).unwrap();
        assert_eq!(known[0].key.key_data(), first.key_data());
        assert_eq!(known[0].line, 1);
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }

    #[test]
    fn links_that_came_with_the_folder_lead_nowhere() {
        use std::os::unix::fs::symlink;
        for link in ["state", "state/known_hosts", "state/known_hosts.lock"] {
            let dir = tempfile::tempdir().unwrap();
            let (victim, link) = (dir.path().join("victim"), dir.path().join(link));
            if link.ends_with("state") {
                std::fs::create_dir(&victim).unwrap();
            } else {
                std::fs::create_dir(dir.path().join("state")).unwrap();
            }
            symlink(&victim, &link).unwrap();
            let store = HostKeyStore::new(dir.path().join("state/known_hosts"));
            for refused in [
                store.remember("a", &public_key()).unwrap_err(),
                store.keys_of("a").unwrap_err(),
                store.prepare().unwrap_err(),
            ] {
                let shown = format!("`{}` is a symbolic link", link.display());
                assert!(refused.to_string().contains(&shown), "{refused}");
            }
            let made = std::fs::read_dir(&victim).map_or(0, Iterator::count);
            assert!(!victim.is_file() && made == 0, "something was written through {link:?}");
        }
    }

    #[test]
    fn what_everybody_may_write_to_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let store = HostKeyStore::new(dir.path().join("state/known_hosts"));
        store.remember("a", &public_key()).unwrap();
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        for (path, usual, odd) in
            [(store.path.as_path(), 0o664, 0o666), (store.path.parent().unwrap(), 0o775, 0o777)]
        {
            set(path, odd);
            for refused in [
                store.keys_of("a").unwrap_err(),
                store.remember("b", &public_key()).unwrap_err(),
                store.prepare().unwrap_err(),
            ] {
                let StoreError::Unsafe { path: of, why, mend } = refused else {
                    panic!("{refused}")
                };
                assert_eq!(of, path);
                assert_eq!(why, format!("may be changed by everybody (its mode is 0{odd:o})"));
                assert!(mend.contains(&format!("`chmod o-w {}`", path.display())), "{mend}");
            }
            set(path, usual);
            assert_eq!(store.keys_of("a").unwrap().len(), 1);
        }
    }

    #[test]
    fn keys_are_believed_of_this_user_of_root_and_of_whose_the_project_is() {
        let why = |owner| exposure(0o600, owner, &[1000, 0]).map(|(why, _)| why);
        assert_eq!((why(1000), why(0)), (None, None));
        let other = "belongs to user 1001, who is neither you nor root".to_owned();
        assert_eq!(why(1001), Some(other));
        assert_eq!(exposure(0o664, 1001, &[0, 0, 1001]), None, "`sudo` in the user's project");
        assert_eq!(exposure(0o1777, 0, &[1000, 0]), None, "as `/tmp`");
    }

    #[test]
    fn a_file_or_folder_of_somebody_else_is_refused() {
        // Only root can give a file away.
        if rustix::process::geteuid().as_raw() != 0 {
            return;
        }
        for odd in ["state", "state/known_hosts"] {
            let dir = tempfile::tempdir().unwrap();
            let store = HostKeyStore::new(dir.path().join("state/known_hosts"));
            store.remember("a", &public_key()).unwrap();
            std::os::unix::fs::chown(dir.path().join(odd), Some(4711), None).unwrap();
            let refused = store.keys_of("a").unwrap_err().to_string();
            assert!(refused.contains(&format!("{odd}` belongs to user 4711")), "{refused}");
            std::os::unix::fs::chown(dir.path(), Some(4711), None).unwrap();
            assert_eq!(store.keys_of("a").unwrap().len(), 1, "the whole project is theirs");
        }
    }

    #[test]
    fn a_pipe_in_place_of_the_file_keeps_nobody_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("known_hosts");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let refused = HostKeyStore::new(&path).keys_of("a").unwrap_err();
        assert!(refused.to_string().contains("is not an ordinary file"), "{refused}");
    }

    #[test]
    fn files_of_the_user_that_are_pipes_or_huge_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (pipe, huge) =
            (files::tests::pipe(dir.path()), files::tests::hollow(dir.path(), TOO_MUCH + 1));
        for (path, why) in [(pipe, "is not an ordinary file"), (huge, "it is larger than 16 MiB")] {
            let refused = KnownFile::read(&path).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
        assert!(KnownFile::read(Path::new("/dev/null")).unwrap().keys(|_| true).is_empty());
    }

    #[test]
    fn many_writers_at_once_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = HostKeyStore::new(dir.path().join("known_hosts"));
        std::thread::scope(|scope| {
            for index in 0..20 {
                let store = store.clone();
                scope.spawn(move || {
                    let key = public_key();
                    store.remember(&format!("host-{index}"), &key).unwrap();
                    store.remember("same", &key).unwrap();
                });
            }
        });
        for index in 0..20 {
            assert_eq!(store.keys_of(&format!("host-{index}")).unwrap().len(), 1);
        }
        assert_eq!(store.keys_of("same").unwrap().len(), 1, "one of the twenty was first");
    }

    #[test]
    fn a_run_that_holds_the_lock_and_does_nothing_is_named_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let store = HostKeyStore::new(dir.path().join("known_hosts"));
        let stuck = store.lock().unwrap();
        let refused = store.remember("a", &public_key()).unwrap_err().to_string();
        let shown = format!("another run has held `{}`", store.lock_file().display());
        assert!(refused.contains(&shown), "{refused}");
        assert!(store.keys_of("a").unwrap().is_empty(), "nothing was written");
        drop(stuck);
        assert!(store.remember("a", &public_key()).unwrap().is_empty());
    }

    #[test]
    fn forgetting_drops_only_the_named_instances() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("known_hosts");
        let store = HostKeyStore::new(&path);
        for alias in ["a", "b", "ab"] {
            store.remember(alias, &public_key()).unwrap();
        }
        let with_note = format!("# note\n{}* {}\n", read(&path).unwrap(), openssh(&public_key()));
        std::fs::write(&path, &with_note).unwrap();
        assert_eq!(store.forget(&["a".to_owned(), "x".to_owned()]).unwrap(), 1);
        let left = read(&path).unwrap();
        let names: Vec<_> = left.lines().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(names, ["#", "b", "ab", "*"]);
        assert_eq!(mode(&path), 0o600);
        assert_eq!(store.forget(&["a".to_owned()]).unwrap(), 0);
    }

    #[test]
    fn a_file_without_a_last_newline_is_not_spoiled() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("known_hosts");
        std::fs::write(&path, format!("a {}", openssh(&public_key()))).unwrap();
        let store = HostKeyStore::new(&path);
        store.remember("b", &public_key()).unwrap();
        assert_eq!(store.keys_of("a").unwrap().len(), 1);
        assert_eq!(store.keys_of("b").unwrap().len(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_and_not_empty() {
        let dir = tempfile::tempdir().unwrap();
        let error = HostKeyStore::new(dir.path()).keys_of("a").unwrap_err();
        let (place, whole) = (dir.path().display().to_string(), chain(&error));
        assert_eq!(whole.matches(&place).count(), 1, "{whole}");
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn openssh(key: &PublicKey) -> String {
        key.to_openssh().unwrap()
    }
}
