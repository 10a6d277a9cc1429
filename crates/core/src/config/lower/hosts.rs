//! Hosts: defaults, allow-lists, `count`, and names that stand twice.

use std::collections::BTreeMap;
use std::ops::Range;

use super::settings::LOCAL_REGION;
use super::{Lowering, Provider};
use crate::config::problem::Problem;
use crate::config::raw::{RawHost, RawHosts, RawImage};
use crate::config::rules::Slug;
use crate::desired::{DesiredHost, Places, ProviderId};
use crate::error::Code;
use crate::name::{EnvironmentName, HostName, Image, Region, Size};

/// A file cannot declare more hosts than this, `count` included.
const MAX_HOSTS: usize = 10_000;

type Environments = BTreeMap<EnvironmentName, BTreeMap<HostName, DesiredHost>>;

/// One entry of the file that declares a host, or several by `count`.
#[derive(Debug)]
pub(super) struct Declaration<'a> {
    pub(super) provider: &'a Provider,
    pub(super) environment: EnvironmentName,
    pub(super) name: HostName,
    pub(super) key: Range<usize>,
    pub(super) raw: RawHost,
}

impl Lowering<'_> {
    /// The hosts of all environments, in which no name stands twice.
    pub(super) fn environments(
        &mut self,
        providers: &[Provider],
        declared: Vec<(ProviderId, BTreeMap<EnvironmentName, RawHosts>)>,
    ) -> Environments {
        let mut environments = Environments::new();
        let mut declarations = Vec::new();
        for (provider, (_, by_environment)) in providers.iter().zip(declared) {
            for (environment, hosts) in by_environment {
                environments.entry(environment.clone()).or_default();
                for (name, raw) in hosts {
                    let path = provider.below(&["hosts", environment.as_str(), name.as_str()]);
                    let key = self.key(&path);
                    let environment = environment.clone();
                    declarations.push(Declaration { provider, environment, name, key, raw });
                }
            }
        }
        declarations.sort_by_key(|declaration| declaration.key.start);

        let mut places: BTreeMap<(EnvironmentName, HostName), Range<usize>> = BTreeMap::new();
        for declaration in &declarations {
            let host = self.host(declaration);
            self.tags(declaration);
            let names = self.expanded(declaration);
            self.cloud_names(declaration, &names);
            for name in names {
                let place = (declaration.environment.clone(), name.clone());
                if let Some(first) = places.get(&place) {
                    self.report(duplicate(declaration, &name, first.clone()));
                    continue;
                }
                if places.len() >= MAX_HOSTS {
                    self.report(
                        Problem::new(
                            Code::CONFIG_INVALID_VALUE,
                            format!("the file declares more than {MAX_HOSTS} hosts"),
                        )
                        .at(declaration.key.clone())
                        .with_label("the limit is passed here"),
                    );
                    return environments;
                }
                places.insert(place, declaration.key.clone());
                let host = DesiredHost { name: name.clone(), ..host.clone() };
                environments.entry(declaration.environment.clone()).or_default().insert(name, host);
            }
        }
        environments
    }

    /// The names a declaration stands for.
    fn expanded(&mut self, declaration: &Declaration<'_>) -> Vec<HostName> {
        let name = &declaration.name;
        let Some(count) = declaration.raw.count else {
            return vec![name.clone()];
        };
        let names: Result<_, _> =
            (1..=count).map(|number| format!("{name}-{number}").parse()).collect();
        names.unwrap_or_else(|_| {
            self.report(
                Problem::new(
                    Code::CONFIG_INVALID_VALUE,
                    format!("`{name}-{count}` is longer than 63 characters"),
                )
                .at(declaration.key.clone())
                .with_label("too long with the number `count` adds")
                .with_help("use a shorter name"),
            );
            Vec::new()
        })
    }

    fn host(&mut self, declaration: &Declaration<'_>) -> DesiredHost {
        let Declaration { provider, raw, .. } = declaration;
        let is_local = provider.id == ProviderId::Local;
        let image = raw.image.or(provider.raw.default_image).unwrap_or(if is_local {
            RawImage::Debian12
        } else {
            RawImage::Ubuntu2204
        });
        DesiredHost {
            name: declaration.name.clone(),
            provider: provider.id,
            role: raw.role.clone(),
            region: if is_local {
                self.local_region(declaration)
            } else {
                self.region(declaration)
            },
            size: self.size(declaration),
            image: Image::from(image.as_str()),
            arch: raw.arch,
            spot: raw.spot.unwrap_or(false),
            protected: raw.protected.unwrap_or(false),
            tags: raw.tags.iter().flatten().map(|tag| tag.0.clone()).collect(),
            places: self.places(declaration),
        }
    }

    /// A key that hosts or their providers do not have is looked for there in vain.
    fn places(&self, declaration: &Declaration<'_>) -> Places {
        let provider = declaration.provider;
        let at = |place: &Range<usize>| self.source.position(place.start);
        let said = |key, default| {
            let own = self.root.entry(&declaration.below(key));
            let entry = own.or_else(|| self.root.entry(&provider.below(&[default])));
            at(entry.map_or(&declaration.key, |entry| &entry.value.span))
        };
        Places {
            host: at(&declaration.key),
            region: said("region", "default_region"),
            size: said("size", "default_size"),
            image: said("image", "default_image"),
            arch: said("arch", "arch"),
            ssh_key_name: said("ssh_key_name", "ssh_key_name"),
        }
    }

    fn local_region(&mut self, declaration: &Declaration<'_>) -> Region {
        if let Some(region) =
            declaration.raw.region.as_ref().filter(|region| region.0 != LOCAL_REGION)
        {
            let place = self.value(&declaration.below("region"));
            self.no_local_region(place, &region.0);
        }
        Region::from(LOCAL_REGION)
    }

    fn region(&mut self, declaration: &Declaration<'_>) -> Region {
        let provider = declaration.provider;
        if let Some(region) = &declaration.raw.region {
            let path = declaration.below("region");
            self.allowed(provider, &path, region, "regions", provider.raw.regions.as_ref());
            return Region(region.0.clone());
        }
        if let Some(region) = &provider.raw.default_region {
            return Region(region.0.clone());
        }
        if !self.is_incomplete(&provider.path) && !self.is_incomplete(&declaration.path()) {
            self.report(
                Problem::new(
                    Code::CONFIG_MISSING_KEY,
                    format!("the host `{}` has no region", declaration.name),
                )
                .at(declaration.key.clone())
                .with_label("`region` is required here")
                .with_help(format!(
                    "add `region` here, or `default_region` to `cloud.providers.{}`",
                    provider.id
                )),
            );
        }
        Region::from("")
    }

    fn size(&mut self, declaration: &Declaration<'_>) -> Size {
        const DEFAULT: &str = "small";
        let provider = declaration.provider;
        let allowed = provider.raw.sizes.as_ref();
        if let Some(size) = &declaration.raw.size {
            self.allowed(provider, &declaration.below("size"), size, "sizes", allowed);
            if provider.id == ProviderId::Local {
                let place = self.value(&declaration.below("size"));
                self.local_size(place, &size.0);
            }
            return Size(size.0.clone());
        }
        if let Some(size) = &provider.raw.default_size {
            return Size(size.0.clone());
        }
        let complete = !self.is_incomplete(&provider.path)
            && !self.is_incomplete(&provider.below(&["sizes"]))
            && !self.is_incomplete(&declaration.path());
        let default = Slug(DEFAULT.to_owned());
        if complete && allowed.is_some_and(|all| !all.contains(&default)) {
            self.report(
                Problem::new(
                    Code::CONFIG_MISSING_KEY,
                    format!(
                        "the host `{}` has no size, and `{DEFAULT}` is not one of the allowed sizes",
                        declaration.name
                    ),
                )
                .at(declaration.key.clone())
                .with_label("`size` is required here")
                .with_help(format!(
                    "add `size` here, or `default_size` to `cloud.providers.{}`",
                    provider.id
                )),
            );
        }
        Size::from(DEFAULT)
    }
}

impl Declaration<'_> {
    fn path(&self) -> Vec<&str> {
        self.provider.below(&["hosts", self.environment.as_str(), self.name.as_str()])
    }

    pub(super) fn below<'a>(&'a self, key: &'a str) -> Vec<&'a str> {
        let mut path = self.path();
        path.push(key);
        path
    }
}

fn duplicate(declaration: &Declaration<'_>, name: &HostName, first: Range<usize>) -> Problem {
    let environment = &declaration.environment;
    let label = match declaration.raw.count {
        Some(_) => format!("`count` gives `{name}` again"),
        None => "the second time".to_owned(),
    };
    Problem::new(
        Code::CONFIG_DUPLICATE_HOST,
        format!("the environment `{environment}` has two hosts called `{name}`"),
    )
    .at(declaration.key.clone())
    .with_label(label)
    .with_also(first, "the first time")
    .with_help("rename one of the two; names are unique over all providers of an environment")
}
