//! What can be asked for, of which service, and what it counts as.

use crate::world::RequestKind;

/// A service behind the one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Ec2,
    Sts,
    Ssm,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    AuthorizeSecurityGroupIngress,
    CreateFleet,
    CreateLaunchTemplate,
    CreateSecurityGroup,
    CreateTags,
    DeleteLaunchTemplate,
    DeleteSecurityGroup,
    DeleteTags,
    DescribeAvailabilityZones,
    DescribeImages,
    DescribeInstanceTypeOfferings,
    DescribeInstanceTypes,
    DescribeInstances,
    DescribeKeyPairs,
    DescribeLaunchTemplates,
    DescribeRegions,
    DescribeSecurityGroups,
    DescribeSubnets,
    DescribeVpcs,
    GetCallerIdentity,
    GetParameter,
    ModifyInstanceAttribute,
    RunInstances,
    StartInstances,
    StopInstances,
    TerminateInstances,
}

/// All actions and their names.
#[rustfmt::skip]
const ACTIONS: [(Action, &str); 26] = [
    (Action::AuthorizeSecurityGroupIngress, "AuthorizeSecurityGroupIngress"),
    (Action::CreateFleet, "CreateFleet"),
    (Action::CreateLaunchTemplate, "CreateLaunchTemplate"),
    (Action::CreateSecurityGroup, "CreateSecurityGroup"),
    (Action::CreateTags, "CreateTags"),
    (Action::DeleteLaunchTemplate, "DeleteLaunchTemplate"),
    (Action::DeleteSecurityGroup, "DeleteSecurityGroup"),
    (Action::DeleteTags, "DeleteTags"),
    (Action::DescribeAvailabilityZones, "DescribeAvailabilityZones"),
    (Action::DescribeImages, "DescribeImages"),
    (Action::DescribeInstanceTypeOfferings, "DescribeInstanceTypeOfferings"),
    (Action::DescribeInstanceTypes, "DescribeInstanceTypes"),
    (Action::DescribeInstances, "DescribeInstances"),
    (Action::DescribeKeyPairs, "DescribeKeyPairs"),
    (Action::DescribeLaunchTemplates, "DescribeLaunchTemplates"),
    (Action::DescribeRegions, "DescribeRegions"),
    (Action::DescribeSecurityGroups, "DescribeSecurityGroups"),
    (Action::DescribeSubnets, "DescribeSubnets"),
    (Action::DescribeVpcs, "DescribeVpcs"),
    (Action::GetCallerIdentity, "GetCallerIdentity"),
    (Action::GetParameter, "GetParameter"),
    (Action::ModifyInstanceAttribute, "ModifyInstanceAttribute"),
    (Action::RunInstances, "RunInstances"),
    (Action::StartInstances, "StartInstances"),
    (Action::StopInstances, "StopInstances"),
    (Action::TerminateInstances, "TerminateInstances"),
];

impl Service {
    /// The service of this name in the scope of a signature.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Ec2, Self::Sts, Self::Ssm].into_iter().find(|service| service.name() == name)
    }

    /// Its name in the scope of a signature.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Sts => "sts",
            Self::Ssm => "ssm",
        }
    }

    /// The version of its API; SSM has it in the name of the action.
    pub(super) fn version(self) -> Option<&'static str> {
        match self {
            Self::Ec2 => Some("2016-11-15"),
            Self::Sts => Some("2011-06-15"),
            Self::Ssm => None,
        }
    }
}

impl Action {
    /// The action of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|(_, known)| *known == name).map(|(action, _)| *action)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        ACTIONS.iter().find(|(action, _)| *action == self).map_or("", |(_, name)| name)
    }

    /// Whose it is.
    pub(super) fn service(self) -> Service {
        match self.name() {
            "GetCallerIdentity" => Service::Sts,
            "GetParameter" => Service::Ssm,
            _ => Service::Ec2,
        }
    }

    /// Whether it changes nothing.
    pub(super) fn only_reads(self) -> bool {
        self.name().starts_with("Describe") || self.service() != Service::Ec2
    }

    /// What it asks of the world, if tests count it.
    pub(super) fn kind(self) -> Option<RequestKind> {
        match self.name() {
            "RunInstances" | "CreateFleet" => Some(RequestKind::Create),
            "TerminateInstances" => Some(RequestKind::Terminate),
            "StartInstances" => Some(RequestKind::Start),
            "CreateTags" | "DeleteTags" => Some(RequestKind::Update),
            _ => None,
        }
    }

    /// The bucket its requests are taken from. Reading everything at once has one of its own.
    pub(super) fn bucket(self, unfiltered: bool) -> &'static str {
        match self.name() {
            own @ ("RunInstances" | "StartInstances" | "StopInstances" | "TerminateInstances"
            | "CreateTags") => own,
            "GetCallerIdentity" | "GetParameter" => "other",
            name if name.starts_with("Describe") && unfiltered => "read-everything",
            name if name.starts_with("Describe") => "read",
            _ => "write",
        }
    }
}
