//! From what the file asks for to what can be ordered: sizes, regions, images and keys checked
//! against a provider's live catalogue before anything is created.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::{Catalogue, Price};
use crate::desired::{Arch, DesiredHost, Position, ProviderId};
use crate::inventory::{Marks, Spec};
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
/// problem like any other.
///
/// # Errors
/// All problems of all hosts, by host.
pub fn resolve(
    scope: &Scope,
    desired: &BTreeMap<HostName, DesiredHost>,
    catalogues: &BTreeMap<ProviderId, Catalogue>,
    ssh_keys: &SshKeyNames,
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
        let mut found = Vec::new();
        let order = one(scope, host, catalogue, ssh_keys.get(&host.provider), &mut found);
        if found.is_empty() {
            resolved.insert(name.clone(), order);
        } else {
            problems.extend(found);
        }
    }
    if problems.is_empty() { Ok(resolved) } else { Err(problems) }
}

fn one(
    scope: &Scope,
    host: &DesiredHost,
    catalogue: &Catalogue,
    ssh_key: Option<&String>,
    problems: &mut Vec<OrderProblem>,
) -> ResolvedHost {
    let provider = host.provider;
    let mut problem = |message: String, hint: Option<String>| {
        problems.push(OrderProblem {
            host: host.name.clone(),
            declared_at: host.declared_at,
            message,
            hint,
        });
    };
    let mut notices = Vec::new();

    let arch = host.arch.unwrap_or(catalogue.default_arch);
    let architectures: BTreeSet<Arch> = catalogue.sizes.iter().map(|offer| offer.arch).collect();
    let size =
        catalogue.portable_sizes.get(&(host.size.clone(), arch)).unwrap_or(&host.size).clone();
    let offer = catalogue.sizes.iter().find(|offer| offer.size == size && offer.arch == arch);

    if !architectures.contains(&arch) {
        let there = list(architectures.iter().map(|arch| arch.as_str()));
        problem(
            format!("{provider} has no {arch} machines here"),
            Some(format!("there is {there}")),
        );
    } else if offer.is_none() {
        problem(
            format!("{provider} has no size `{size}` for {arch}"),
            nearest(size.as_str(), names_of_sizes(catalogue, arch)),
        );
    }
    if !catalogue.regions.contains(&host.region) {
        problem(
            format!("{provider} has no region `{}`", host.region),
            nearest(host.region.as_str(), catalogue.regions.iter().map(|r| r.as_str().to_owned())),
        );
    } else if let Some(offer) = offer
        && !offer.regions.contains(&host.region)
    {
        let elsewhere = list(offer.regions.iter().map(|region| region.as_str()));
        let hint = if offer.regions.is_empty() {
            "it cannot be ordered anywhere now".to_owned()
        } else {
            format!("it can be ordered in {elsewhere}")
        };
        problem(
            format!("size `{size}` cannot be ordered in `{}` at {provider} now", host.region),
            Some(hint),
        );
    }
    if !catalogue.images.contains(&(host.image.clone(), arch)) {
        let there = catalogue.images.iter().filter(|(_, a)| *a == arch);
        problem(
            format!("{provider} has no image `{}` for {arch}", host.image),
            nearest(host.image.as_str(), there.map(|(image, _)| image.as_str().to_owned())),
        );
    }
    if let (Some(keys), Some(key)) = (&catalogue.ssh_keys, ssh_key)
        && !keys.contains(key)
    {
        problem(
            format!("the {provider} account has no SSH key named `{key}`"),
            nearest(key, keys.iter().cloned()),
        );
    }
    if host.spot && !catalogue.spot {
        notices.push(format!("{provider} has no spot machines; `spot` is ignored"));
    }

    ResolvedHost {
        name: host.name.clone(),
        provider,
        spec: Spec {
            region: host.region.clone(),
            size,
            image: host.image.clone(),
            arch,
            spot: host.spot && catalogue.spot,
        },
        marks: Marks {
            name: scope.cloud_name(&host.name),
            role: host.role.clone(),
            protected: host.protected,
            tags: host.tags.clone(),
        },
        monthly: offer.and_then(|offer| offer.monthly.clone()),
        notices,
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
        let similarity = strsim::jaro_winkler(wrong, name);
        // Similarity is between 0 and 1; as an integer it can be a key, most similar first.
        (1_000_000 - (similarity * 1_000_000.0) as i64, name.clone())
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
    use crate::cloud::SizeOffer;
    use crate::name::{Image, Region};

    #[test]
    fn a_portable_size_becomes_the_slug_of_the_provider() {
        let order = resolve_one(desired("small", "fsn1")).expect("it resolves");
        assert_eq!(order.spec.size, Size::from("cx23"));
        assert_eq!(order.marks.name, "staging-app");
        assert_eq!(order.monthly.map(|price| price.to_string()).as_deref(), Some("4.49 EUR"));
    }

    #[test]
    fn a_size_that_is_not_sold_in_a_region_says_where_it_is() {
        let problems = resolve_one(desired("cx23", "ash")).expect_err("not sold there");
        assert_eq!(problems[0].message, "size `cx23` cannot be ordered in `ash` at hetzner now");
        assert_eq!(problems[0].hint.as_deref(), Some("it can be ordered in `fsn1`"));
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
        let problems = resolve(&scope, &hosts, &catalogues, &keys).expect_err("unknown key");
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
        let name = host.name.clone();
        let hosts = BTreeMap::from([(name.clone(), host)]);
        resolve(&scope(), &hosts, &catalogues(), &BTreeMap::new())
            .map(|mut all| all.remove(&name).expect("resolved"))
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
            sizes: vec![SizeOffer {
                size: Size::from("cx23"),
                arch: Arch::Amd64,
                regions: [Region::from("fsn1")].into(),
                monthly: Some(Price { cents: 449, currency: "EUR".to_owned() }),
            }],
            portable_sizes: [((Size::from("small"), Arch::Amd64), Size::from("cx23"))].into(),
            images: [(Image::from("debian-12"), Arch::Amd64)].into(),
            ssh_keys: Some(["deploy".to_owned()].into()),
            default_arch: Arch::Amd64,
            spot: false,
        };
        BTreeMap::from([(ProviderId::Hetzner, catalogue)])
    }
}
