//! Secrets in memory stay there when the process crashes.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Asks the system to write no memory of this process to the disk, and to show it to no other process
/// of the user. What a system does not offer is left out.
pub(crate) fn without_core_dumps() {
    let limit = Rlimit { current: Some(0), maximum: getrlimit(Resource::Core).maximum };
    let _best_effort = setrlimit(Resource::Core, limit);
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _best_effort = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_that_crashes_leaves_no_dump() {
        use rustix::process::{DumpableBehavior, dumpable_behavior};
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::Dumpable), "as it begins");
        without_core_dumps();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}
