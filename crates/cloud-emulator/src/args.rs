use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, ValueEnum};
use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::emulators::aws::Aws;

/// A cloud's API on this machine, without an account and without cost.
///
/// Prints the URL of the API on standard output and every request on standard error. The account is
/// empty but for the SSH key `deploy`, which nobody has the private part of; name your own with
/// --ssh-key.
#[derive(Debug, Parser)]
#[command(name = "cloud-emulator", version)]
pub(crate) struct Args {
    /// Whose API
    #[arg(long, value_name = "PROVIDER")]
    pub(crate) provider: Provider,
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// What goes wrong: a JSON file, see docs/testing.md
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
    /// Put a real host, a container of this machine's Docker Engine, behind every machine
    #[arg(long)]
    pub(crate) lab: bool,
    /// Put a public key into the account
    #[arg(long = "ssh-key", value_name = "NAME=FILE")]
    pub(crate) ssh_keys: Vec<NamedKey>,
    /// How long machines take to boot
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    pub(crate) boot: u64,
    /// Take any number of requests; without this there are the provider's limits
    #[arg(long)]
    pub(crate) no_limits: bool,
    /// Do not print requests
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Whose API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    Aws,
    Digitalocean,
    Hetzner,
}

impl Provider {
    /// The provider as the product knows it.
    pub(crate) fn id(self) -> ProviderId {
        match self {
            Self::Aws => ProviderId::Aws,
            Self::Digitalocean => ProviderId::DigitalOcean,
            Self::Hetzner => ProviderId::Hetzner,
        }
    }

    /// What to call its API with.
    pub(crate) fn credentials(self) -> String {
        match self {
            Self::Aws => {
                let (id, secret) = Aws::access_key();
                format!("access key id {id} and secret {secret}")
            }
            Self::Digitalocean | Self::Hetzner => "any token".to_owned(),
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        self.id().as_str()
    }
}

/// A public key and its name in the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedKey {
    /// Its name.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl FromStr for NamedKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, path)) if !name.is_empty() && !path.is_empty() => {
                Ok(Self { name: name.to_owned(), path: path.into() })
            }
            _ => Err("write it as NAME=FILE".to_owned()),
        }
    }
}
