use std::os::unix::fs::PermissionsExt as _;

use russh::keys::HashAlg;
use stagecraft_core::error::chain;

use super::*;

#[test]
#[cfg(target_os = "linux")]
fn a_key_that_cannot_be_written_is_told_by_the_name_of_its_file_alone() {
    let error = ensure_key_pair(Path::new("/proc/self/key")).unwrap_err().to_string();
    assert!(error.contains("could not write `/proc/self/key`: "), "{error}");
    assert!(!error.contains(".tmp"), "{error}");
}

#[test]
fn a_key_pair_is_made_once_and_kept_private() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ssh/id");
    let first = ensure_key_pair(&path).unwrap();
    assert_eq!(ensure_key_pair(&path).unwrap(), first);
    assert!(first.public.starts_with("ssh-ed25519 AAAA"), "{}", first.public);
    assert!(first.public.ends_with(" stagecraft"), "{}", first.public);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(public_key_of(&path).unwrap(), first.public);
}

#[test]
fn many_that_come_at_once_get_the_same_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("id");
    let pairs: Vec<KeyPair> = std::thread::scope(|scope| {
        let each = || scope.spawn(|| ensure_key_pair(&path).unwrap());
        let threads: Vec<_> = (0..8).map(|_| each()).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(pairs.iter().all(|pair| *pair == pairs[0]));
    let names = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(names, 2, "only the key and its public half are left");
}

#[test]
fn a_file_that_is_no_key_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("id");
    std::fs::write(&path, "precious").unwrap();
    let error = ensure_key_pair(&path).unwrap_err();
    assert!(matches!(error, KeyError::Malformed { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    assert!(!error.to_string().contains("precious"));
}

#[test]
fn a_wrong_public_file_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("id");
    let pair = ensure_key_pair(&path).unwrap();
    std::fs::write(with_pub(&path), public_key().to_openssh().unwrap()).unwrap();
    assert_eq!(ensure_key_pair(&path).unwrap(), pair);
    assert_eq!(public_key_of(&path).unwrap(), pair.public);
}

#[test]
fn a_key_that_is_a_pipe_a_device_or_huge_is_refused_and_its_public_half_does_without() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = files::tests::pipe(dir.path());
    for path in [pipe.clone(), PathBuf::from("/dev/zero"), huge(dir.path())] {
        for refused in [
            private_key(&path).map(drop),
            public_half(&path).map(drop),
            public_key_of(&path).map(drop),
            check_key_file(&path),
        ] {
            assert!(matches!(refused, Err(KeyError::File(_))), "{path:?}: {refused:?}");
            let whole = chain(&refused.unwrap_err());
            assert_eq!(whole.matches("could not read").count(), 1, "{whole}");
        }
    }
    let key = dir.path().join("id");
    let pair = ensure_key_pair(&key).unwrap();
    std::fs::rename(pipe, with_pub(&key)).unwrap();
    assert_eq!(public_key_of(&key).unwrap(), pair.public);
    assert_eq!(ensure_key_pair(&key).unwrap(), pair, "the pipe is replaced");
    assert_eq!(
        public_file(&with_pub(&key)).unwrap().key_data(),
        public_half(&key).unwrap().key_data()
    );
}

#[test]
fn the_public_half_of_a_key_with_passphrase_is_known_without_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("id");
    let key = PrivateKey::random(&mut key::safe_rng(), Algorithm::Ed25519).unwrap();
    let locked = key.encrypt(&mut key::safe_rng(), "passphrase").unwrap();
    std::fs::write(&path, locked.to_openssh(LineEnding::LF).unwrap()).unwrap();
    set_mode(&path, 0o600);
    assert!(matches!(private_key(&path), Err(KeyError::Encrypted { .. })));
    let public = PublicKey::from_openssh(&public_key_of(&path).unwrap()).unwrap();
    assert_eq!(public.fingerprint(HashAlg::Sha256), key.fingerprint(HashAlg::Sha256));
}

/// A public key nobody has the private half of.
pub(crate) fn public_key() -> PublicKey {
    let key = PrivateKey::random(&mut key::safe_rng(), Algorithm::Ed25519).unwrap();
    key.public_key().clone()
}

#[test]
fn a_private_key_that_others_may_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("id");
    ensure_key_pair(&path).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o644, 0o777] {
        set_mode(&path, mode);
        for refused in [
            private_key(&path).map(drop),
            unlocked(&path, "passphrase").map(drop),
            check_key_file(&path),
        ] {
            let error = refused.unwrap_err();
            assert!(matches!(error, KeyError::Unsafe { mend: Some("chmod 600"), .. }), "{error:?}");
            assert!(error.to_string().ends_with(&format!("(its mode is {mode:04o})")), "{error}");
        }
    }
    for mode in [0o600, 0o400] {
        set_mode(&path, mode);
        private_key(&path).unwrap();
        check_key_file(&path).unwrap();
    }
}

#[test]
fn a_private_key_is_for_its_user_alone_or_handed_to_a_group() {
    let mend = |mode, owner, user| exposure(mode, owner, user).map(|(_, mend)| mend);
    assert_eq!(mend(0o600, 1000, 1000), None);
    assert_eq!(mend(0o600, 0, 1000), None);
    assert_eq!(mend(0o440, 0, 1000), None, "root's, for a group");
    assert_eq!(mend(0o460, 0, 1000), Some(None), "which that user cannot mend");
    assert_eq!(mend(0o444, 0, 1000), Some(None));
    assert_eq!(mend(0o440, 0, 0), Some(Some("chmod 600")));
    assert_eq!(mend(0o600, 1001, 0), None, "root's by `sudo`");
    assert_eq!(mend(0o666, 1001, 0), Some(Some("chmod g=r,o=")));
}

#[test]
fn the_null_device_is_no_key_and_nobody_is_told_to_change_it() {
    for refused in
        [check_key_file(Path::new("/dev/null")), private_key(Path::new("/dev/null")).map(drop)]
    {
        let error = refused.unwrap_err();
        assert!(matches!(error, KeyError::Malformed { .. }), "{error:?}");
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn huge(folder: &Path) -> PathBuf {
    files::tests::hollow(folder, TOO_MUCH + 1)
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
