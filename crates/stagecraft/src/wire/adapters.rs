use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stagecraft_clouds::local::{self, EngineAddress, LocalProvider, LocalSettings};
use stagecraft_core::cloud::CloudProvider;
use stagecraft_core::config::Config;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::remote::Connector;
use stagecraft_remote::{SshConnector, SshSettings, ensure_key_pair, public_key_of};

use super::Environment;
use crate::documents::ProviderItem;
use crate::stop::Stop;
use crate::ui::Progress;

/// Our folder beside the configuration file; losing it loses nothing.
const FOLDER: &str = ".stagecraft";
/// Variables that programs which build images may see.
const BUILD_VARIABLES: [&str; 7] =
    ["TMPDIR", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/// How to log in to hosts, and whom new hosts let in.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// How to log in.
    pub(crate) settings: SshSettings,
    /// Public keys for hosts that take them when they are made.
    authorized_keys: Vec<String>,
}

/// Where host keys seen on first contact are kept.
pub(super) fn known_hosts(folder: &Path) -> PathBuf {
    folder.join(FOLDER).join("known_hosts")
}

/// Works out how to log in. `base` is the folder of the configuration file.
///
/// # Errors
/// When bootstrap could not start at all: no home directory, or a key that cannot be used.
pub(crate) fn access(
    environment: &Environment,
    config: &Config,
    base: &Path,
) -> Result<Access, Stop> {
    let ssh = &config.bootstrap.ssh;
    let home = environment.home().ok_or_else(|| {
        Stop::bootstrap("the home directory is unknown, so there is no place for SSH keys")
            .with_hint("set `HOME`")
    })?;
    let mut settings = SshSettings::new(known_hosts(base));
    settings = settings.with_openssh_files(home);
    settings.user = ssh.user.clone();
    settings.port = ssh.port;
    settings.host_keys = ssh.host_keys;
    settings.agent_socket = environment.text("SSH_AUTH_SOCK").map(Into::into);
    settings.local_user = environment.text("USER").map(str::to_owned);

    let mut authorized_keys = Vec::new();
    if let Some(written) = &ssh.private_key_path {
        let path = environment.expand(written, base).unwrap_or_else(|| written.into());
        let unusable = |why: String| {
            Stop::bootstrap(format!("the private key `{written}` cannot be used: {why}"))
                .with_hint("set `infra.bootstrap.ssh.private_key_path` to a key you can read")
        };
        std::fs::File::open(&path).map_err(|error| unusable(error.to_string()))?;
        authorized_keys.push(public_key_of(&path).map_err(|error| unusable(error.to_string()))?);
        settings.private_key = Some(path);
    } else if config.providers.contains_key(&ProviderId::Local) {
        let folder = environment.data_dir().unwrap_or_else(|| home.join(FOLDER));
        let pair = ensure_key_pair(&folder.join("local").join("id_ed25519")).map_err(|error| {
            Stop::bootstrap(format!("could not make the key for local hosts: {error}"))
                .with_hint("set `infra.bootstrap.ssh.private_key_path` to a key of your own")
        })?;
        authorized_keys.push(pair.public);
        settings.provider_keys.insert(ProviderId::Local, pair.private);
    }
    Ok(Access { settings, authorized_keys })
}

/// The connections to hosts.
pub(crate) fn connector(access: &Access) -> Arc<dyn Connector> {
    Arc::new(SshConnector::new(access.settings.clone()))
}

/// The clouds a file uses. Without `access` they can be looked at only.
///
/// # Errors
/// When the environment names something that cannot be used.
pub(crate) fn providers(
    environment: &Environment,
    config: &Config,
    access: Option<&Access>,
    progress: &Progress,
) -> Result<BTreeMap<ProviderId, Arc<dyn CloudProvider>>, Stop> {
    let mut providers: BTreeMap<ProviderId, Arc<dyn CloudProvider>> = BTreeMap::new();
    for &id in config.providers.keys() {
        match id {
            ProviderId::Local => {
                let provider = local(environment, access, progress)?;
                providers.insert(id, Arc::new(provider));
            }
            // The configuration refuses environments with hosts there.
            ProviderId::Aws | ProviderId::DigitalOcean | ProviderId::Hetzner => {}
        }
    }
    Ok(providers)
}

fn local(
    environment: &Environment,
    access: Option<&Access>,
    progress: &Progress,
) -> Result<LocalProvider, Stop> {
    let certificates = environment.is_set("DOCKER_TLS_VERIFY").then(|| {
        let given = environment.text("DOCKER_CERT_PATH").map(Into::into);
        given.or_else(|| Some(environment.home()?.join(".docker")))
    });
    let engine =
        EngineAddress::parse(environment.text("DOCKER_HOST"), certificates.flatten().as_deref())
            .map_err(|error| Stop::from(&error))?;
    Ok(LocalProvider::new(LocalSettings {
        engine,
        authorized_keys: access.map(|access| access.authorized_keys.clone()).unwrap_or_default(),
        cache: environment.cache_dir().unwrap_or_else(|| std::env::temp_dir().join("stagecraft")),
        environment: environment.some(BUILD_VARIABLES),
        progress: Arc::new(Building(progress.clone())),
    }))
}

/// Shows what the building of an image does.
#[derive(Debug)]
struct Building(Progress);

impl local::Progress for Building {
    fn line(&self, text: &str) {
        self.0.activity(ProviderId::Local, text);
    }
}

/// Whether this version can work with a provider.
pub(crate) fn is_available(id: ProviderId) -> bool {
    match id {
        ProviderId::Local => true,
        ProviderId::Aws | ProviderId::DigitalOcean | ProviderId::Hetzner => false,
    }
}

/// What a provider supports.
pub(crate) fn provider_facts(provider: ProviderId) -> ProviderItem {
    let (hosts, credentials, arm64, spot) = match provider {
        ProviderId::Aws => ("EC2 instances", "credentials", "native", "yes"),
        ProviderId::DigitalOcean => ("Droplets", "token_env, credentials", "emulated", "ignored"),
        ProviderId::Hetzner => ("Cloud servers", "token_env, credentials", "native", "ignored"),
        ProviderId::Local => ("Docker containers", "none", "engine's", "ignored"),
    };
    ProviderItem {
        provider,
        hosts: hosts.to_owned(),
        available: is_available(provider),
        credentials: credentials.to_owned(),
        arm64: arm64.to_owned(),
        spot: spot.to_owned(),
    }
}
