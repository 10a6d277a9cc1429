/// How the process ends; part of the public interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything asked for is done.
    Done = 0,
    /// The command line or the configuration is wrong; nothing was touched.
    Usage = 1,
    /// A cloud provider failed.
    Cloud = 2,
    /// Bootstrap could not start at all.
    Bootstrap = 3,
    /// Some hosts failed, the others are as asked.
    SomeHostsFailed = 10,
    /// `infra plan --detailed-exitcode` found changes.
    ChangesFound = 11,
    /// Ended by the user.
    Interrupted = 130,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_ends_with_the_number_that_is_documented() {
        for (code, number) in [
            (ExitCode::Done, 0),
            (ExitCode::Usage, 1),
            (ExitCode::Cloud, 2),
            (ExitCode::Bootstrap, 3),
            (ExitCode::SomeHostsFailed, 10),
            (ExitCode::ChangesFound, 11),
            (ExitCode::Interrupted, 130),
        ] {
            let process = std::process::ExitCode::from(code);
            assert_eq!(process, std::process::ExitCode::from(number), "{code:?}");
        }
    }
}
