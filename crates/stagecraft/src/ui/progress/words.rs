//! Events in words.

use std::time::Duration;

use stagecraft_core::event::{HostEnd, HostEvent, ProviderEvent, SkipReason};

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
        HostEvent::Step(_) => return None,
        HostEvent::Retrying { after, code } => again(*after, code.as_str()),
        HostEvent::RemovingDuplicate => "removing a surplus machine".to_owned(),
        HostEvent::Ended(end) => ended(end),
    })
}

/// What a provider does now.
pub(super) fn provider(what: &ProviderEvent) -> String {
    match what {
        ProviderEvent::Listing => "listing".to_owned(),
        ProviderEvent::Retrying { after, code } => again(*after, code.as_str()),
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
    format!("{code}, trying again in {} s", after.as_secs_f32().ceil())
}
