//! The clouds that a run asks, made of the file and whom it says asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use stagecraft_clouds::aws::{ApiUrls, AwsCredentials, AwsProfile, AwsProvider, AwsSettings};
use stagecraft_clouds::digitalocean::{DigitalOceanProvider, DigitalOceanSettings};
use stagecraft_clouds::hetzner::{HetznerProvider, HetznerSettings};
use stagecraft_clouds::http::{BaseUrl, Token};
use stagecraft_clouds::local::{self, EngineAddress, LocalProvider, LocalSettings};
use stagecraft_core::Secret;
use stagecraft_core::cloud::{CloudError, CloudProvider, Identity, Registry, RegistryError};
use stagecraft_core::config::{Config, NetworkConfig, ProviderConfig};
use stagecraft_core::credential::{Credential, Field};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Code, ExitCode, Failure};

use super::{Access, Clouds, Environment};
use crate::documents::ProviderItem;
use crate::stop::Stop;
use crate::ui::Progress;

/// Variables that programs which build images may see.
const BUILD_VARIABLES: [&str; 7] =
    ["TMPDIR", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/// The clouds that are looked at. Without `access` they can be looked at only.
///
/// # Errors
/// When the environment or the file names something that cannot be used.
pub(crate) fn providers(
    environment: &Environment,
    config: &Config,
    clouds: &Clouds,
    access: Option<&Access>,
    progress: &Progress,
) -> Result<BTreeMap<ProviderId, Arc<dyn CloudProvider>>, Stop> {
    let registry = registry(environment, config, access, progress);
    let local = clouds.local.then_some((ProviderId::Local, &Identity::Anybody));
    let others = clouds.identities.iter().map(|(id, identity)| (*id, identity));
    let all = local.into_iter().chain(others).map(|(id, identity)| {
        let client = registry.client(id, identity);
        Ok((id, client.map_err(|error| no_client(&error))?))
    });
    all.collect()
}

fn no_client(error: &RegistryError) -> Stop {
    let failure = Failure::from(error);
    let exit = if failure.code.is_cloud() { ExitCode::Cloud } else { ExitCode::Usage };
    Stop::new(exit, failure)
}

/// Every provider there is, as the file would have it.
pub(crate) fn registry<'a>(
    environment: &'a Environment,
    config: &'a Config,
    access: Option<&'a Access>,
    progress: &'a Progress,
) -> Registry<'a> {
    let settings = |id| config.providers.get(&id).cloned().unwrap_or_default();
    let (of_aws, of_digitalocean, of_hetzner) = (
        settings(ProviderId::Aws),
        settings(ProviderId::DigitalOcean),
        settings(ProviderId::Hetzner),
    );
    Registry::new()
        .with(ProviderId::Aws, move |identity| {
            let credentials = match identity {
                Identity::Owner(credential) => AwsCredentials::Keys {
                    access_key_id: part(credential, Field::AccessKeyId)?.reveal().to_owned(),
                    secret_access_key: token(credential, Field::SecretAccessKey)?,
                    session_token: match credential.field(Field::SessionToken) {
                        Some(_) => Some(token(credential, Field::SessionToken)?),
                        None => None,
                    },
                },
                Identity::Chain { profile } => {
                    let of_settings = profile.clone().map(AwsProfile::OfSettings);
                    let of_environment = || {
                        let name = environment.text("AWS_PROFILE")?;
                        Some(AwsProfile::OfEnvironment(name.to_owned()))
                    };
                    AwsCredentials::Chain { profile: of_settings.or_else(of_environment) }
                }
                // Never by chance as whoever the chain finds.
                Identity::Anybody => return Err(no_credentials(ProviderId::Aws, "credentials")),
            };
            Ok(Arc::new(aws(config, &of_aws, credentials)?) as _)
        })
        .with(ProviderId::DigitalOcean, move |identity| {
            let settings = DigitalOceanSettings {
                api_url: base_url(ProviderId::DigitalOcean, &of_digitalocean)?,
                token: token_of(ProviderId::DigitalOcean, identity)?,
                ssh_key_name: of_digitalocean.ssh_key_name.clone(),
            };
            Ok(Arc::new(DigitalOceanProvider::new(settings)) as _)
        })
        .with(ProviderId::Hetzner, move |identity| {
            let settings = HetznerSettings {
                api_url: base_url(ProviderId::Hetzner, &of_hetzner)?,
                token: token_of(ProviderId::Hetzner, identity)?,
                ssh_key_name: of_hetzner.ssh_key_name.clone(),
            };
            Ok(Arc::new(HetznerProvider::new(settings)) as _)
        })
        .with(ProviderId::Local, move |_| Ok(Arc::new(local(environment, access, progress)?) as _))
}

/// The token of whoever asks.
fn token_of(id: ProviderId, identity: &Identity) -> Result<Token, Failure> {
    match identity {
        Identity::Owner(credential) => token(credential, Field::Token),
        Identity::Anybody | Identity::Chain { .. } => Err(no_credentials(id, "an API token")),
    }
}

