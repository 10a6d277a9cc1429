use schemars::JsonSchema;
use serde::Serialize;
use stagecraft_core::error::ExitCode;
use stagecraft_core::name::{EnvironmentName, ProjectName, Scope};
use stagecraft_core::plan::Plan;
use stagecraft_core::report::{HostReport, Report};

use super::{Document, Kind, PlanDocument};

/// How every host of a run ended. Sorted by host.
///
/// Two runs that did the same give the same document: it holds no time, duration or instance id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ReportDocument {
    /// The command.
    command: Verb,
    /// The project.
    project: ProjectName,
    /// The environment.
    environment: EnvironmentName,
    /// What was planned; null for `infra bootstrap`.
    plan: Option<PlanDocument>,
    /// The hosts that were worked on.
    hosts: Vec<HostReport>,
    /// Whether anything was changed, at a provider or on a host.
    changed: bool,
    /// Whether the run was interrupted.
    interrupted: bool,
    /// How the process exits.
    exit_code: u8,
}

/// A command that reports on hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verb {
    /// `infra up`
    Up,
    /// `infra bootstrap`
    Bootstrap,
    /// `infra down`
    Down,
}

impl Document for ReportDocument {
    const KIND: Kind = Kind::Report;
}

impl ReportDocument {
    /// The document of one run.
    pub(crate) fn new(
        command: Verb,
        scope: &Scope,
        plan: Option<&Plan>,
        report: &Report,
        exit: ExitCode,
    ) -> Self {
        Self {
            command,
            project: scope.project.clone(),
            environment: scope.environment.clone(),
            plan: plan.map(PlanDocument::from),
            hosts: report.hosts.values().cloned().collect(),
            changed: !report.changed_nothing(),
            interrupted: report.interrupted,
            exit_code: exit as u8,
        }
    }
}
