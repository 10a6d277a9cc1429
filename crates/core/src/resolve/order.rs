//! One host against what its provider offers.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::{Catalogue, Limit, SizeOffer};
use crate::desired::{Arch, DesiredHost, Position, ProviderId};
use crate::inventory::Spec;
use crate::name::{HostName, Size};
use crate::words::{enumerated, listed};

/// A host that cannot be ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderProblem {
    /// The host.
    pub host: HostName,
    /// Where the file says what is wrong.
    pub at: Position,
    /// What is wrong.
    pub message: String,
    /// The nearest values that would do.
    pub hint: Option<String>,
}

/// Names of SSH keys that the file gives, by provider.
pub type SshKeyNames = BTreeMap<ProviderId, String>;

/// One host, what its provider offers, and what is there of it.
pub(super) struct Order<'a> {
    pub(super) host: &'a DesiredHost,
    pub(super) catalogue: &'a Catalogue,
    pub(super) there: Option<&'a Spec>,
}

impl Order<'_> {
    /// What is asked for in the provider's own words, and what of it cannot be had.
    pub(super) fn spec(&self) -> Result<(Spec, Vec<String>), OrderProblem> {
        let Self { host, catalogue, .. } = self;
        let provider = host.provider;
        let mut notices = Vec::new();
        let mut arch = host.arch.unwrap_or(catalogue.default_arch);
        if provider.emulates(arch) {
            let machine = catalogue.default_arch;
            notices.push(format!(
                "{provider} has no {arch} machines; an {machine} machine emulates it"
            ));
            arch = machine;
        }
        let architectures: BTreeSet<Arch> =
            catalogue.sizes.iter().map(|offer| offer.arch).collect();
        if !architectures.contains(&arch) {
            return Err(self.problem(
                host.places.arch,
                format!("{provider} has no {arch} machines here"),
                there_are(
                    &architectures.iter().map(|arch| arch.as_str().to_owned()).collect::<Vec<_>>(),
                    0,
                ),
            ));
        }
        if host.spot && !catalogue.spot {
            notices.push(format!("{provider} has no spot machines; `spot` is ignored"));
        }
        let spec = Spec {
            region: host.region.clone(),
            size: self.size(arch),
            image: host.image.clone(),
            arch,
            spot: host.spot && catalogue.spot,
        };
        Ok((spec, notices))
    }

    /// The size that is there if it is one of those asked for, else the cheapest of them in the
    /// region.
    fn size(&self, arch: Arch) -> Size {
        let candidates = self.candidates(arch);
        if let Some(there) = self.there.filter(|there| there.arch == arch)
            && candidates.contains(&there.size)
        {
            return there.size.clone();
        }
        let sold = |size: &Size| {
            let price = self.known(size, arch)?.regions.get(&self.host.region)?;
            Some((price.as_ref().map_or(u64::MAX, |price| price.cents), size.clone()))
        };
        let cheapest = candidates.iter().filter_map(sold).min().map(|(_, size)| size);
        cheapest
            .or_else(|| candidates.first().filter(|_| candidates.len() == 1).cloned())
            .unwrap_or_else(|| self.host.size.clone())
    }

    /// The sizes that the size asked for stands for.
    fn candidates(&self, arch: Arch) -> BTreeSet<Size> {
        let key = (self.host.size.clone(), arch);
        let portable = self.catalogue.portable_sizes.get(&key);
        portable.cloned().unwrap_or_else(|| [self.host.size.clone()].into())
    }

    fn known(&self, size: &Size, arch: Arch) -> Option<&SizeOffer> {
        self.catalogue.sizes.iter().find(|offer| offer.size == *size && offer.arch == arch)
    }

    /// What is offered under the name of the size.
    pub(super) fn offer(&self, spec: &Spec) -> Option<&SizeOffer> {
        self.known(&spec.size, spec.arch)
    }

    /// Why it cannot be ordered, unless it is there already.
    pub(super) fn problems(&self, spec: &Spec, ssh_keys: &SshKeyNames) -> Vec<OrderProblem> {
        if self.there == Some(spec) {
            return Vec::new();
        }
        let Self { host, catalogue, .. } = self;
        let (provider, arch) = (host.provider, spec.arch);
        let mut problems = Vec::new();
        let at = host.places;
        let mut report = |at, message, hint| problems.push(self.problem(at, message, hint));
        let candidates = self.candidates(arch);
        let offers: Vec<&SizeOffer> =
            candidates.iter().filter_map(|size| self.known(size, arch)).collect();
        if offers.is_empty() {
            report(
                at.size,
                format!("{provider} has no size `{}` for {arch}", host.size),
                nearest(
                    host.size.as_str(),
                    names_of_sizes(catalogue, arch, |offer| !offer.regions.is_empty()),
                ),
            );
        }
        if !catalogue.regions.contains(&spec.region) {
            let regions = catalogue.regions.iter().map(|region| region.as_str().to_owned());
            report(
                at.region,
                format!("{provider} has no region `{}`", spec.region),
                nearest(spec.region.as_str(), regions),
            );
        } else if let Some(Limit::Closed { why, hint }) = catalogue.limits.get(&spec.region) {
            report(at.region, why.clone(), Some(hint.clone()));
        } else if !offers.is_empty()
            && !offers.iter().any(|offer| offer.regions.contains_key(&spec.region))
        {
            let regions: BTreeSet<&str> = offers
                .iter()
                .flat_map(|offer| offer.regions.keys().map(|region| region.as_str()))
                .collect();
            let sold = |offer: &SizeOffer| offer.regions.contains_key(&spec.region);
            let instead = nearest(host.size.as_str(), names_of_sizes(catalogue, arch, sold));
            let instead = instead.map(|there| format!("; {there}")).unwrap_or_default();
            let hint = match catalogue.limits.get(&spec.region) {
                Some(Limit::Narrowed { sizes, hint })
                    if offers.iter().any(|offer| sizes.contains(&offer.size)) =>
                {
                    format!("{hint}{instead}")
                }
                Some(Limit::Narrowed { .. } | Limit::Closed { .. }) | None
                    if regions.is_empty() =>
                {
                    format!("it cannot be ordered anywhere now{instead}")
                }
                Some(Limit::Narrowed { .. } | Limit::Closed { .. }) | None => {
                    format!("it can be ordered in {}", listed(regions, "and"))
                }
            };
            report(
                at.size,
                format!(
                    "size `{}` cannot be ordered in `{}` at {provider} now",
                    spec.size, spec.region
                ),
                Some(hint),
            );
        }
        if !catalogue.images.contains(&(spec.image.clone(), arch)) {
            let there = catalogue.images.iter().filter(|(_, a)| *a == arch);
            report(
                at.image,
                format!("{provider} has no image `{}` for {arch}", spec.image),
                nearest(spec.image.as_str(), there.map(|(image, _)| image.as_str().to_owned())),
            );
        }
        if let (Some(keys), Some(key)) = (&catalogue.ssh_keys, ssh_keys.get(&provider))
            && !keys.contains(key)
        {
            let hint = nearest(key, keys.iter().cloned()).map_or_else(
                || "the account has no SSH keys; add one there".to_owned(),
                |there| format!("{there}: change `ssh_key_name`, or add the key to the account"),
            );
            let message = format!("the {provider} account has no SSH key named `{key}`");
            report(at.ssh_key_name, message, Some(hint));
        }
        if let (Some(key), Some(here)) =
            (ssh_keys.get(&provider), catalogue.regional_keys.get(&spec.region))
            && !here.contains(key)
        {
            let has = |keys: &BTreeSet<String>| keys.contains(key);
            let others = catalogue.regional_keys.iter().filter(|(_, keys)| has(keys));
            let others: Vec<&str> = others.map(|(region, _)| region.as_str()).collect();
            // One that is nowhere is told already.
            if !others.is_empty() {
                report(
                    at.ssh_key_name,
                    format!(
                        "the SSH key `{key}` is not in the region `{}` of {provider}",
                        spec.region
                    ),
                    Some(format!(
                        "it is in {}; a key belongs to a region: add it to `{}` too",
                        listed(others, "and"),
                        spec.region
                    )),
                );
            }
        }
        problems
    }

    fn problem(&self, at: Position, message: String, hint: Option<String>) -> OrderProblem {
        OrderProblem { host: self.host.name.clone(), at, message, hint }
    }
}

