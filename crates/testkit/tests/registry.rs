//! The registry of providers, with clients in memory.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use stagecraft_core::Secret;
use stagecraft_core::cloud::{CloudProvider, Identity, Registry, RegistryError};
use stagecraft_core::credential::{Credential, Field, Issuer};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, Failure};
use stagecraft_testkit::world::Behaviour;
use stagecraft_testkit::{MockCloud, Process, SharedWorld, World};

const HETZNER: ProviderId = ProviderId::Hetzner;

fn client() -> Arc<dyn CloudProvider> {
    let world = World::new(HETZNER, Behaviour::names_are_free(), 1);
    Arc::new(MockCloud::new(&SharedWorld::new(world), &Process::new()))
}

fn owner(token: &str) -> Identity {
    let fields = [(Field::Token, Secret::new(token))];
    Identity::Owner(Credential::new(Issuer::Hetzner, fields).expect("a credential"))
}

/// A registry that counts the clients it makes.
fn counting(made: &AtomicUsize) -> Registry<'_> {
    Registry::new().with(HETZNER, move |_| {
        made.fetch_add(1, Ordering::SeqCst);
        Ok(client())
    })
}

#[test]
fn sixty_four_threads_at_once_make_one_client() {
    let made = AtomicUsize::new(0);
    let registry = counting(&made);
    let together = Barrier::new(64);
    let clients: Vec<Arc<dyn CloudProvider>> = std::thread::scope(|scope| {
        let ask = || {
            together.wait();
            registry.client(HETZNER, &owner("token-1")).expect("a client")
        };
        let threads: Vec<_> = (0..64).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(made.load(Ordering::SeqCst), 1);
    assert!(clients.iter().all(|client| Arc::ptr_eq(client, &clients[0])));
}

#[test]
fn one_changed_credential_makes_another_client() {
    let made = AtomicUsize::new(0);
    let registry = counting(&made);
    let ask = |identity: &Identity| registry.client(HETZNER, identity).expect("a client");
    let first = ask(&owner("token-1"));
    assert!(Arc::ptr_eq(&first, &ask(&owner("token-1"))));
    assert!(!Arc::ptr_eq(&first, &ask(&owner("token-2"))));
    let profile = Identity::Chain { profile: Some("work".to_owned()) };
    assert!(!Arc::ptr_eq(&ask(&profile), &ask(&Identity::Chain { profile: None })));
    assert_eq!(made.load(Ordering::SeqCst), 4);
}

#[test]
fn providers_are_listed_in_order_and_an_unknown_one_names_them() {
    let make = |_: &Identity| Ok(client());
    let registry = Registry::new()
        .with(ProviderId::Local, make)
        .with(ProviderId::Aws, make)
        .with(HETZNER, make);
    let all = [ProviderId::Aws, HETZNER, ProviderId::Local];
    assert!(registry.providers().eq(all));
    let error = registry.client(ProviderId::DigitalOcean, &Identity::Anybody).expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "there is no provider `digitalocean` here; there are `aws`, `hetzner` and `local`"
    );
}

#[test]
fn a_client_that_was_not_made_is_tried_again() {
    let tries = AtomicUsize::new(0);
    let registry = Registry::new().with(HETZNER, |_| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Err(Failure::new(Code::CREDENTIAL_INVALID, "no token")),
        _ => Ok(client()),
    });
    let first = registry.client(HETZNER, &owner("token-1")).expect_err("the first time");
    assert!(matches!(first, RegistryError::NotMade(_)));
    assert!(registry.client(HETZNER, &owner("token-1")).is_ok());
    assert!(!format!("{registry:?}").contains("token-1"));
}
