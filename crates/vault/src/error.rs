mod keyring;

pub use keyring::KeyringError;

use std::path::PathBuf;

use stagecraft_core::credential::Issuer;
use stagecraft_core::error::{Code, Diagnose, Retry};
use stagecraft_core::name::CredentialName;
use stagecraft_core::remote::quote;

use crate::key::{InvalidKey, KeyId};
use crate::seal::OpenError;
use crate::store::{DatabaseError, DatabaseErrorKind};

/// Why the credential store did not do what was asked. Nothing was changed then, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no entry of that name.
    #[error("the credential store has no entry `{name}`")]
    NotFound {
        /// What was asked for.
        name: CredentialName,
        /// What there is.
        known: Vec<CredentialName>,
    },
    /// There is an entry of that name already.
    #[error("the credential store has an entry `{name}` already, of {issuer}")]
    Exists {
        /// Its name.
        name: CredentialName,
        /// Whose it is.
        issuer: Issuer,
    },
    /// A record does not open.
    #[error("the entry `{name}` of the credential store cannot be opened")]
    Sealed {
        /// Its name.
        name: CredentialName,
        /// Whose it is.
        issuer: Issuer,
        /// Why.
        #[source]
        why: OpenError,
        /// Where the keys are that were tried.
        keys: String,
    },
    /// The store is sealed with a key that is not there.
    #[error("the credential store is sealed with the key `{wanted}`, which {keys} does not hold")]
    WrongKey {
        /// The key.
        wanted: KeyId,
        /// Where keys were looked for.
        keys: String,
    },
    /// There is no key.
    #[error(
        "the credential store {}, and {keys} is not there",
        if anew.is_some() { "is sealed" } else { "needs a key" }
    )]
    NoKey {
        /// Where it was looked for.
        keys: String,
        /// How to begin with an empty store, where there is one that the key is missed for.
        anew: Option<String>,
    },
    /// What should hold keys does not.
    #[error("{keys} cannot be used: {why}")]
    InvalidKey {
        /// Where it is.
        keys: String,
        /// Why.
        why: InvalidKey,
        /// How to begin with an empty store, where there is one that the key is missed for.
        anew: Option<String>,
    },
    /// Others may read the key file.
    #[error("the key file `{}` {}", path.display(), unsafe_by(*mode, *owner, *user))]
    Unsafe {
        /// Where it is.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// Whose it is.
        owner: u32,
        /// Who wants to read it.
        user: u32,
    },
    /// Keys could not be read or written.
    #[error("could not {doing} {keys}: {why}")]
    Keys {
        /// What was tried, e.g. `read`.
        doing: &'static str,
        /// What of.
        keys: String,
        /// Why it failed.
        why: String,
    },
    /// A keyring did not do what was asked.
    #[error("could not {doing} {keys}")]
    Keyring {
        /// What was tried, e.g. `read`.
        doing: &'static str,
        /// What of.
        keys: String,
        /// Why it failed.
        #[source]
        why: KeyringError,
    },
    /// What should hold this store's key holds that of another.
    #[error("{keys} holds the key of another credential store: {store}")]
    OtherStore {
        /// Where it is.
        keys: String,
        /// The other.
        store: String,
    },
    /// Keys are where they cannot be written.
    #[error(
        "{keys} cannot be written from here, and there is no key in it that the store is not sealed with already"
    )]
    NoNewKey {
        /// Where they are.
        keys: String,
    },
    /// There is nothing to change the key of.
    #[error("the credential store is empty, so there is no key to change")]
    Empty,
    /// The old key could not be taken away after the change.
    #[error("the key was changed, and the old one is still in {keys}")]
    OldKeyKept {
        /// Where it is.
        keys: String,
        /// Why it could not be taken away.
        #[source]
        why: Box<Self>,
    },
    /// The store was made by a newer version.
    #[error(
        "the credential store is of version {found}, and this version of stagecraft knows {known}"
    )]
    Newer {
        /// Its version.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// Something in the store is not as it was written.
    #[error("the credential store is damaged: {0}")]
    Damaged(String),
    /// The database failed.
    #[error("could not {doing} the credential store")]
    Database {
        /// What was tried, e.g. `read`.
        doing: &'static str,
        /// Why it failed.
        #[source]
        why: DatabaseError,
    },
    /// The system gives no randomness.
    #[error("this machine gives no random numbers")]
    NoRandomness(#[from] getrandom::Error),
}

impl Diagnose for VaultError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } => Code::CREDENTIAL_NOT_FOUND,
            Self::Exists { .. } => Code::CREDENTIAL_EXISTS,
            Self::Sealed { why, .. } => match why {
                OpenError::WrongKey(_) => Code::CREDENTIAL_WRONG_KEY,
                OpenError::Cut { .. } => Code::CREDENTIAL_CUT,
                OpenError::NoRecord | OpenError::Tampered => Code::CREDENTIAL_TAMPERED,
                OpenError::Downgraded(_) => Code::CREDENTIAL_DOWNGRADED,
                OpenError::Newer(_) => Code::STORE_NEWER,
                OpenError::Misplaced { .. } => Code::CREDENTIAL_MISPLACED,
            },
            Self::WrongKey { .. } => Code::CREDENTIAL_WRONG_KEY,
            Self::NoKey { .. } => Code::KEY_MISSING,
            Self::InvalidKey { .. } | Self::Keys { .. } | Self::OtherStore { .. } => {
                Code::KEY_INVALID
            }
            Self::Keyring { .. } => Code::KEY_UNREACHABLE,
            Self::Unsafe { .. } => Code::KEY_UNSAFE,
            Self::NoNewKey { .. } | Self::Empty | Self::OldKeyKept { .. } => Code::KEY_NOT_ROTATED,
            Self::Newer { .. } => Code::STORE_NEWER,
            Self::Damaged(_) => Code::STORE_DAMAGED,
            Self::Database { why, .. } => match why.kind {
                DatabaseErrorKind::Damaged => Code::STORE_DAMAGED,
                DatabaseErrorKind::Unreachable | DatabaseErrorKind::Failed => {
                    Code::STORE_UNREACHABLE
                }
                DatabaseErrorKind::Unprotected => Code::STORE_UNPROTECTED,
            },
            Self::NoRandomness(_) => Code::KEY_INVALID,
        }
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::NotFound { known, .. } => {
                let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                match known.as_slice() {
                    [] => "there are none yet".to_owned(),
                    [one] => format!("there is {one}"),
                    all => format!("there are {}", all.join(", ")),
                }
            }
            Self::Exists { name, issuer } => {
                format!("`{}` puts another in its place", replacing(name, *issuer))
            }
            Self::Sealed { why, name, issuer, keys } => match why {
                OpenError::WrongKey(_) => other_key(keys),
                OpenError::Cut { .. }
                | OpenError::NoRecord
                | OpenError::Tampered
                | OpenError::Downgraded(_)
                | OpenError::Misplaced { .. } => format!(
                    "somebody or something changed the store: find out who, bring back a copy of it, or make a new secret at the provider and run `{}`",
                    replacing(name, *issuer)
                ),
                OpenError::Newer(_) => NEWER.to_owned(),
            },
            Self::WrongKey { keys, .. } => other_key(keys),
            Self::NoKey { keys, anew: Some(anew) } => return without_key(keys, anew),
            Self::InvalidKey { keys, anew: Some(anew), .. } => {
                return without_key(keys, &format!("{anew}, remove {keys} as well"));
            }
            Self::NoKey { anew: None, .. } | Self::InvalidKey { anew: None, .. } => {
                "a key is 32 random bytes in Base64, as `openssl rand -base64 32` makes them".to_owned()
            }
            Self::Unsafe { path, owner, user, .. } if owner == user => format!(
                "run `chmod 600 {}`; if anybody else can have read it, then also `stagecraft credentials rotate-key`",
                quote(&path.display().to_string())
            ),
            Self::Unsafe { path, user: 0, .. } => {
                let path = quote(&path.display().to_string());
                format!("run this as its owner; or make it root's, by `chown 0 {path}` and `chmod 600 {path}`")
            }
            Self::Unsafe { path, .. } => format!(
                "it is not yours to change: put the key into a file of your own, e.g. by `install -m 600 {} ~/stagecraft.key`, and name that with `credentials.key_file`",
                quote(&path.display().to_string())
            ),
            Self::Keys { doing: LOCK, .. } => {
                "another run may be changing the key: run this again when it is over; `lsof` with the folder of the key shows who holds it".to_owned()
            }
            Self::Keys { .. } => "check the folder's permissions, and `credentials` in the file".to_owned(),
            Self::Keyring { why, .. } => {
                return vec![why.remedy().to_owned(), ELSEWHERE.to_owned()];
            }
            Self::OtherStore { .. } => {
                "name another item at `key_keyring`: each store has a key of its own; for a copy of a store, put its key there first".to_owned()
            }
            Self::NoNewKey { .. } => {
                "put a new key in front of the others, separated by a space, and run this again; `openssl rand -base64 32` makes one".to_owned()
            }
            Self::Empty => "`stagecraft credentials add NAME --provider PROVIDER` makes the first entry".to_owned(),
            Self::OldKeyKept { .. } => "run `stagecraft credentials rotate-key` again".to_owned(),
            Self::Newer { .. } => NEWER.to_owned(),
            Self::Damaged(_) => RESTORE.to_owned(),
            Self::Database { why, .. } => match why.kind {
                DatabaseErrorKind::Damaged => RESTORE.to_owned(),
                DatabaseErrorKind::Unreachable | DatabaseErrorKind::Failed => {
                    "see whether it can be reached and written from here; where it is, `credentials` in the file says, or else it is `credentials.db` in `$XDG_DATA_HOME/stagecraft`, by default `~/.local/share/stagecraft`".to_owned()
                }
                DatabaseErrorKind::Unprotected => {
                    "take `sslmode` out of the URL: then the connection is encrypted and the server verified".to_owned()
                }
            },
            Self::NoRandomness(_) => return Vec::new(),
        };
        vec![hint]
    }
}