fn no_credentials(id: ProviderId, what: &str) -> Failure {
    Failure::new(Code::CLOUD_UNAUTHENTICATED, format!("{id} needs {what}"))
}

fn token(credential: &Credential, field: Field) -> Result<Token, Failure> {
    Token::new(part(credential, field)?.reveal()).map_err(|why| {
        let message = format!("the {} of {} is none: {why}", field.words(), credential.issuer());
        Failure::new(Code::CREDENTIAL_INVALID, message)
    })
}

fn part(credential: &Credential, field: Field) -> Result<&Secret, Failure> {
    credential.field(field).ok_or_else(|| {
        let message = format!("a credential of {} has no {}", credential.issuer(), field.words());
        Failure::new(Code::CREDENTIAL_INVALID, message)
    })
}

/// Hosts may be wherever the file puts any, in whichever environment.
fn aws(
    config: &Config,
    settings: &ProviderConfig,
    credentials: AwsCredentials,
) -> Result<AwsProvider, Failure> {
    let url = base_url(ProviderId::Aws, settings)?;
    let hosts = config.environments.values().flat_map(BTreeMap::values);
    let hosts = || hosts.clone().filter(|host| host.provider == ProviderId::Aws);
    let mut regions = settings.allowed_regions.clone();
    regions.extend(hosts().map(|host| host.region.clone()));
    let mut sizes = settings.allowed_sizes.clone();
    sizes.extend(hosts().map(|host| host.size.clone()));
    let default_region = settings.default_region.clone().or_else(|| regions.first().cloned());
    Ok(AwsProvider::new(AwsSettings {
        api_urls: url.as_ref().map(ApiUrls::all).unwrap_or_default(),
        credentials,
        default_region: default_region.unwrap_or_else(|| "us-east-1".into()),
        regions,
        everywhere: settings.allowed_regions.is_empty(),
        sizes,
        ssh_key_name: settings.ssh_key_name.clone(),
        subnet_id: settings.subnet_id.clone(),
        ssh_port: config.bootstrap.ssh.port.unwrap_or(22),
        mesh_port: match &config.network {
            // Tailscale finds its way through without an open port.
            NetworkConfig::None | NetworkConfig::Tailscale { .. } => None,
            NetworkConfig::WireGuard(mesh) => Some(mesh.port),
        },
    }))
}

/// Where the file says an API is. The configuration has checked it already.
fn base_url(id: ProviderId, settings: &ProviderConfig) -> Result<Option<BaseUrl>, Failure> {
    let parsed = settings.api_url.as_deref().map(BaseUrl::parse).transpose();
    parsed.map_err(|error| {
        let message = format!("`cloud.providers.{id}.api_url` cannot be used: {error}");
        Failure::new(Code::CONFIG_INVALID_VALUE, message)
    })
}

fn local(
    environment: &Environment,
    access: Option<&Access>,
    progress: &Progress,
) -> Result<LocalProvider, Failure> {
    let engine = engine_address(environment).map_err(|error| Failure::from(&error))?;
    Ok(LocalProvider::new(LocalSettings {
        engine,
        authorized_keys: access.map(|access| access.authorized_keys.clone()).unwrap_or_default(),
        cache: environment.cache_dir().unwrap_or_else(|| std::env::temp_dir().join("stagecraft")),
        environment: environment.some(BUILD_VARIABLES),
        progress: Arc::new(Building(progress.clone())),
    }))
}

/// Where Docker Engine is, as Docker's own client would have it.
pub(super) fn engine_address(environment: &Environment) -> Result<EngineAddress, CloudError> {
    let certificates = environment.is_set("DOCKER_TLS_VERIFY").then(|| {
        let given = environment.text("DOCKER_CERT_PATH").map(Into::into);
        given.or_else(|| Some(environment.home()?.join(".docker")))
    });
    EngineAddress::parse(environment.text("DOCKER_HOST"), certificates.flatten().as_deref())
}

/// Shows what the building of an image does.
#[derive(Debug)]
struct Building(Progress);

impl local::Progress for Building {
    fn line(&self, text: &str) {
        self.0.activity(ProviderId::Local, text);
    }
}

/// What a provider supports.
pub(crate) fn provider_facts(provider: ProviderId) -> ProviderItem {
    let (hosts, credentials, arm64, spot) = match provider {
        ProviderId::Aws => ("EC2 instances", "keys, credentials or chain", "native", "yes"),
        ProviderId::DigitalOcean => ("Droplets", "token_env or credentials", "emulated", "ignored"),
        ProviderId::Hetzner => ("Cloud servers", "token_env or credentials", "native", "ignored"),
        ProviderId::Local => ("Docker containers", "none", "engine's", "ignored"),
    };
    ProviderItem {
        provider,
        hosts: hosts.to_owned(),
        credentials: credentials.to_owned(),
        arm64: arm64.to_owned(),
        spot: spot.to_owned(),
    }
}
