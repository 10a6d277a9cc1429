//! The files that AWS's tools share, read and, of a renewed sign-on, written.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde_json::Value;

use super::environment::AwsEnvironment;
use super::profiles::Profiles;
use super::source::Trouble;
use crate::http::Token;

/// All profiles; none where there are no files.
pub(super) fn profiles(environment: &AwsEnvironment) -> Result<Profiles, Trouble> {
    let mut profiles = Profiles::default();
    let files = [
        (environment.config_file(), Profiles::add_config as fn(&mut Profiles, &str) -> _),
        (environment.credentials_file(), Profiles::add_credentials),
    ];
    for (file, add) in files {
        let Some(file) = file else { continue };
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(&file, &error)),
        };
        add(&mut profiles, &text).map_err(|bad| {
            Trouble::new(format!("{}: {bad}", file.display()), "correct that line of the file")
        })?;
    }
    Ok(profiles)
}

/// A token that another program keeps up to date in a file.
pub(super) fn token(file: &Path) -> Result<Token, Trouble> {
    let text = fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    if text.trim().is_empty() {
        let hint = "check what is to write the token there";
        return Err(Trouble::new(format!("{} is empty", file.display()), hint));
    }
    Ok(Token::made(&text))
}

/// A sign-on as it is kept; `None` where there is none that could be read.
pub(super) fn sign_on(file: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(file).ok()?).ok()
}

/// Keeps a sign-on for whoever reads it next, whole or not at all.
pub(super) fn keep_sign_on(file: &Path, value: &Value) -> io::Result<()> {
    let beside = file.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    let mut written = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let kept = written
        .write_all(value.to_string().as_bytes())
        .and_then(|()| written.sync_all())
        .and_then(|()| fs::rename(&beside, file));
    if kept.is_err() {
        drop(fs::remove_file(&beside));
    }
    kept
}

fn unreadable(file: &Path, error: &io::Error) -> Trouble {
    let why = format!("{} cannot be read: {error}", file.display());
    Trouble::new(why, "check that the file is there, and who may read it")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_bad_line_is_told_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".aws")).unwrap();
        let file = folder.path().join(".aws/credentials");
        fs::write(&file, "[default]\ns3cr3t\n").unwrap();
        let home = Some(folder.path().to_owned());
        let environment = AwsEnvironment { home, ..AwsEnvironment::default() };
        let trouble = profiles(&environment).err().unwrap();
        let expected = format!("{}: line 2 is neither a heading nor `key = value`", file.display());
        assert_eq!(trouble.why, expected);
    }

    #[test]
    fn a_sign_on_is_kept_for_its_user_alone_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("digest.json");
        fs::write(&file, "{}").unwrap();
        let value = json!({ "accessToken": "new" });
        keep_sign_on(&file, &value).unwrap();
        assert_eq!(sign_on(&file), Some(value));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