/// What is wrong with a key file of this mode and owner.
fn unsafe_by(mode: u32, owner: u32, user: u32) -> String {
    if mode & 0o077 == 0 && ![user, 0].contains(&owner) {
        format!("belongs to user {owner}, who is neither you nor root")
    } else {
        format!("may be read or changed by others (mode {mode:04o}, user {owner})")
    }
}

/// What is tried of keys that another run changes.
pub(crate) const LOCK: &str = "lock";
const NEWER: &str = "use the newest version of stagecraft that works on this store";
const RESTORE: &str = "bring back a copy of the store, or add its entries to a new one";

const ELSEWHERE: &str = "a key in a file works without any keyring: `key_file` in the place of `key_keyring`, for a new store";

fn without_key(keys: &str, anew: &str) -> Vec<String> {
    vec![
        format!("bring {keys} back as it was"),
        format!("if it is lost, nobody can open the secrets: {anew}, then add the entries again"),
    ]
}

fn replacing(name: &CredentialName, issuer: Issuer) -> String {
    format!("stagecraft credentials add {name} --provider {issuer} --replace")
}

fn other_key(keys: &str) -> String {
    format!("somebody may have changed the key: get the new one, and put it into {keys}")
}

#[cfg(test)]
mod tests {
    use stagecraft_core::error::Failure;

