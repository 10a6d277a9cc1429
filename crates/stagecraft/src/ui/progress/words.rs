//! Events in words.

use std::time::Duration;

use stagecraft_core::event::{HostEnd, HostEvent, ProviderEvent, SkipReason};
use stagecraft_core::words::whole_seconds;

/// What a host does now, `logged_in` once it is logged in to; `None` when an event changes nothing
/// about that.
pub(super) fn doing(what: &HostEvent, logged_in: &str) -> Option<String> {
    Some(match what {
        HostEvent::Creating => "creating".to_owned(),
        HostEvent::Created(_) => "created".to_owned(),
        HostEvent::Starting => "switching on".to_owned(),
        HostEvent::Started => "switched on".to_owned(),
        HostEvent::Updating => "updating name, role and tags".to_owned(),
        HostEvent::Updated => "updated".to_owned(),
        HostEvent::Terminating => "removing".to_owned(),
        HostEvent::Terminated(_) => "removed".to_owned(),
        HostEvent::WaitingForInstance => "waiting for the machine".to_owned(),
        HostEvent::Running(instance) => match instance.address {
            Some(address) => format!("running at {address}"),
            None => "running".to_owned(),
        },
        HostEvent::WaitingForSsh => "connecting by SSH".to_owned(),
        HostEvent::Connected => logged_in.to_owned(),
        HostEvent::Doing { step, doing } => format!("{step}: {doing}"),
        HostEvent::TerminationBegun | HostEvent::Step(_) => return None,
        HostEvent::Retrying { after, code } => again(*after, code.as_str()),
        HostEvent::LookingForLost { after, code } => format!(
            "{code}: unclear whether the machine was made, looking in {} s",
            whole_seconds(*after)
        ),
        HostEvent::RemovingDuplicate => "removing a surplus machine".to_owned(),
        HostEvent::WaitingForMembers => "waiting for the other hosts".to_owned(),
        HostEvent::Included(_) => "being told of other hosts".to_owned(),
        HostEvent::NotSignedOff(failure) => format!("not signed off: {}", failure.code),
        HostEvent::Ended(end) => ended(end),
    })
}

/// What a provider does now.
pub(super) fn provider(what: &ProviderEvent) -> String {
    match what {
        ProviderEvent::Listing => "listing".to_owned(),
        ProviderEvent::Retrying { after, code } => again(*after, code.as_str()),
        ProviderEvent::RateLimited { after } => {
            format!("rate limit reached, going on in {} s", whole_seconds(*after))
        }
    }
}

/// How a host ended.
pub(super) fn ended(end: &HostEnd) -> String {
    match end {
        HostEnd::Ready => "ready".to_owned(),
        HostEnd::Removed => "removed".to_owned(),
        HostEnd::Failed(failure) => format!("failed: {}", failure.code),
        HostEnd::Skipped(SkipReason::Interrupted) => "interrupted".to_owned(),
        HostEnd::Skipped(SkipReason::NoBootstrap) => "running (--no-bootstrap)".to_owned(),
    }
}

fn again(after: Duration, code: &str) -> String {
    format!("{code}, trying again in {} s", whole_seconds(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_says_when_it_goes_on() {
        for (millis, expected) in [(31_200, "32 s"), (32_000, "32 s"), (1, "1 s")] {
            let what = ProviderEvent::RateLimited { after: Duration::from_millis(millis) };
            assert_eq!(provider(&what), format!("rate limit reached, going on in {expected}"));
        }
    }
}
