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
            let StoreError::Unsafe { path: of, why, mend } = refused else { panic!("{refused}") };
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
    let why = |owner| exposure(0o600, owner, 1000, &[1000, 0]).map(|(why, _)| why);
    assert_eq!((why(1000), why(0)), (None, None));
    let other = "belongs to user 1001, who is neither you nor root".to_owned();
    assert_eq!(why(1001), Some(other));
    assert_eq!(exposure(0o664, 1001, 0, &[0, 0, 1001]), None, "`sudo` in the user's project");
    assert_eq!(exposure(0o1777, 0, 1000, &[1000, 0]), None, "as `/tmp`");
    let mend = |me| exposure(0o777, 1000, me, &[me, 0, 1000]).unwrap().1;
    for me in [0, 1000] {
        assert!(mend(me).starts_with("run `chmod"), "{}", mend(me));
    }
    assert!(mend(1001).starts_with("its owner or root"), "{}", mend(1001));
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
