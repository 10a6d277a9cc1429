//! The command line. The documentation of these types is what `--help` and the manual say.

mod again;
mod credentials;
mod parse;

pub(crate) use credentials::{Add, Credentials, Remove, Test};

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::name::{EnvironmentName, HostName, RoleName};

use crate::documents::Kind;

/// The configuration file when none is named.
pub(crate) const DEFAULT_CONFIG: &str = "stagecraft.yml";

/// From one stagecraft.yml to running, verified, Docker-ready hosts.
///
/// The file says which hosts an environment has; the cloud says which ones exist. Stagecraft
/// compares the two, orders what is missing, and sets every host up. It keeps no state of its own
/// and removes nothing unless told to.
#[derive(Debug, Parser)]
#[command(
    name = "stagecraft",
    version,
    after_help = "Exit codes: 0 done, 1 wrong usage or configuration, 2 the cloud failed, \
                  3 bootstrap could not start, 10 some hosts failed, \
                  11 `infra plan --detailed-exitcode` found changes, 130 interrupted."
)]
pub(crate) struct Args {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The configuration file
    #[arg(long, global = true, value_name = "PATH", default_value = DEFAULT_CONFIG)]
    pub(crate) config: PathBuf,
    /// The environment; needed when the file has several
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) env: Option<EnvironmentName>,
    /// How results are written; json is one document on standard output
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human")]
    pub(crate) output: Output,
    /// Say more: every step of every host
    #[arg(long, global = true)]
    pub(crate) verbose: bool,
    /// When to use colours; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Agree to what would be asked
    #[arg(long, global = true)]
    pub(crate) yes: bool,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    // Documentation of values would make every help a screen longer.
    Human,
    Json,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// What to do. Commands with arguments are documented there: words here would hide the rest of it.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(Init),
    Validate(Validate),
    /// Plan, create, set up, look at and remove hosts
    #[command(subcommand)]
    Infra(Infra),
    Ssh(Ssh),
    Exec(Exec),
    /// Keep the credentials of clouds and networks, sealed
    #[command(subcommand)]
    Credentials(Credentials),
    /// List the providers and what each supports
    Providers,
    Schema(Schema),
    Completions(Completions),
    Man(Man),
}

/// Write a first stagecraft.yml
///
/// The file validates as it is and explains itself. An existing file is never overwritten.
#[derive(Debug, ClapArgs)]
pub(crate) struct Init {
    /// Where hosts shall live: local, aws, digitalocean or hetzner
    #[arg(long, value_name = "PROVIDER", default_value = "local")]
    pub(crate) provider: ProviderId,
}

/// Check the configuration file
///
/// Shows its problems together. Without --online nothing is asked of any provider.
#[derive(Debug, ClapArgs)]
pub(crate) struct Validate {
    /// Also check credentials, SSH keys, regions, sizes and images with the providers
    #[arg(long)]
    pub(crate) online: bool,
}

/// Plan, create, set up, look at and remove hosts
#[derive(Debug, Subcommand)]
pub(crate) enum Infra {
    Plan(Plan),
    Up(Up),
    /// Show hosts, addresses, health, and what differs from the file
    Status,
    Bootstrap(Bootstrap),
    Down(Down),
    Inventory(Inventory),
    Trust(Trust),
}

/// Show what `infra up` would change, and why; changes nothing
///
/// Compares what the cloud has with what the file asks for. It does not look into hosts: whether
/// what `infra up` sets up on them is still right, `infra status` says.
#[derive(Debug, ClapArgs)]
pub(crate) struct Plan {
    /// Exit with 11 when something differs from the file
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// What the plan may do.
    #[command(flatten)]
    pub(crate) policy: Policy,
}

/// What `infra up` may do.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Policy {
    /// Work on this host only; several with commas, or by repeating it
    #[arg(long = "host", value_name = "HOST", value_delimiter = ',')]
    pub(crate) hosts: Vec<HostName>,
    /// Replace this host if it has to be, or anyway; everything on it is lost; several as with --host
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub(crate) replace: Vec<HostName>,
    /// Remove hosts that are not in the file
    #[arg(long)]
    pub(crate) prune: bool,
}

/// Create what is missing and set every host up
///
/// Running it again is always safe: what is right already is left alone. Hosts that are not in the
/// file are removed with --prune only, hosts that would have to be made anew with --replace only.
#[derive(Debug, ClapArgs)]
pub(crate) struct Up {
    /// Show the plan and stop
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Create hosts, but do not log in to them
    #[arg(long)]
    pub(crate) no_bootstrap: bool,
    /// How long to wait for each new machine to run, e.g. 90s, 15m or 1h; a number alone is seconds
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse::duration)]
    pub(crate) wait_timeout: Duration,
    /// What may be done.
    #[command(flatten)]
    pub(crate) policy: Policy,
}

/// Set hosts up again; makes and removes no machine
#[derive(Debug, ClapArgs)]
pub(crate) struct Bootstrap {
    /// Work on this host only; several with commas, or by repeating it
    #[arg(long = "host", value_name = "HOST", value_delimiter = ',')]
    pub(crate) hosts: Vec<HostName>,
}

