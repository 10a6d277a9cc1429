use std::net::{IpAddr, Ipv4Addr};

use stagecraft_core::cloud::Catalogue;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Instance, Lifecycle, Marks, Owner};
use stagecraft_core::name::{Region, Scope, Size};

use super::labels::{self, ENVIRONMENT, FIRST_KEY, HOST, HOST_KEY, PROJECT};
use crate::world::{Labels, Order, Seen};

/// One promise of the provider contract, broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// `validate_credentials` fails although the credentials are good.
    DistrustsCredentials,
    /// A portable size stands for a size that is not offered.
    OffersNothing,
    /// There is no image for the default architecture.
    OffersNoImage,
    /// `list` shows every environment of the project.
    ListsAllEnvironments,
    /// `list` shows environments whose name begins with the one asked for.
    ListsByPrefix,
    /// `list` compares project and environment joined by a dash.
    ListsByJoinedNames,
    /// `list` and `get` know ours by the beginning of the name.
    OwnsByName,
    /// `list` leaves one out when there are several.
    MissesAPage,
    /// `get` fails for an unknown id.
    FailsOnUnknown,
    /// `create` does not write the labels of ownership.
    DropsLabels,
    /// `create` writes another host into the labels.
    MislabelsHost,
    /// `create` does not write the tags.
    ForgetsTags,
    /// `create` does not write the pinned keys.
    DropsPins,
    /// `update` takes the pinned keys off.
    ForgetsPins,
    /// `pin` does nothing.
    NeverPins,
    /// `pin` gives the machine another name.
    PinsByName,
    /// `create` makes a machine somewhere else.
    MovesRegion,
    /// `create` answers with another id than the machine's.
    AnswersWrongId,
    /// `create` returns an instance of that name whoever owns it.
    AdoptsByName,
    /// `create` refuses a name that is taken by the same owner.
    NeverAdopts,
    /// `update` does nothing.
    IgnoresUpdates,
    /// `update` adds tags and removes none.
    OnlyAddsTags,
    /// `terminate` does nothing.
    KeepsMachines,
    /// `terminate` fails when there is nothing to do.
    TerminatesOnce,
    /// What is being removed looks as if it ran.
    HidesTermination,
    /// `start` does nothing.
    NeverStarts,
    /// `start` fails for what runs.
    RefusesRunning,
    /// An instance is called running before it has an address.
    RunsWithoutAddress,
    /// An instance never has an address.
    HasNoAddress,
    /// Younger instances look older.
    ReversesAge,
}

impl Flaw {
    /// Every flaw there is.
    pub const ALL: [Self; 30] = [
        Self::DistrustsCredentials,
        Self::OffersNothing,
        Self::OffersNoImage,
        Self::ListsAllEnvironments,
        Self::ListsByPrefix,
        Self::ListsByJoinedNames,
        Self::OwnsByName,
        Self::MissesAPage,
        Self::FailsOnUnknown,
        Self::DropsLabels,
        Self::MislabelsHost,
        Self::ForgetsTags,
        Self::DropsPins,
        Self::ForgetsPins,
        Self::NeverPins,
        Self::PinsByName,
        Self::MovesRegion,
        Self::AnswersWrongId,
        Self::AdoptsByName,
        Self::NeverAdopts,
        Self::IgnoresUpdates,
        Self::OnlyAddsTags,
        Self::KeepsMachines,
        Self::TerminatesOnce,
        Self::HidesTermination,
        Self::NeverStarts,
        Self::RefusesRunning,
        Self::RunsWithoutAddress,
        Self::HasNoAddress,
        Self::ReversesAge,
    ];
}

/// The order as a provider with `flaw` writes it.
pub(super) fn spoil_order(flaw: Option<Flaw>, mut order: Order) -> Order {
    let has = |other| flaw == Some(other);
    if has(Flaw::DropsLabels) {
        order.labels.retain(|key, _| ![PROJECT, ENVIRONMENT, HOST].contains(&key.as_str()));
    }
    if has(Flaw::MislabelsHost) {
        order.labels.insert(HOST.to_owned(), "somebody-else".to_owned());
    }
    if has(Flaw::ForgetsTags) {
        order.tags.clear();
    }
    if has(Flaw::DropsPins) {
        order.labels.retain(|key, _| ![FIRST_KEY, HOST_KEY].contains(&key.as_str()));
    }
    if has(Flaw::MovesRegion) {
        let other = if order.spec.region.as_str() == "east" { "west" } else { "east" };
        order.spec.region = Region::from(other);
    }
    order
}

