use crate::desired::ProviderId;
use crate::error::{Code, Diagnose, Failure, Retry};
use crate::name::HostName;

/// A plan cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// What a provider holds is unknown.
    #[error(
        "{provider} could not be listed, so what exists there is unknown: {}",
        why.message
    )]
    Blind {
        /// The provider.
        provider: ProviderId,
        /// Why it could not be listed.
        why: Failure,
    },
    /// `--host` or `--replace` names a host that is neither in the file nor in the inventory.
    #[error("there is no host `{0}` in this environment")]
    UnknownHost(HostName),
    /// `--replace` names a host that exists and is not in the file.
    #[error("`{0}` is not in the file, so there is nothing to replace it with")]
    NothingToReplaceWith(HostName),
    /// `--replace` names a host that `--host` leaves out.
    #[error("`--replace {0}` names a host that `--host` leaves out")]
    ReplaceNotSelected(HostName),
}

impl Diagnose for PlanError {
    fn code(&self) -> Code {
        match self {
            Self::Blind { .. } => Code::PLAN_BLIND,
            Self::UnknownHost(_) | Self::NothingToReplaceWith(_) | Self::ReplaceNotSelected(_) => {
                Code::USAGE
            }
        }
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Blind { why, .. } => why.hints.clone(),
            Self::UnknownHost(_) => Vec::new(),
            Self::NothingToReplaceWith(host) => {
                vec![format!(
                    "`--prune` removes `{host}` unless it is protected; to keep it, put it back \
                     into the file"
                )]
            }
            Self::ReplaceNotSelected(host) => vec![format!("add `--host {host}`")],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::host;

    #[test]
    fn a_plan_that_cannot_be_made_says_what_helps() {
        let why = Failure::new(Code::CLOUD_UNREACHABLE, "no answer").with_hint("ask again");
        let blind = PlanError::Blind { provider: ProviderId::Local, why };
        for (error, code, hints) in [
            (blind, Code::PLAN_BLIND, vec!["ask again"]),
            (PlanError::UnknownHost(host("ap-1")), Code::USAGE, vec![]),
            (
                PlanError::NothingToReplaceWith(host("app-1")),
                Code::USAGE,
                vec![
                    "`--prune` removes `app-1` unless it is protected; to keep it, put it back into the file",
                ],
            ),
            (PlanError::ReplaceNotSelected(host("app-1")), Code::USAGE, vec!["add `--host app-1`"]),
        ] {
            assert_eq!((error.code(), error.retry()), (code, Retry::Never), "{error}");
            assert_eq!(error.hints(), hints, "{error}");
        }
    }
}
