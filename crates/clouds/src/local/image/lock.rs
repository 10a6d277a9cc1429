//! A lock that processes of one machine respect.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

/// How often a taken lock is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// Takes the lock; it is given back when the file is dropped, also by a process that is killed.
/// Calls `waiting` once if somebody else has it.
pub(super) async fn acquire(path: &Path, waiting: impl Fn()) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if told => {}
            Err(TryLockError::WouldBlock) => {
                waiting();
                told = true;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_second_one_waits_until_the_first_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/lock");
        let first = acquire(&path, || panic!("nobody has it")).await.unwrap();
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let second = tokio::spawn({
            let path = path.clone();
            async move { acquire(&path, || tell.send(()).unwrap()).await.map(drop) }
        });
        told.recv().await.unwrap();
        assert!(!second.is_finished());
        drop(first);
        second.await.unwrap().unwrap();
    }
}