/// Remove the hosts of the environment; protected ones stay
///
/// Asks for the name of the environment first, unless --yes is given.
#[derive(Debug, ClapArgs)]
pub(crate) struct Down {
    /// Remove this host only; several with commas, or by repeating it
    #[arg(long = "host", value_name = "HOST", value_delimiter = ',')]
    pub(crate) hosts: Vec<HostName>,
}

/// Export the hosts for other tools
#[derive(Debug, ClapArgs)]
pub(crate) struct Inventory {
    /// For whom
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub(crate) format: InventoryFormat,
    /// Reach hosts by their names in the private network, for machines that are members of it
    #[arg(long)]
    pub(crate) mesh: bool,
}

/// Pin the host key a host presents now, after asking
///
/// For a machine that was rebuilt outside of Stagecraft, or was made before keys were pinned. Shows the
/// key's fingerprint, to be compared with what the host itself shows, and pins it on the instance, so
/// that it counts for everybody who uses the project.
#[derive(Debug, ClapArgs)]
pub(crate) struct Trust {
    /// The host
    #[arg(value_name = "HOST")]
    pub(crate) host: HostName,
    /// Do not ask, and pin the key only if this is its fingerprint: SHA256:...
    #[arg(long, value_name = "FINGERPRINT", value_parser = parse::fingerprint)]
    pub(crate) fingerprint: Option<String>,
}

/// Formats of `infra inventory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InventoryFormat {
    /// For programs
    Json,
    /// A YAML inventory for Ansible, grouped by role
    Ansible,
    /// Host blocks for OpenSSH
    SshConfig,
}

/// Open a shell on a host, or run one command there
///
/// Hands over to the system's `ssh` client, with the host's key checked as everywhere else, and ends
/// as it does: with the status of the command, or 255 when `ssh` itself failed.
#[derive(Debug, ClapArgs)]
pub(crate) struct Ssh {
    /// Reach the host by its name in the private network, of which this machine has to be a member
    #[arg(long)]
    pub(crate) mesh: bool,
    /// The host
    #[arg(value_name = "HOST")]
    pub(crate) host: HostName,
    /// A command to run there instead of a shell
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<String>,
}

/// Run a command on many hosts at once, as root
///
/// One word is a line for the host's shell: `exec -- 'df -h | tail -1'`. Several are a program and
/// its arguments, each passed on as it stands: `exec -- df -h`. Standard input is not passed on.
/// For people, hosts are shown in the order in which they are done.
#[derive(Debug, ClapArgs)]
pub(crate) struct Exec {
    /// Hosts of this role only; several with commas, or by repeating it
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',')]
    pub(crate) roles: Vec<RoleName>,
    /// This host only; several with commas, or by repeating it
    #[arg(long = "host", value_name = "HOST", value_delimiter = ',')]
    pub(crate) hosts: Vec<HostName>,
    /// How long each host may take, connecting included, e.g. 90s, 15m or 1h; a number alone is seconds
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse::duration)]
    pub(crate) timeout: Duration,
    /// The command: one word is a line for a shell, several are passed on as they are
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<String>,
}

/// Print the JSON Schema of the configuration file or of an output
#[derive(Debug, ClapArgs)]
pub(crate) struct Schema {
    /// Of what
    #[arg(long, value_name = "WHAT", default_value = "config")]
    pub(crate) of: SchemaOf,
}

/// What `schema` can describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaOf {
    /// The configuration file.
    Config,
    /// A JSON document of `--output json`.
    Document(Kind),
}

impl ValueEnum for SchemaOf {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Config,
            Self::Document(Kind::Plan),
            Self::Document(Kind::Report),
            Self::Document(Kind::Status),
            Self::Document(Kind::Inventory),
            Self::Document(Kind::Trust),
            Self::Document(Kind::Exec),
            Self::Document(Kind::Validation),
            Self::Document(Kind::Credentials),
            Self::Document(Kind::Credential),
            Self::Document(Kind::CredentialTest),
            Self::Document(Kind::KeyRotation),
            Self::Document(Kind::Providers),
            Self::Document(Kind::Init),
            Self::Document(Kind::Error),
        ]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(match self {
            Self::Config => "config",
            Self::Document(kind) => kind.as_str(),
        }))
    }
}

/// Print a completion script for a shell
#[derive(Debug, ClapArgs)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// Print the manual page
#[derive(Debug, ClapArgs)]
pub(crate) struct Man {
    /// Write one page for every command into this directory instead
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn help_of_plan_says_where_hosts_are_looked_into() {
        let mut command = Args::command();
        let plan = command.find_subcommand_mut("infra").unwrap().find_subcommand_mut("plan");
        let help = plan.unwrap().render_long_help().to_string();
        let words: Vec<&str> = help.split_whitespace().collect();
        let help = words.join(" ");
        assert!(help.contains("does not look into hosts"), "{help}");
        assert!(help.contains("`infra status` says"), "{help}");
    }

    #[test]
    fn every_document_has_a_schema_on_the_command_line() {
        for kind in Kind::ALL {
            assert!(SchemaOf::value_variants().contains(&SchemaOf::Document(kind)), "{kind:?}");
        }
    }
}
