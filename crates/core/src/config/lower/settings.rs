//! Everything but hosts and the network: credentials, defaults, bootstrap.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Lowering, Provider};
use crate::config::problem::Problem;
use crate::config::raw::{
    RawBootstrap, RawDocker, RawDockerInstall, RawDockerSource, RawHostKeys, RawHosts, RawSsh,
};
use crate::config::rules::Slug;
use crate::config::source::quoted;
use crate::config::words::nearest;
use crate::config::{
    BootstrapConfig, CredentialSource, DockerConfig, DockerInstall, DockerSource, HostKeys,
    ProviderConfig, SshConfig,
};
use crate::desired::ProviderId;
use crate::error::Code;
use crate::name::{EnvironmentName, Region, Size};
use crate::words::listed;

/// The sizes of `local`.
pub(super) const LOCAL_SIZES: [&str; 3] = ["small", "medium", "large"];
/// The only region of `local`.
pub(super) const LOCAL_REGION: &str = "local";

impl Lowering<'_> {
    pub(super) fn provider(
        &mut self,
        provider: &Provider,
        hosts: &BTreeMap<EnvironmentName, RawHosts>,
    ) -> ProviderConfig {
        let raw = &provider.raw;
        if let Some(region) = &raw.default_region {
            let path = provider.below(&["default_region"]);
            self.allowed(provider, &path, region, "regions", raw.regions.as_ref());
        }
        if let Some(size) = &raw.default_size {
            let path = provider.below(&["default_size"]);
            self.allowed(provider, &path, size, "sizes", raw.sizes.as_ref());
        }
        if provider.id == ProviderId::Local {
            self.local_regions(provider);
            self.local_sizes(provider);
        }
        self.api_url(provider);
        if hosts.values().any(|hosts| !hosts.is_empty()) {
            self.ssh_key_name(provider);
        }
        ProviderConfig {
            credentials: self.credentials(provider),
            default_region: raw.default_region.as_ref().map(|region| Region(region.0.clone())),
            subnet_id: raw.aws.subnet_id.as_ref().map(|id| id.0.clone()),
            ssh_key_name: raw.ssh_key_name.as_ref().map(|name| name.0.clone()),
            allowed_regions: slugs(raw.regions.as_ref(), Region),
            regions_at: self.regions_at(provider),
            allowed_sizes: slugs(raw.sizes.as_ref(), Size),
            api_url: raw.api_url.as_ref().map(|url| url.0.clone()),
            environments: hosts.keys().cloned().collect(),
        }
    }

    fn credentials(&mut self, provider: &Provider) -> Option<CredentialSource> {
        let id = provider.id;
        if id == ProviderId::Aws {
            return self.aws_credentials(provider);
        }
        match (&provider.raw.token_env, &provider.raw.credentials) {
            (Some(variable), None) => Some(CredentialSource::Variable(variable.0.clone())),
            (None, Some(name)) => Some(CredentialSource::Stored(name.clone())),
            (Some(_), Some(_)) => {
                self.one_too_many(&provider.path, "token_env", "credentials");
                None
            }
            (None, None) => {
                if id != ProviderId::Local && !self.is_incomplete(&provider.path) {
                    self.report(
                        Problem::new(
                            Code::CONFIG_MISSING_KEY,
                            format!("`cloud.providers.{id}` has no credentials"),
                        )
                        .at(self.key(&provider.path))
                        .with_label("`token_env` or `credentials` is required here")
                        .with_help("add `token_env` with the name of the environment variable that holds the token, or `credentials` with the name of an entry in the credential store"),
                    );
                }
                None
            }
        }
    }

    /// Says that of two keys that mean the same there must be one.
    pub(super) fn one_too_many(&mut self, path: &[&str], first: &str, second: &str) {
        let below = |key| [path, &[key]].concat();
        self.report(
            Problem::new(
                Code::CONFIG_INVALID_VALUE,
                format!("`{}` has both `{first}` and `{second}`", path.join(".")),
            )
            .at(self.key(&below(second)))
            .with_label("one of the two is too many")
            .with_also(self.key(&below(first)), "the other")
            .with_help("keep one"),
        );
    }

    /// Checks a value against the list of what the provider's hosts may use.
    pub(super) fn allowed(
        &mut self,
        provider: &Provider,
        path: &[&str],
        value: &Slug,
        list: &str,
        allowed: Option<&BTreeSet<Slug>>,
    ) {
        let list_path = provider.below(&[list]);
        let Some(allowed) = allowed.filter(|allowed| !allowed.contains(value)) else { return };
        if self.is_incomplete(&list_path) {
            return;
        }
        let names = listed(allowed.iter().map(|slug| slug.0.as_str()).take(10), "or");
        self.report(
            Problem::new(
                Code::CONFIG_INVALID_VALUE,
                format!(
                    "{} is not one of the {list} allowed for `{}`",
                    quoted(&value.0),
                    provider.id
                ),
            )
            .at(self.value(path))
            .with_label("not allowed")
            .with_also(self.key(&list_path), "the list")
            .with_help(format!("use {names}, or extend the list")),
        );
    }

    fn regions_at(&self, provider: &Provider) -> Vec<(Region, Range<usize>)> {
        let items = self.items(&provider.below(&["regions"]));
        items.into_iter().map(|(region, place)| (Region(region), place)).collect()
    }

    fn local_regions(&mut self, provider: &Provider) {
        let given = provider.raw.default_region.iter().map(|region| ("default_region", region));
        let listed = provider.raw.regions.iter().flatten().map(|region| ("regions", region));
        for (key, region) in given.chain(listed) {
            if region.0 != LOCAL_REGION {
                let place = self.value(&provider.below(&[key]));
                self.no_local_region(place, &region.0);
            }
        }
    }

    fn local_sizes(&mut self, provider: &Provider) {
        if let Some(size) = &provider.raw.default_size {
            let place = self.value(&provider.below(&["default_size"]));
            self.local_size(place, &size.0);
        }
        for (size, place) in self.items(&provider.below(&["sizes"])) {
            self.local_size(place, &size);
        }
    }

    /// What `local` has no size for is told without asking it: there are always the same.
    pub(super) fn local_size(&mut self, place: Range<usize>, size: &str) {
        if LOCAL_SIZES.contains(&size) {
            return;
        }
        let label = match nearest(size, LOCAL_SIZES) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "no such size".to_owned(),
        };
        self.report(
            Problem::new(
                Code::CONFIG_INVALID_VALUE,
                format!("the provider `local` has no size {}", quoted(size)),
            )
            .at(place)
            .with_label(label)
            .with_help(format!(
                "use {}; every host may use the whole machine",
                listed(LOCAL_SIZES, "or")
            )),
        );
    }

    pub(super) fn no_local_region(&mut self, place: Range<usize>, region: &str) {
        self.report(
            Problem::new(
                Code::CONFIG_INVALID_VALUE,
                format!("the provider `local` has no region {}", quoted(region)),
            )
            .at(place)
            .with_label(format!("there is only `{LOCAL_REGION}`"))
            .with_help("leave the key out"),
        );
    }

    pub(super) fn bootstrap(&mut self, raw: RawBootstrap) -> BootstrapConfig {
        BootstrapConfig {
            ssh: self.ssh(raw.ssh.unwrap_or_default()),
            docker: docker(&raw.docker.unwrap_or_default()),
        }
    }

    fn ssh(&mut self, raw: RawSsh) -> SshConfig {
        let defaults = SshConfig::default();
        if raw.private_key_passphrase_env.is_some() && raw.private_key_path.is_none() {
            self.passphrase_of_no_key();
        }
        let host_keys = match raw.host_keys {
            None => defaults.host_keys,
            Some(RawHostKeys::AcceptNew) => HostKeys::AcceptNew,
            Some(RawHostKeys::KnownHosts) => HostKeys::KnownHosts,
            Some(RawHostKeys::Pinned) => HostKeys::Pinned,
        };
        SshConfig {
            user: raw.user.map(|user| user.0),
            port: raw.port,
            private_key_path: raw.private_key_path.map(|path| path.0),
            private_key_passphrase_env: raw.private_key_passphrase_env.map(|name| name.0),
            host_keys,
        }
    }

    fn passphrase_of_no_key(&mut self) {
        let ssh = ["infra", "bootstrap", "ssh"];
        if self.is_incomplete(&ssh) {
            return;
        }
        let place = self.key(&[&ssh[..], &["private_key_passphrase_env"]].concat());
        self.report(
            Problem::new(
                Code::CONFIG_MISSING_KEY,
                "`infra.bootstrap.ssh.private_key_passphrase_env` is without a `private_key_path`",
            )
            .at(place)
            .with_label("it is not said whose passphrase this is")
            .with_help("add `private_key_path`, or take this key out: your SSH agent and the terminal need neither"),
        );
    }
}

fn docker(raw: &RawDocker) -> DockerConfig {
    let defaults = DockerConfig::default();
    DockerConfig {
        enabled: raw.enabled.unwrap_or(defaults.enabled),
        install_method: raw.install_method.map_or(defaults.install_method, |method| match method {
            RawDockerInstall::Apt => DockerInstall::Apt,
            RawDockerInstall::Script => DockerInstall::Script,
            RawDockerInstall::Skip => DockerInstall::Skip,
        }),
        source: raw.source.map_or(defaults.source, |source| match source {
            RawDockerSource::Distro => DockerSource::Distro,
            RawDockerSource::Docker => DockerSource::Docker,
        }),
    }
}

fn slugs<T: Ord>(raw: Option<&BTreeSet<Slug>>, make: fn(String) -> T) -> BTreeSet<T> {
    raw.into_iter().flatten().map(|slug| make(slug.0.clone())).collect()
}
