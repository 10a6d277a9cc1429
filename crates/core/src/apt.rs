//! Packages, for the steps that install some.

use std::time::Duration;

use crate::remote::Command;
use crate::script::script;

/// What every script that installs packages begins with, to be joined by `concat!`.
macro_rules! apt_script {
    ($rest:literal) => {
        concat!(
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/apt/apt.sh")),
            include_str!($rest)
        )
    };
}
pub(crate) use apt_script;

/// How long to wait for another process, such as a host's own first upgrade, to let go of apt.
const LOCK_LIMIT: Duration = Duration::from_secs(600);

/// How long one change may take in all.
const LIMIT: Duration = Duration::from_secs(1800);

/// A script that begins with `apt/apt.sh` and is given what follows the limit as arguments.
pub(crate) fn apt(name: &str, text: &str, arguments: &[&str]) -> Command {
    let limit = LOCK_LIMIT.as_secs().to_string();
    let arguments = std::iter::once(limit.as_str()).chain(arguments.iter().copied());
    script(name, text, arguments).with_timeout(LIMIT)
}

/// The name of a package dpkg has begun and not finished with, from a line such as `iF  docker.io`:
/// what is wanted, what is, whether it has to be installed anew.
pub(crate) fn unfinished(line: &str) -> Option<&str> {
    let (state, name) = line.split_at_checked(3)?;
    let finished = matches!(state.as_bytes(), [_, b'n' | b'c' | b'i', b' ']);
    (!finished).then_some(name.trim())
}