/// The labels a provider with `flaw` asks the world for.
pub(super) fn selector(flaw: Option<Flaw>, scope: &Scope) -> Labels {
    let has = |other| flaw == Some(other);
    let mut selector = labels::selector(scope);
    if has(Flaw::ListsAllEnvironments) || has(Flaw::ListsByPrefix) {
        selector.remove(ENVIRONMENT);
    }
    if has(Flaw::ListsByJoinedNames) || has(Flaw::OwnsByName) {
        selector.clear();
    }
    selector
}

/// What a provider with `flaw` makes of the machines the world listed.
pub(super) fn sift(
    flaw: Option<Flaw>,
    provider: ProviderId,
    seen: &[Seen],
    scope: &Scope,
) -> Vec<Instance> {
    let has = |other| flaw == Some(other);
    let mut found: Vec<Instance> =
        seen.iter().filter_map(|seen| read(flaw, provider, seen, scope)).collect();
    if has(Flaw::ListsByPrefix) {
        found.retain(|instance| {
            let environment = instance.owner.scope.environment.as_str();
            environment.starts_with(scope.environment.as_str())
        });
    }
    if has(Flaw::ListsByJoinedNames) {
        let joined = |scope: &Scope| format!("{}-{}", scope.project, scope.environment);
        found.retain(|instance| joined(&instance.owner.scope) == joined(scope));
    }
    if has(Flaw::MissesAPage) && found.len() > 1 {
        found.pop();
    }
    found
}

/// What a provider with `flaw` makes of one machine.
pub(super) fn read(
    flaw: Option<Flaw>,
    provider: ProviderId,
    seen: &Seen,
    scope: &Scope,
) -> Option<Instance> {
    let has = |other| flaw == Some(other);
    let labelled = labels::instance(provider, seen);
    let mut instance = if has(Flaw::OwnsByName) {
        labelled
            .filter(|ours| ours.owner.scope == *scope)
            .or_else(|| by_name(provider, seen, scope))
    } else if has(Flaw::AdoptsByName) {
        labelled.or_else(|| by_name(provider, seen, scope))
    } else {
        labelled
    }?;
    if has(Flaw::HidesTermination) && !instance.is_live() {
        instance.lifecycle = Lifecycle::Running;
        instance.address = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    if has(Flaw::RunsWithoutAddress) && instance.lifecycle == Lifecycle::Pending {
        instance.lifecycle = Lifecycle::Running;
    }
    if has(Flaw::HasNoAddress) {
        instance.address = None;
        if instance.lifecycle == Lifecycle::Running {
            instance.lifecycle = Lifecycle::Pending;
        }
    }
    if has(Flaw::ReversesAge) {
        instance.created_at = u64::MAX - instance.created_at;
    }
    Some(instance)
}

/// What a provider that owns by name takes a machine of whatever scope for.
pub(super) fn guess(provider: ProviderId, seen: &Seen) -> Option<Instance> {
    let environment = seen.name.split('-').next()?.parse().ok()?;
    let scope = Scope { project: "guessed".parse().ok()?, environment };
    by_name(provider, seen, &scope)
}

/// What a provider with `flaw` offers.
pub(super) fn spoil_catalogue(flaw: Option<Flaw>, mut catalogue: Catalogue) -> Catalogue {
    let default_arch = catalogue.default_arch;
    if flaw == Some(Flaw::OffersNothing) {
        let nothing = Size::from("x-nothing");
        catalogue.portable_sizes.insert(("small".into(), default_arch), [nothing].into());
    }
    if flaw == Some(Flaw::OffersNoImage) {
        catalogue.images.retain(|(_, arch)| *arch != default_arch);
    }
    catalogue
}

fn by_name(provider: ProviderId, seen: &Seen, scope: &Scope) -> Option<Instance> {
    let host = seen.name.strip_prefix(&format!("{}-", scope.environment))?.parse().ok()?;
    let role = seen.name.parse().ok()?;
    let owner = Owner { scope: scope.clone(), host };
    let marks = Marks { name: seen.name.clone(), role, protected: false, tags: seen.tags.clone() };
    let labelled =
        Seen { labels: labels::labels(&owner, &marks, &Pins::default()), ..seen.clone() };
    labels::instance(provider, &labelled)
}
