//! Values for tests of what is shown.

use std::collections::BTreeMap;

use stagecraft_core::cloud::Price;
use stagecraft_core::desired::{Arch, ProviderId};
use stagecraft_core::inventory::{Instance, Inventory, Lifecycle, Marks, Owner, Spec};
use stagecraft_core::name::{HostName, Scope};
use stagecraft_core::plan::{Plan, Policy, plan_up};
use stagecraft_core::resolve::ResolvedHost;

use crate::next::Next;

pub(crate) fn scope() -> Scope {
    Scope { project: "shop".parse().unwrap(), environment: "dev".parse().unwrap() }
}

pub(crate) fn next() -> Next {
    Next::default()
}

pub(crate) fn host(name: &str) -> HostName {
    name.parse().unwrap()
}

/// A host of the size `small` on `local`; its role is its name without the number.
pub(crate) fn wanted(name: &str) -> ResolvedHost {
    let role = name.split('-').next().unwrap_or(name);
    ResolvedHost {
        name: host(name),
        provider: ProviderId::Local,
        spec: Spec {
            region: "local".into(),
            size: "small".into(),
            image: "debian-12".into(),
            arch: Arch::Amd64,
            spot: false,
        },
        marks: Marks {
            name: format!("dev-{name}"),
            role: role.parse().unwrap(),
            protected: false,
            tags: Default::default(),
        },
        monthly: None,
        notices: Vec::new(),
    }
}

/// A host on another cloud, with a price.
pub(crate) fn rented(name: &str, cents: u64) -> ResolvedHost {
    let mut host = wanted(name);
    host.provider = ProviderId::Hetzner;
    host.spec.region = "nbg1".into();
    host.spec.size = "cx22".into();
    host.monthly = Some(Price { cents, currency: "EUR".to_owned() });
    host
}

/// The instance that is exactly as [`wanted`] asks.
pub(crate) fn running(name: &str, address: &str) -> Instance {
    let wanted = wanted(name);
    Instance {
        id: format!("id-of-{name}").as_str().into(),
        provider: wanted.provider,
        owner: Owner { scope: scope(), host: wanted.name },
        lifecycle: Lifecycle::Running,
        spec: wanted.spec,
        marks: wanted.marks,
        pins: Default::default(),
        address: Some(address.parse().unwrap()),
        ssh: None,
        created_at: 1,
        trouble: None,
    }
}

pub(crate) fn plan(
    wanted: impl IntoIterator<Item = ResolvedHost>,
    seen: impl IntoIterator<Item = Instance>,
    policy: &Policy,
) -> Plan {
    let wanted: BTreeMap<HostName, ResolvedHost> =
        wanted.into_iter().map(|host| (host.name.clone(), host)).collect();
    plan_up(&scope(), &wanted, &Inventory::new(seen), policy).unwrap()
}

/// A plan in which everything that can happen happens.
pub(crate) fn full_plan() -> Plan {
    let mut other_size = running("db-1", "172.30.0.4");
    other_size.spec.size = "medium".into();
    let mut retagged = wanted("app-1");
    retagged.marks.tags = ["blue".to_owned()].into();
    let mut surplus = running("app-1", "172.30.0.9");
    surplus.id = "id-of-another".into();
    surplus.created_at = 2;
    let mut off = running("cache-1", "172.30.0.5");
    off.lifecycle = Lifecycle::Stopped;
    let mut guarded = running("vault-1", "172.30.0.6");
    guarded.marks.protected = true;
    let mut spot = wanted("web-1");
    spot.notices.push("local has no spot machines; `spot` is ignored".to_owned());
    let wanted = [retagged, wanted("cache-1"), wanted("db-1"), rented("edge-1", 379), spot];
    let seen = [
        running("app-1", "172.30.0.2"),
        surplus,
        off,
        other_size,
        guarded,
        running("old-1", "172.30.0.7"),
        running("web-1", "172.30.0.8"),
    ];
    plan(wanted, seen, &Policy::default())
}
