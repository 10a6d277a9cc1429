//! From what the file asks for to what can be ordered: sizes, regions, images and keys checked
//! against a provider's live catalogue before anything is created.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::{Catalogue, Price, SizeOffer};
use crate::desired::{Arch, DesiredHost, Position, ProviderId};
use crate::inventory::{Inventory, Marks, Spec};
use crate::name::{HostName, Scope, Size};

/// A desired host that can be ordered as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedHost {
    /// Its name.
    pub name: HostName,
    /// Where it lives.
    pub provider: ProviderId,
    /// What its instance is made of, in the provider's own words.
    pub spec: Spec,
    /// What its instance carries.
    pub marks: Marks,
    /// Its price, where the provider gives one.
    pub monthly: Option<Price>,
    /// What was asked for and cannot be had, without being an error.
    pub notices: Vec<String>,
}

/// A host that cannot be ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderProblem {
    /// The host.
    pub host: HostName,
    /// Where the file declares it.
    pub declared_at: Position,
    /// What is wrong.
    pub message: String,
    /// The nearest values that would do.
    pub hint: Option<String>,
}

/// Names of SSH keys that the file gives, by provider.
pub type SshKeyNames = BTreeMap<ProviderId, String>;

/// Resolves all hosts, or says everything that is wrong with them.
///
/// Callers fetch a catalogue for each provider that has desired hosts; a host without one is a
/// problem like any other. A host that is there as asked needs nothing that can be ordered today:
/// it stays valid when its size is sold out or its image retired. `anew` names the hosts that will
/// be ordered although they are there.
///
/// # Errors
/// All problems of all hosts, by host.
pub fn resolve(
    scope: &Scope,
    desired: &BTreeMap<HostName, DesiredHost>,
    catalogues: &BTreeMap<ProviderId, Catalogue>,
    ssh_keys: &SshKeyNames,
    there: &Inventory,
    anew: &BTreeSet<HostName>,
) -> Result<BTreeMap<HostName, ResolvedHost>, Vec<OrderProblem>> {
    let mut resolved = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, host) in desired {
        let Some(catalogue) = catalogues.get(&host.provider) else {
            // Left out it would look as if the file did not have it, and `--prune` would remove it.
            problems.push(OrderProblem {
                host: name.clone(),
                declared_at: host.declared_at,
                message: format!("what {} offers is not known", host.provider),
                hint: None,
            });
            continue;
        };
        let instance =
            there.get(name).filter(|of| of.provider == host.provider && !anew.contains(name));
        let order = Order { host, catalogue, there: instance.map(|instance| &instance.spec) };
        match order.spec() {
            Ok((spec, notices)) => {
                let found = order.problems(&spec, ssh_keys.get(&host.provider));
                problems.extend(found);
                let monthly = order.offer(&spec).and_then(|offer| offer.regions.get(&spec.region));
                resolved.insert(
                    name.clone(),
                    ResolvedHost {
                        name: name.clone(),
                        provider: host.provider,
                        marks: Marks {
                            name: scope.cloud_name(name),
                            role: host.role.clone(),
                            protected: host.protected,
                            tags: host.tags.clone(),
                        },
                        monthly: monthly.cloned().flatten(),
                        spec,
                        notices,
                    },
                );
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(resolved) } else { Err(problems) }
}

/// One host, what its provider offers, and what is there of it.
struct Order<'a> {
    host: &'a DesiredHost,
    catalogue: &'a Catalogue,
    there: Option<&'a Spec>,
}

