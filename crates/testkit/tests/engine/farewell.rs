//! Hosts whose network is told that they go.

use std::sync::Arc;

use stagecraft_core::event::{HostEnd, HostEvent};
use stagecraft_core::network::{Tailscale, TailscaleConfig};
use stagecraft_core::remote::Output;
use stagecraft_testkit::HostFault;
use stagecraft_testkit::world::Behaviour;

use crate::stage::{Stage, Verb, host};

#[tokio::test(start_paused = true)]
async fn a_host_is_signed_off_before_its_machine_is_removed() {
    let stage = with_tailnet(0).await;
    let tape = stage.told(Verb::Down).await;
    let signed_off = |what: &HostEvent| matches!(what, HostEvent::Doing { step: "network", .. });
    for name in ["web-1", "web-2"] {
        let first = tape.first(name, signed_off);
        assert!(
            first.is_some() && first < tape.first(name, |what| *what == HostEvent::Terminating)
        );
        assert_eq!(tape.ends()[&host(name)], HostEnd::Removed);
        assert_eq!(tape.report().hosts[&host(name)].left_behind, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_cannot_be_signed_off_is_removed_all_the_same_and_that_is_told() {
    let stage = with_tailnet(1).await;
    stage.fleet.inject(&host("web-2"), HostFault::NeverAnswers);
    let tape = stage.told(Verb::Down).await;
    for (name, says) in [("web-1", "failed with status 1"), ("web-2", "could not reach")] {
        assert_eq!(tape.ends()[&host(name)], HostEnd::Removed);
        let failure = tape.report().hosts[&host(name)].left_behind.clone().expect("it is told");
        assert!(failure.message.contains(says), "{failure:?}");
        assert!(failure.hints[0].contains("admin console"), "{failure:?}");
    }
}

/// Two hosts that are up, whose `tailscale logout` ends with this status.
async fn with_tailnet(status: i32) -> Stage {
    let mut stage = Stage::new(Behaviour::names_are_free(), 1).wants(["web-1", "web-2"]);
    stage.run(Verb::Up).await.expect("nobody is killed");
    stage.fleet.teach("tailscale-logout", move |_, _, _| Output { status, ..Output::default() });
    let config = TailscaleConfig {
        tailnet_domain: "example.ts.net".to_owned(),
        login_server: None,
        default_tags: [].into(),
        role_tags: [].into(),
        install: false,
        min_version: None,
    };
    stage.network = Some(Arc::new(Tailscale::new(config, None).expect("no key is no wrong key")));
    stage
}
