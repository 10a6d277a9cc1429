use std::time::Duration;

/// Why a keyring did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Nothing says where the session is.
    #[error(
        "there is no session to have a keyring: neither `DBUS_SESSION_BUS_ADDRESS` nor `XDG_RUNTIME_DIR` is set"
    )]
    NoSession,
    /// The session's D-Bus does not let us in.
    #[error("the D-Bus of the session cannot be reached: {0}")]
    NoBus(String),
    /// Nobody keeps secrets in this session.
    #[error("nobody in this session keeps secrets as `org.freedesktop.secrets`")]
    NoService,
    /// No answer came in time.
    #[error("there was no answer within {} s", .0.as_secs_f64())]
    Silent(Duration),
    /// It is locked, and stayed so.
    #[error("the keyring is locked, and nobody unlocked it")]
    Locked,
    /// There is no collection for new items.
    #[error("the keyring has no default collection")]
    NoCollection,
    /// What is put there does not last.
    #[error("it is in a collection that is forgotten at the end of the session")]
    Volatile,
    /// Which item is meant cannot be told.
    #[error("the keyring has {0} items of that name")]
    Ambiguous(usize),
    /// Anything else.
    #[error("the keyring refused: {0}")]
    Refused(String),
}

impl KeyringError {
    /// What may make a keyring do what was asked.
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::NoSession | Self::NoBus(_) | Self::NoService => {
                "run this in the session that has the keyring, as a rule that of your desktop"
            }
            Self::Silent(_) | Self::Locked => "unlock the keyring, and run this again",
            Self::NoCollection | Self::Volatile => {
                "make a collection that lasts the default one, with the program your desktop has for its keyring"
            }
            Self::Ambiguous(_) => {
                "find out which of them the store is sealed with, and remove the others"
            }
            Self::Refused(_) => "look at what the program that keeps the keyring says",
        }
    }
}
