//! Hundreds of hosts are hundreds of connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Enough for several connections to each of a thousand hosts; some systems refuse much more.
const WANTED: u64 = 8192;

/// Asks the system to let this process have as many files open as it may: what is usual, 256 or 1024,
/// is meant for programs that wait in ways that allow no more. What a system does not allow is left out.
pub(crate) fn with_many_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(WANTED, |most| most.min(WANTED));
    if current.is_some_and(|current| current < wanted) {
        let _best_effort = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_files_are_made_many_and_many_stay() {
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let most = maximum.map_or(WANTED, |most| most.min(WANTED));
        let set = |current| setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
        set(Some(most / 2));
        with_many_files();
        assert_eq!(getrlimit(Resource::Nofile).current, Some(most));
        set(maximum);
        with_many_files();
        assert_eq!(getrlimit(Resource::Nofile).current, maximum);
    }
}
