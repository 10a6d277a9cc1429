//! Decides where to connect, as whom and with which keys. Pure.
//!
//! Precedence: what [`SshSettings`] says, then the OpenSSH configuration, then defaults. For the
//! port, what the provider reports of the instance comes before all.

use std::collections::BTreeSet;
use std::path::PathBuf;

use stagecraft_core::remote::Target;

use crate::settings::SshSettings;
use crate::ssh_config::{Options, SshConfig};

/// Everything that is decided before the first packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Address or name to connect to.
    pub host: String,
    /// Port to connect to.
    pub port: u16,
    /// The user to log in.
    pub user: String,
    /// The keys to offer.
    pub identities: Identities,
    /// `ProxyJump` as the OpenSSH configuration has it.
    pub proxy_jump: Option<String>,
    /// Hosts to go through, the first to connect to first.
    pub jumps: Vec<Jump>,
    /// Whether the OpenSSH configuration asks for a `ProxyCommand`, which is not run.
    pub ignores_proxy_command: bool,
}

/// A host to go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jump {
    /// Its name in the OpenSSH configuration.
    pub name: String,
    /// Address or name to connect to.
    pub host: String,
    /// Port to connect to.
    pub port: u16,
    /// The user to log in.
    pub user: String,
    /// The keys to offer.
    pub identities: Identities,
}

/// Keys to offer, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identities {
    /// The provider's own key.
    pub provider_key: Option<PathBuf>,
    /// The only key the user wants; the agent may stand in for it when it has a passphrase.
    pub only: Option<PathBuf>,
    /// Which keys of the agent.
    pub agent_use: AgentUse,
    /// Socket of the agent.
    pub agent: Option<PathBuf>,
    /// Key files named by the OpenSSH configuration.
    pub configured: Vec<PathBuf>,
    /// Key files tried when none is configured.
    pub usual: Vec<PathBuf>,
}

/// Which of the agent's keys are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AgentUse {
    /// All, those also in `configured` first.
    #[default]
    All,
    /// Only those that are also in `configured` or `usual`.
    Listed,
}

/// The OpenSSH configuration asks for something impossible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// A `ProxyJump` that is not `[user@]host[:port]`, separated by commas.
    #[error("`ProxyJump {0}` in the SSH configuration is not understood")]
    ProxyJump(String),
}

/// Decides how to log in to `target`.
///
/// # Errors
/// When the OpenSSH configuration has a `ProxyJump` that is not understood.
pub fn resolve(
    target: &Target,
    settings: &SshSettings,
    config: &SshConfig,
) -> Result<Login, LoginError> {
    let address = target.endpoint.host.as_str();
    let mut options = config.options(Some(target.host.as_str()), address);
    if settings.provider_keys.contains_key(&target.provider) {
        // Hosts that know only the key made for them know only root at port 22 as well; what the
        // configuration says of `Host *` is not meant for them.
        (options.user, options.port) = (None, None);
    }
    let port = target.endpoint.port.or(settings.port).or(options.port).unwrap_or(22);
    let user = settings
        .user
        .clone()
        .or_else(|| options.user.clone())
        .unwrap_or_else(|| target.user.to_owned());
    let tokens = Tokens::new(settings, address, &options, port, &user);
    let identities = Identities {
        provider_key: settings.provider_keys.get(&target.provider).cloned(),
        only: settings.private_key.clone(),
        ..identities(settings, &options, &tokens)
    };
    let proxy_jump = options.proxy_jump.clone().filter(|hops| !hops.eq_ignore_ascii_case("none"));
    let jumps = match &proxy_jump {
        Some(hops) => {
            let mut seen = BTreeSet::from([address.to_owned()]);
            jumps(hops, &user, settings, config, &mut seen)?
        }
        None => Vec::new(),
    };
    Ok(Login {
        host: tokens.host.clone(),
        port,
        user,
        identities,
        proxy_jump,
        jumps,
        ignores_proxy_command: runs_proxy_command(&options),
    })
}

fn runs_proxy_command(options: &Options) -> bool {
    options.proxy_command.as_deref().is_some_and(|command| !command.eq_ignore_ascii_case("none"))
}

