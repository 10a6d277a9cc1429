use stagecraft_engine::Limits;

/// Whether a run logs in to hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logins {
    /// It does, or makes hosts that somebody must be able to log in to.
    Needed,
    /// It does, to run one command there.
    ForCommand,
    /// It does where that is possible and needed, to sign hosts off and to tell others.
    IfNeeded,
    /// It looks at the cloud only.
    None,
}

/// What a run has to do with the private network of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Networks {
    /// Hosts are left out of it as they are.
    Off,
    /// Hosts are looked at, told of each other and signed off.
    Known,
    /// They join as well.
    Joined,
}

/// What a run may and may not do.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Whether it logs in to hosts.
    pub(crate) logins: Logins,
    /// What it has to do with their network.
    pub(crate) networks: Networks,
    /// How much at once, and how long.
    pub(crate) limits: Limits,
}

impl Job {
    /// A job with the usual limits, in the network of the file.
    pub(crate) fn new(logins: Logins) -> Self {
        Self { logins, networks: Networks::Known, limits: Limits::default() }
    }
}
