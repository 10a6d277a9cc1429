use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::Failure;
use stagecraft_core::inventory::{Lifecycle, Spec};
use stagecraft_core::name::{EnvironmentName, HostName, InstanceId, ProjectName, RoleName};
use stagecraft_core::network::Membership;
use stagecraft_core::plan::{Action, Difference};

use super::{Document, Kind};

/// How every host is. Sorted by host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct StatusDocument {
    /// The project.
    pub(crate) project: ProjectName,
    /// The environment.
    pub(crate) environment: EnvironmentName,
    /// The private network of the file; null where there is none.
    pub(crate) network: Option<String>,
    /// The hosts of the file, and those that exist and are not in it.
    pub(crate) hosts: Vec<StatusHost>,
    /// How the process exits.
    pub(crate) exit_code: u8,
}

/// How one host is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct StatusHost {
    pub(crate) host: HostName,
    pub(crate) provider: ProviderId,
    pub(crate) role: RoleName,
    /// Its address, once it has one.
    pub(crate) address: Option<String>,
    /// Whether the file has it.
    pub(crate) in_file: bool,
    /// What `infra up` would do about it; `unchanged` means nothing.
    pub(crate) action: Action,
    /// What differs from the file.
    pub(crate) differences: Vec<Difference>,
    /// Instances beyond the one that stands for the host.
    pub(crate) surplus: usize,
    /// How it stands in the private network, as it says itself; null where there is none, or it could
    /// not be asked.
    pub(crate) membership: Option<Membership>,
    /// What the provider says is the matter with its machine, or why the last one ended if it is missing;
    /// null when it says nothing.
    pub(crate) trouble: Option<String>,
    /// How it is.
    #[serde(flatten)]
    pub(crate) state: StatusState,
}

/// How one host is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub(crate) enum StatusState {
    /// It runs, and everything bootstrap does is done.
    Ready,
    /// It runs, and bootstrap has something to do.
    NotReady {
        /// What is open.
        open: Vec<OpenItem>,
    },
    /// It runs, and cannot be logged in to.
    Unreachable {
        /// Why.
        failure: Failure,
    },
    /// Its instance does not run.
    NotRunning {
        /// What it does instead.
        lifecycle: Lifecycle,
    },
    /// It has no instance.
    Missing,
    /// It has an instance, which is not looked into because the host is not in the file.
    NotInFile,
    /// It runs, and the run was interrupted before it answered.
    NotAsked,
}

/// One step of bootstrap that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct OpenItem {
    /// The step.
    pub(crate) step: String,
    /// Why it is open.
    pub(crate) why: String,
}

impl Document for StatusDocument {
    const KIND: Kind = Kind::Status;
}

/// The hosts that exist. Sorted by host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct InventoryDocument {
    /// The project.
    pub(crate) project: ProjectName,
    /// The environment.
    pub(crate) environment: EnvironmentName,
    /// The hosts that have an instance.
    pub(crate) hosts: Vec<InventoryHost>,
}

/// One host that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct InventoryHost {
    pub(crate) host: HostName,
    pub(crate) provider: ProviderId,
    pub(crate) role: RoleName,
    /// The provider's identifier of its instance.
    pub(crate) instance: InstanceId,
    /// Where it is in its life.
    pub(crate) lifecycle: Lifecycle,
    /// Its own address; null while it has none.
    pub(crate) address: Option<String>,
    /// Its name in the private network, if it is a member; null where there is no network.
    pub(crate) network_name: Option<String>,
    /// Where to log in; null while it has no address.
    pub(crate) ssh: Option<Ssh>,
    /// The host key it must present, as OpenSSH writes it; null when none is pinned.
    pub(crate) host_key: Option<String>,
    /// What its machine is made of.
    pub(crate) spec: Spec,
    /// Whether it may never be removed.
    pub(crate) protected: bool,
    /// The user's own tags.
    pub(crate) tags: BTreeSet<String>,
}

/// Where and as whom to log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Ssh {
    /// Address or name.
    pub(crate) host: String,
    /// Port.
    pub(crate) port: u16,
    /// User.
    pub(crate) user: String,
}

impl Document for InventoryDocument {
    const KIND: Kind = Kind::Inventory;
}

/// The host key pinned for one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct TrustDocument {
    /// The project.
    pub(crate) project: ProjectName,
    /// The environment.
    pub(crate) environment: EnvironmentName,
    pub(crate) host: HostName,
    pub(crate) provider: ProviderId,
    /// Whether anything was changed.
    pub(crate) changed: bool,
    /// The fingerprint of the key it presents, which is pinned.
    pub(crate) fingerprint: String,
    /// That of the key that was pinned before, the same one when nothing was changed; null when none was.
    pub(crate) previous: Option<String>,
}

impl Document for TrustDocument {
    const KIND: Kind = Kind::Trust;
}

/// What a command did on every host. Sorted by host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ExecDocument {
    /// The project.
    pub(crate) project: ProjectName,
    /// The environment.
    pub(crate) environment: EnvironmentName,
    /// The hosts.
    pub(crate) hosts: Vec<ExecHost>,
    /// Whether the run was interrupted.
    pub(crate) interrupted: bool,
    /// How the process exits.
    pub(crate) exit_code: u8,
}

/// What a command did on one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ExecHost {
    pub(crate) host: HostName,
    /// What came of it.
    #[serde(flatten)]
    pub(crate) result: ExecResult,
}

/// What came of a command on one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "result")]
pub(crate) enum ExecResult {
    /// It ran to its end.
    Ran {
        /// Its exit status; 128 + n when ended by signal n.
        status: i32,
        /// What it wrote to standard output.
        stdout: String,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// It did not run, or how it ended is unknown.
    Failed {
        /// Why.
        failure: Failure,
    },
}

impl Document for ExecDocument {
    const KIND: Kind = Kind::Exec;
}