/// The names by which sizes of this architecture can be asked for, of those that `sold` accepts.
fn names_of_sizes(
    catalogue: &Catalogue,
    arch: Arch,
    sold: impl Fn(&SizeOffer) -> bool,
) -> impl Iterator<Item = String> {
    let offers = catalogue.sizes.iter().filter(|offer| offer.arch == arch && sold(offer));
    let own: BTreeSet<&Size> = offers.map(|offer| &offer.size).collect();
    let portable = catalogue
        .portable_sizes
        .iter()
        .filter(|((_, a), sizes)| *a == arch && sizes.iter().any(|size| own.contains(size)));
    let names: BTreeSet<&Size> =
        portable.map(|((size, _), _)| size).chain(own.iter().copied()).collect();
    names.into_iter().map(|size| size.as_str().to_owned()).collect::<Vec<_>>().into_iter()
}

/// A hint with the closest values first, at most five.
fn nearest(wrong: &str, valid: impl Iterator<Item = String>) -> Option<String> {
    let mut valid: Vec<String> = valid.collect();
    valid.sort_by_cached_key(|name| {
        let slips = strsim::damerau_levenshtein(wrong, name);
        // What was begun rightly is nearer than any slip of the keyboard.
        (if name.starts_with(wrong) { 0 } else { slips }, name.clone())
    });
    let more = valid.len().saturating_sub(5);
    valid.truncate(5);
    there_are(&valid, more)
}

/// What there is instead, if there is anything.
fn there_are(names: &[String], more: usize) -> Option<String> {
    let mut items: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if more > 0 {
        items.push(format!("{more} more"));
    }
    let verb = match items.as_slice() {
        [] => return None,
        [_] => "is",
        [_, ..] => "are",
    };
    Some(format!("there {verb} {}", enumerated(&items, "and")))
}
