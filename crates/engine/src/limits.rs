use std::time::Duration;

/// How much happens at once, and how long anything may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Changes sent to providers at once.
    pub orders: usize,
    /// Hosts of one provider logged in to at once: those of another do not wait where a login waits for its
    /// provider.
    pub logins: usize,
    /// How often a request is made at most. To be told to slow down does not count.
    pub tries: u32,
    /// How long a request may wait because its provider asked to slow down, all its waits together.
    pub rate_limited: Duration,
    /// How long an instance may take to run, without the time in which its provider asked to slow
    /// down and could not be listed.
    pub boot: Duration,
    /// How long an instance that was just ordered may be missing from lists.
    pub listing_delay: Duration,
    /// How long SSH of a host that is just booting may take to answer.
    pub new_host_login: Duration,
    /// How long SSH of a host that was there before may take to answer; a run that was killed may
    /// have left it booting.
    pub old_host_login: Duration,
    /// How long members of a mesh that are ready wait for another that is not, from when the last one
    /// came.
    pub members: Duration,
    /// How long SSH may take to answer somebody who only looks, or runs a command.
    pub look: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            orders: 10,
            logins: 20,
            tries: 5,
            rate_limited: Duration::from_secs(15 * 60),
            boot: Duration::from_secs(10 * 60),
            listing_delay: Duration::from_secs(60),
            new_host_login: Duration::from_secs(5 * 60),
            old_host_login: Duration::from_secs(60),
            members: Duration::from_secs(60),
            look: Duration::from_secs(15),
        }
    }
}