/// The chain of jump hosts; as in OpenSSH only the first may have a `ProxyJump` of its own.
fn jumps(
    hops: &str,
    target_user: &str,
    settings: &SshSettings,
    config: &SshConfig,
    seen: &mut BTreeSet<String>,
) -> Result<Vec<Jump>, LoginError> {
    let mut chain = Vec::new();
    for (index, hop) in hops.split(',').enumerate() {
        let hop = Hop::parse(hop.trim()).ok_or_else(|| LoginError::ProxyJump(hops.to_owned()))?;
        let options = config.options(None, &hop.host);
        // `Host *` with a `ProxyJump` also matches the jump host itself; it must not wait for itself.
        let first_seen = seen.insert(hop.host.clone());
        if let (0, true, Some(before)) = (index, first_seen, &options.proxy_jump)
            && !before.eq_ignore_ascii_case("none")
            && Hop::parse(before).is_none_or(|next| !seen.contains(&next.host))
        {
            chain = jumps(before, target_user, settings, config, seen)?;
        }
        let port = hop.port.or(options.port).unwrap_or(22);
        let user = hop
            .user
            .or_else(|| options.user.clone())
            .or_else(|| settings.local_user.clone())
            .unwrap_or_else(|| target_user.to_owned());
        let tokens = Tokens::new(settings, &hop.host, &options, port, &user);
        chain.push(Jump {
            identities: identities(settings, &options, &tokens),
            host: tokens.host.clone(),
            name: hop.host.clone(),
            port,
            user,
        });
    }
    Ok(chain)
}

/// `[user@]host[:port]` or `ssh://[user@]host[:port]`.
struct Hop {
    user: Option<String>,
    host: String,
    port: Option<u16>,
}

impl Hop {
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("ssh://").unwrap_or(text);
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, text),
        };
        let (host, port) = match rest.strip_prefix('[') {
            Some(bracketed) => {
                let (host, after) = bracketed.split_once(']')?;
                let port = match after.strip_prefix(':') {
                    Some(port) => Some(port),
                    None if after.is_empty() => None,
                    None => return None,
                };
                (host, port)
            }
            None => match rest.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                Some(_) | None => (rest, None),
            },
        };
        let port = match port {
            Some(port) => Some(port.parse().ok().filter(|&port| port > 0)?),
            None => None,
        };
        let empty = host.is_empty() || user.as_deref() == Some("");
        (!empty).then(|| Self { user, host: host.to_owned(), port })
    }
}

/// The keys for a host, before any that are only for one provider.
fn identities(settings: &SshSettings, options: &Options, tokens: &Tokens<'_>) -> Identities {
    let named = options.identity_files.iter().filter(|path| !path.eq_ignore_ascii_case("none"));
    let configured: Vec<PathBuf> = named.filter_map(|path| tokens.path(path)).collect();
    let usual = if options.identity_files.is_empty() {
        settings.default_identities.clone()
    } else {
        Vec::new()
    };
    let agent = match options.identity_agent.as_deref() {
        Some(agent) if agent.eq_ignore_ascii_case("none") => None,
        // A variable other than the usual one cannot be looked up here.
        Some(agent) if agent == "SSH_AUTH_SOCK" || agent.starts_with('$') => {
            settings.agent_socket.clone()
        }
        Some(agent) => tokens.path(agent),
        None => settings.agent_socket.clone(),
    };
    let agent_use =
        if options.identities_only == Some(true) { AgentUse::Listed } else { AgentUse::All };
    Identities { provider_key: None, only: None, agent_use, agent, configured, usual }
}

/// What `%` tokens stand for.
struct Tokens<'a> {
    settings: &'a SshSettings,
    original: &'a str,
    host: String,
    port: u16,
    user: &'a str,
}

impl<'a> Tokens<'a> {
    fn new(
        settings: &'a SshSettings,
        original: &'a str,
        options: &Options,
        port: u16,
        user: &'a str,
    ) -> Self {
        let mut tokens = Self { settings, original, host: original.to_owned(), port, user };
        if let Some(name) = options.host_name.as_deref().and_then(|name| tokens.expand(name)) {
            tokens.host = name;
        }
        tokens
    }

    /// Expands tokens; `None` when one is not known here.
    fn expand(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match rest.next()? {
                '%' => out.push('%'),
                'h' => out.push_str(&self.host),
                'n' => out.push_str(self.original),
                'p' => out.push_str(&self.port.to_string()),
                'r' => out.push_str(self.user),
                'd' => out.push_str(self.settings.home.as_ref()?.to_str()?),
                'u' => out.push_str(self.settings.local_user.as_ref()?),
                _ => return None,
            }
        }
        Some(out)
    }

    /// Expands tokens and `~/`; `None` when that is not possible here.
    fn path(&self, text: &str) -> Option<PathBuf> {
        if text.contains("${") {
            return None;
        }
        let text = self.expand(text)?;
        match text.strip_prefix("~/") {
            Some(below) => Some(self.settings.home.as_ref()?.join(below)),
            None => Some(PathBuf::from(text)),
        }
    }
}

#[cfg(test)]
mod tests;
