//! From a file of the right form to a [`Config`]: defaults, `count`, and what a schema cannot say.

mod aws;
mod clouds;
mod hosts;
mod network;
mod settings;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Config;
use super::check::Checked;
use super::problem::Problem;
use super::raw::{RawConfig, RawHosts, RawProvider};
use super::source::Source;
use super::tree::{Content, Node};
use crate::desired::ProviderId;
use crate::error::Code;
use crate::name::EnvironmentName;

/// Makes the configuration, as far as it can be made, and adds to `checked` what is wrong with it.
pub(super) fn lower(raw: RawConfig, root: &Node, source: &Source, checked: &mut Checked) -> Config {
    let mut lowering = Lowering {
        root,
        source,
        incomplete: &checked.incomplete,
        problems: &mut checked.problems,
        secrets: &mut checked.secrets,
    };
    lowering.config(raw)
}

/// One provider while it is being lowered.
#[derive(Debug)]
struct Provider {
    id: ProviderId,
    /// `cloud.providers.{id}`.
    path: [&'static str; 3],
    raw: RawProvider,
}

/// What lowering reads and adds to.
#[derive(Debug)]
struct Lowering<'a> {
    root: &'a Node,
    source: &'a Source,
    incomplete: &'a BTreeSet<String>,
    problems: &'a mut Vec<Problem>,
    secrets: &'a mut Vec<Range<usize>>,
}

impl Lowering<'_> {
    fn config(&mut self, raw: RawConfig) -> Config {
        let default_provider = raw.cloud.provider;
        let given = raw.cloud.providers;
        let mut providers: Vec<Provider> = [
            (ProviderId::Aws, given.aws.map(RawProvider::from)),
            (ProviderId::DigitalOcean, given.digitalocean),
            (ProviderId::Hetzner, given.hetzner),
            (ProviderId::Local, given.local.map(RawProvider::from)),
        ]
        .into_iter()
        .filter_map(|(id, raw)| {
            Some(Provider { id, path: ["cloud", "providers", id.as_str()], raw: raw? })
        })
        .collect();
        self.default_provider(default_provider, &providers);

        let declared: Vec<(ProviderId, BTreeMap<EnvironmentName, RawHosts>)> = providers
            .iter_mut()
            .map(|provider| (provider.id, provider.raw.hosts.take().unwrap_or_default()))
            .collect();
        let settings = providers
            .iter()
            .zip(&declared)
            .map(|(provider, (id, hosts))| (*id, self.provider(provider, hosts)))
            .collect();
        let environments = self.environments(&providers, declared);
        let infra = raw.infra.unwrap_or_default();
        let project = raw.project.name;
        Config {
            network: self.network(raw.network, &project, &environments),
            project,
            default_provider,
            providers: settings,
            bootstrap: self.bootstrap(infra.bootstrap.unwrap_or_default()),
            store: self.store(raw.credentials.unwrap_or_default()),
            environments,
        }
    }

    fn default_provider(&mut self, chosen: Option<ProviderId>, providers: &[Provider]) {
        let Some(chosen) = chosen else { return };
        if providers.iter().any(|provider| provider.id == chosen)
            || self.is_incomplete(&["cloud", "providers"])
        {
            return;
        }
        self.report(
            Problem::new(
                Code::CONFIG_INVALID_VALUE,
                format!("`cloud.provider` is `{chosen}`, which the file does not configure"),
            )
            .at(self.value(&["cloud", "provider"]))
            .with_label("no such provider in this file")
            .with_help(format!(
                "add `{chosen}` under `cloud.providers`, or name one that is there"
            )),
        );
    }

    fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Replaces a part of the file wherever the file is shown.
    fn hide(&mut self, place: Range<usize>) {
        self.secrets.push(place);
    }

    /// Whether something was left out of a mapping because it is wrong, so that what seems to be
    /// missing may be there.
    fn is_incomplete(&self, path: &[&str]) -> bool {
        self.incomplete.contains(&path.join("."))
    }

    /// Where the key at the end of a path stands.
    fn key(&self, path: &[&str]) -> Range<usize> {
        self.root.entry(path).map_or(0..0, |entry| entry.key_span.clone())
    }

    /// Where the value of the key at the end of a path stands.
    fn value(&self, path: &[&str]) -> Range<usize> {
        self.root.entry(path).map_or(0..0, |entry| entry.value.span.clone())
    }

    /// The texts of the list at the end of a path, with their places.
    fn items(&self, path: &[&str]) -> Vec<(String, Range<usize>)> {
        let Some(entry) = self.root.entry(path) else { return Vec::new() };
        let Content::Sequence(items) = &entry.value.content else { return Vec::new() };
        let text = |item: &Node| Some((item.scalar()?.to_owned(), item.span.clone()));
        items.iter().filter_map(|item| text(item)).collect()
    }
}

impl Provider {
    /// The path of something below the provider.
    fn below<'a>(&self, rest: &[&'a str]) -> Vec<&'a str> {
        self.path.iter().copied().chain(rest.iter().copied()).collect()
    }
}