    use super::*;

    #[test]
    fn who_cannot_change_a_key_file_is_not_told_to() {
        let told = |mode, owner, user| {
            let path = PathBuf::from("/k/team key");
            let failure = Failure::from(&VaultError::Unsafe { path, mode, owner, user });
            (failure.message, failure.hints[0].clone())
        };
        let (message, hint) = told(0o640, 1000, 1000);
        assert!(message.ends_with("may be read or changed by others (mode 0640, user 1000)"));
        assert!(hint.starts_with("run `chmod 600 '/k/team key'`; if anybody"), "{hint}");
        let (message, hint) = told(0o600, 1001, 0);
        assert!(
            message.ends_with("belongs to user 1001, who is neither you nor root"),
            "{message}"
        );
        assert!(hint.contains("`chown 0 '/k/team key'`"), "{hint}");
        for (mode, owner) in [(0o440, 0), (0o644, 1001)] {
            let (_, hint) = told(mode, owner, 1000);
            assert!(!hint.contains("chmod"), "{hint}");
            assert!(hint.contains("`install -m 600 '/k/team key' ~/stagecraft.key`"), "{hint}");
        }
    }

    #[test]
    fn who_waited_for_another_run_is_told_to_wait_for_its_end() {
        let hints = |doing| {
            let (keys, why) = ("the key file `k`".to_owned(), "it is locked".to_owned());
            VaultError::Keys { doing, keys, why }.hints()
        };
        assert!(hints(LOCK)[0].contains("when it is over"), "{:?}", hints(LOCK));
        assert!(hints("read")[0].contains("permissions"), "{:?}", hints("read"));
    }

    #[test]
    fn a_cause_is_told_once() {
        let cause = getrandom::Error::UNSUPPORTED;
        let failure = Failure::from(&VaultError::from(cause));
        assert_eq!(failure.message.matches(&cause.to_string()).count(), 1, "{}", failure.message);
    }
}