impl Order<'_> {
    /// What is asked for in the provider's own words, and what of it cannot be had.
    fn spec(&self) -> Result<(Spec, Vec<String>), OrderProblem> {
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
                format!("{provider} has no {arch} machines here"),
                Some(format!("there is {}", list(architectures.iter().map(|a| a.as_str())))),
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

    fn offer(&self, spec: &Spec) -> Option<&SizeOffer> {
        self.known(&spec.size, spec.arch)
    }

    /// Why it cannot be ordered, unless it is there already.
    fn problems(&self, spec: &Spec, ssh_key: Option<&String>) -> Vec<OrderProblem> {
        if self.there == Some(spec) {
            return Vec::new();
        }
        let Self { host, catalogue, .. } = self;
        let (provider, arch) = (host.provider, spec.arch);
        let mut problems = Vec::new();
        let mut report =
            |message: String, hint: Option<String>| problems.push(self.problem(message, hint));
        let candidates = self.candidates(arch);
        let offers: Vec<&SizeOffer> =
            candidates.iter().filter_map(|size| self.known(size, arch)).collect();
        if offers.is_empty() {
            report(
                format!("{provider} has no size `{}` for {arch}", host.size),
                nearest(host.size.as_str(), names_of_sizes(catalogue, arch)),
            );
        }
        if !catalogue.regions.contains(&spec.region) {
            let regions = catalogue.regions.iter().map(|region| region.as_str().to_owned());
            report(
                format!("{provider} has no region `{}`", spec.region),
                nearest(spec.region.as_str(), regions),
            );
        } else if !offers.is_empty()
            && !offers.iter().any(|offer| offer.regions.contains_key(&spec.region))
        {
            let regions: BTreeSet<&str> = offers
                .iter()
                .flat_map(|offer| offer.regions.keys().map(|region| region.as_str()))
                .collect();
            let hint = if regions.is_empty() {
                "it cannot be ordered anywhere now".to_owned()
            } else {
                format!("it can be ordered in {}", list(regions.into_iter()))
            };
            report(
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
                format!("{provider} has no image `{}` for {arch}", spec.image),
                nearest(spec.image.as_str(), there.map(|(image, _)| image.as_str().to_owned())),
            );
        }
        if let (Some(keys), Some(key)) = (&catalogue.ssh_keys, ssh_key)
            && !keys.contains(key)
        {
            report(
                format!("the {provider} account has no SSH key named `{key}`"),
                nearest(key, keys.iter().cloned())
                    .or_else(|| Some("the account has no SSH keys; add one there".to_owned())),
            );
        }
        problems
    }

    fn problem(&self, message: String, hint: Option<String>) -> OrderProblem {
        let Self { host, .. } = self;
        OrderProblem { host: host.name.clone(), declared_at: host.declared_at, message, hint }
    }
}

/// Every name a size of this architecture can be asked for by.
fn names_of_sizes(catalogue: &Catalogue, arch: Arch) -> impl Iterator<Item = String> {
    let portable = catalogue.portable_sizes.keys().filter(move |(_, a)| *a == arch);
    let own = catalogue.sizes.iter().filter(move |offer| offer.arch == arch);
    let names: BTreeSet<&Size> =
        portable.map(|(size, _)| size).chain(own.map(|offer| &offer.size)).collect();
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
    if valid.is_empty() {
        return None;
    }
    let names = list(valid.iter().map(String::as_str));
    Some(if more == 0 {
        format!("there is {names}")
    } else {
        format!("there is {names}, and {more} more")
    })
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Instance, Lifecycle, Owner};
    use crate::name::{Image, InstanceId, Region};

    #[test]
    fn a_portable_size_becomes_the_slug_of_the_provider() {
        let order = resolve_one(desired("small", "fsn1")).expect("it resolves");
        assert_eq!(order.spec.size, Size::from("cx23"));
        assert_eq!(order.marks.name, "staging-app");
        assert_eq!(order.monthly.map(|price| price.to_string()).as_deref(), Some("4.49 EUR"));
    }

    #[test]
    fn a_portable_size_is_the_cheapest_of_its_sizes_in_the_region() {
        let mut catalogues = catalogues();
        let catalogue = catalogues.get_mut(&ProviderId::Hetzner).expect("there");
        catalogue.portable_sizes.values_mut().for_each(|sizes| {
            sizes.insert(Size::from("cpx22"));
        });
        catalogue.sizes.push(offer("cpx22", [("fsn1", 799), ("ash", 999)]));
        let size = |region| {
            let desired = desired("small", region);
            let order = resolve_in(&catalogues, desired, &Inventory::default(), false);
            order.map(|order| (order.spec.size, order.monthly.expect("a price").cents))
        };
        assert_eq!(size("fsn1"), Ok((Size::from("cx23"), 449)));
        assert_eq!(size("ash"), Ok((Size::from("cpx22"), 999)));
    }

    #[test]
    fn a_size_that_is_not_sold_in_a_region_says_where_it_is() {
        for size in ["cx23", "small"] {
            let problems = resolve_one(desired(size, "ash")).expect_err("not sold there");
            let message = "size `cx23` cannot be ordered in `ash` at hetzner now";
            assert_eq!(problems[0].message, message);
            assert_eq!(problems[0].hint.as_deref(), Some("it can be ordered in `fsn1`"));
        }
    }

    #[test]
    fn a_host_that_is_there_as_asked_needs_nothing_that_can_be_ordered_today() {
        let mut catalogues = catalogues();
        let catalogue = catalogues.get_mut(&ProviderId::Hetzner).expect("there");
        catalogue.images.clear();
        catalogue.sizes = vec![offer("cx33", [("fsn1", 999)])];
        let spec = Spec {
            region: Region::from("fsn1"),
            size: Size::from("cx23"),
            image: Image::from("debian-12"),
            arch: Arch::Amd64,
            spot: false,
        };
        let there = Inventory::new([instance(spec.clone())]);
        for size in ["small", "cx23"] {
            let order = resolve_in(&catalogues, desired(size, "fsn1"), &there, false);
            assert_eq!(order.map(|order| order.spec), Ok(spec.clone()), "{size}");
            let anew = resolve_in(&catalogues, desired(size, "fsn1"), &there, true);
            assert_eq!(anew.expect_err("retired").len(), 2, "{size}");
        }
    }

    #[test]
    fn an_architecture_without_machines_is_emulated_where_that_is_possible() {
        let mut catalogues = catalogues();
        let mut host = desired("small", "fsn1");
        host.arch = Some(Arch::Arm64);
        let none = resolve_in(&catalogues, host.clone(), &Inventory::default(), false);
        assert_eq!(none.expect_err("none")[0].message, "hetzner has no arm64 machines here");
        host.provider = ProviderId::DigitalOcean;
        let catalogue = catalogues[&ProviderId::Hetzner].clone();
        catalogues.insert(ProviderId::DigitalOcean, catalogue);
        let order = resolve_in(&catalogues, host, &Inventory::default(), false).expect("emulated");
        assert_eq!(order.spec.arch, Arch::Amd64);
        let notice = "digitalocean has no arm64 machines; an amd64 machine emulates it";
        assert_eq!(order.notices, [notice]);
    }

    #[test]
    fn every_problem_of_a_host_is_told_with_the_nearest_valid_values() {
        let mut host = desired("cx32", "fns1");
        host.image = Image::from("debian-13");
        let problems = resolve_one(host).expect_err("all wrong");
        let told: Vec<_> =
            problems.iter().map(|p| (p.message.as_str(), p.hint.as_deref())).collect();
        assert_eq!(
            told,
            [
                ("hetzner has no size `cx32` for amd64", Some("there is `cx23`, `small`")),
                ("hetzner has no region `fns1`", Some("there is `fsn1`, `ash`")),
                ("hetzner has no image `debian-13` for amd64", Some("there is `debian-12`")),
            ]
        );
    }

    #[test]
    fn an_unknown_ssh_key_is_an_error_that_lists_the_keys_there_are() {
        let (scope, catalogues) = (scope(), catalogues());
        let host = desired("small", "fsn1");
        let hosts = BTreeMap::from([(host.name.clone(), host)]);
        let keys = BTreeMap::from([(ProviderId::Hetzner, "deplyo".to_owned())]);
        let (nothing, none) = (Inventory::default(), BTreeSet::new());
        let problems =
            resolve(&scope, &hosts, &catalogues, &keys, &nothing, &none).expect_err("unknown key");
        assert_eq!(problems[0].message, "the hetzner account has no SSH key named `deplyo`");
        assert_eq!(problems[0].hint.as_deref(), Some("there is `deploy`"));
    }

    #[test]
    fn a_host_whose_provider_has_no_catalogue_is_a_problem_and_not_left_out() {
        let mut host = desired("small", "fsn1");
        host.provider = ProviderId::Aws;
        let problems = resolve_one(host).expect_err("nothing is known of it");
        assert_eq!(problems[0].message, "what aws offers is not known");
    }

    #[test]
    fn spot_where_there_is_none_is_a_notice() {
        let mut host = desired("small", "fsn1");
        host.spot = true;
        let order = resolve_one(host).expect("it resolves");
        assert!(!order.spec.spot);
        assert_eq!(order.notices, ["hetzner has no spot machines; `spot` is ignored"]);
    }

    fn resolve_one(host: DesiredHost) -> Result<ResolvedHost, Vec<OrderProblem>> {
        resolve_in(&catalogues(), host, &Inventory::default(), false)
    }

    fn resolve_in(
        catalogues: &BTreeMap<ProviderId, Catalogue>,
        host: DesiredHost,
        there: &Inventory,
        anew: bool,
    ) -> Result<ResolvedHost, Vec<OrderProblem>> {
        let name = host.name.clone();
        let hosts = BTreeMap::from([(name.clone(), host)]);
        let anew = hosts.keys().filter(|_| anew).cloned().collect();
        resolve(&scope(), &hosts, catalogues, &BTreeMap::new(), there, &anew)
            .map(|mut all| all.remove(&name).expect("resolved"))
    }

    fn instance(spec: Spec) -> Instance {
        let host = desired("small", "fsn1").name;
        Instance {
            id: InstanceId::from("1"),
            provider: ProviderId::Hetzner,
            marks: Marks {
                name: scope().cloud_name(&host),
                role: "app".parse().expect("a name"),
                protected: false,
                tags: BTreeSet::new(),
            },
            owner: Owner { scope: scope(), host },
            lifecycle: Lifecycle::Running,
            spec,
            address: None,
            ssh: None,
            created_at: 0,
            trouble: None,
        }
    }

    fn offer<const N: usize>(size: &str, regions: [(&str, u64); N]) -> SizeOffer {
        let price = |cents| Some(Price { cents, currency: "EUR".to_owned() });
        SizeOffer {
            size: Size::from(size),
            arch: Arch::Amd64,
            regions: regions.map(|(region, cents)| (Region::from(region), price(cents))).into(),
        }
    }

    fn scope() -> Scope {
        Scope {
            project: "shop".parse().expect("a name"),
            environment: "staging".parse().expect("a name"),
        }
    }

    fn desired(size: &str, region: &str) -> DesiredHost {
        DesiredHost {
            name: "app".parse().expect("a name"),
            provider: ProviderId::Hetzner,
            role: "app".parse().expect("a name"),
            region: Region::from(region),
            size: Size::from(size),
            image: Image::from("debian-12"),
            arch: None,
            spot: false,
            protected: false,
            tags: BTreeSet::new(),
            declared_at: Position { line: 7, column: 3 },
        }
    }

    fn catalogues() -> BTreeMap<ProviderId, Catalogue> {
        let catalogue = Catalogue {
            regions: ["ash", "fsn1"].map(Region::from).into(),
            sizes: vec![offer("cx23", [("fsn1", 449)])],
            portable_sizes: [((Size::from("small"), Arch::Amd64), [Size::from("cx23")].into())]
                .into(),
            images: [(Image::from("debian-12"), Arch::Amd64)].into(),
            ssh_keys: Some(["deploy".to_owned()].into()),
            default_arch: Arch::Amd64,
            spot: false,
        };
        BTreeMap::from([(ProviderId::Hetzner, catalogue)])
    }
}
