//! Security groups: `DescribeSecurityGroups`, `CreateSecurityGroup`, `AuthorizeSecurityGroupIngress`,
//! `DeleteSecurityGroup`.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::account::{Group, Permission, Source};
use super::filters::{Filters, add_tags, facets};
use super::instance::State;
use super::paging::Page;
use super::params::Params;
use super::problem::Problem;
use super::tag_words::{shown, specifications};
use super::turn::{Done, Turn};

/// The most entries of a page.
const MOST: u32 = 1000;
/// The longest name and the longest description.
const LONGEST: usize = 255;

impl Turn<'_> {
    /// `DescribeSecurityGroups`.
    pub(super) fn describe_groups(&mut self, mut params: Params) -> Done {
        let known = ["description", "group-id", "group-name", "tag-key", "tag:", "vpc-id"];
        let filters = Filters::take(&mut params, &known)?;
        let (ids, names) = (params.texts("GroupId")?, params.texts("GroupName")?);
        let page = Page::take(&mut params, MOST)?.of_named(&[&ids, &names]);
        self.finish(params)?;
        self.ask_catalogue()?;
        let vpcs = self.vpcs();
        let default = vpcs.iter().find(|vpc| vpc.is_default);
        let groups: Vec<&Group> = self
            .account
            .groups
            .of(self.place.region)
            .filter(|group| vpcs.iter().any(|vpc| vpc.id == group.vpc))
            .collect();
        let by_id = |id: &String| groups.iter().any(|group| group.id == *id);
        let in_default = |group: &Group| default.is_some_and(|vpc| vpc.id == group.vpc);
        let by_name =
            |name: &String| groups.iter().any(|group| in_default(group) && group.name == *name);
        let missing = ids.iter().find(|id| !by_id(id));
        if let Some(missing) = missing.or_else(|| names.iter().find(|name| !by_name(name))) {
            return Err(not_found(missing).into());
        }
        let asked = |group: &Group| {
            (ids.is_empty() && names.is_empty())
                || ids.contains(&group.id)
                || (in_default(group) && names.contains(&group.name))
        };
        let picked = |group: &Group| {
            let mut seen = facets([
                ("description", vec![group.description.clone()]),
                ("group-id", vec![group.id.clone()]),
                ("group-name", vec![group.name.clone()]),
                ("vpc-id", vec![group.vpc.clone()]),
            ]);
            add_tags(&mut seen, &self.account.tags_of(&group.id));
            filters.pick(&seen)
        };
        let listed: Vec<Value> = groups
            .iter()
            .filter(|group| asked(group) && picked(group))
            .map(|group| group.shown(&self.account.tags_of(&group.id)))
            .collect();
        self.paged(&page, "securityGroupInfo", listed)
    }

    /// `CreateSecurityGroup`.
    pub(super) fn create_group(&mut self, mut params: Params) -> Done {
        let name = params.required("GroupName")?;
        let description = params.required("GroupDescription")?;
        let vpc = params.text("VpcId")?;
        let tags = specifications(&mut params, &["security-group"])?;
        self.finish(params)?;
        for (parameter, text) in [("GroupName", &name), ("GroupDescription", &description)] {
            let fits = |letter: char| {
                letter.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(letter)
            };
            if text.len() > LONGEST || !text.chars().all(fits) {
                let message = format!("'{text}' is too long or has signs that are not allowed");
                return Err(Problem::invalid(parameter, &message).into());
            }
        }
        if name.starts_with("sg-") || name.eq_ignore_ascii_case("default") {
            return Err(Problem::invalid("GroupName", &format!("'{name}' is reserved")).into());
        }
        let vpcs = self.vpcs();
        let found = match &vpc {
            Some(id) => vpcs
                .iter()
                .find(|known| known.id == *id)
                .ok_or_else(|| Problem::not_found("InvalidVpcID.NotFound", "vpc ID", id))?,
            None => vpcs.iter().find(|known| known.is_default).ok_or_else(|| {
                let message = "No default VPC for this user";
                Problem::new(400, "VPCIdNotSpecified", message)
            })?,
        };
        if self.account.groups.named(&found.id, &name).is_some() {
            let message =
                format!("The security group '{name}' already exists for VPC '{}'", found.id);
            return Err(Problem::new(400, "InvalidGroup.Duplicate", message).into());
        }
        let group = Group {
            id: self.account.issue("sg"),
            name,
            description,
            vpc: found.id.clone(),
            region: self.place.region,
            permissions: BTreeSet::new(),
        };
        let tags = tags.into_values().next().unwrap_or_default();
        let answer = json!({
            "return": true,
            "groupId": group.id,
            "securityGroupArn": group.arn(),
            "tagSet": shown(&tags),
        });
        self.account.tags.insert(group.id.clone(), tags);
        self.account.groups.add(group);
        Ok(answer)
    }

    /// `AuthorizeSecurityGroupIngress`.
    pub(super) fn authorize(&mut self, mut params: Params) -> Done {
        let id = params.required("GroupId")?;
        let mut wanted = Vec::new();
        for permission in params.list("IpPermissions")? {
            wanted.extend(self.permissions(permission)?);
        }
        if let Some(protocol) = params.text("IpProtocol")? {
            let cidr = params.required("CidrIp")?;
            let ports = ports(&mut params, &protocol)?;
            wanted.push(Permission { protocol, ports, source: v4(&cidr)? });
        }
        self.finish(params)?;
        if self.account.groups.find(self.place.region, &id).is_none() {
            return Err(not_found(&id).into());
        }
        if wanted.is_empty() {
            return Err(Problem::missing("IpPermissions").into());
        }
        let Some(group) = self.account.groups.find_mut(&id) else {
            return Err(not_found(&id).into());
        };
        if let Some(known) = wanted.iter().find(|one| group.permissions.contains(one)) {
            let message = format!(
                "the specified rule \"peer: {}, {}, ALLOW\" already exists",
                source(known),
                known.protocol
            );
            return Err(Problem::new(400, "InvalidPermission.Duplicate", message).into());
        }
        let rules: Vec<Value> = wanted.iter().map(|one| one.rule_shown(&id)).collect();
        group.permissions.extend(wanted);
        Ok(json!({ "return": true, "securityGroupRuleSet": rules }))
    }

    /// `DeleteSecurityGroup`.
    pub(super) fn delete_group(&mut self, mut params: Params) -> Done {
        let (id, name) = (params.text("GroupId")?, params.text("GroupName")?);
        self.finish(params)?;
        let vpcs = self.vpcs();
        let default = vpcs.iter().find(|vpc| vpc.is_default);
        let found = match (&id, &name) {
            (Some(id), _) => self.account.groups.find(self.place.region, id),
            (None, Some(name)) => default.and_then(|vpc| self.account.groups.named(&vpc.id, name)),
            (None, None) => return Err(Problem::missing("GroupId").into()),
        };
        let given = id.or(name).unwrap_or_default();
        let group = found.cloned().ok_or_else(|| not_found(&given))?;
        if group.name == "default" {
            let message = format!(
                "the specified group: \"{}\" name: \"default\" cannot be deleted by a user",
                group.id
            );
            return Err(Problem::new(400, "CannotDelete", message).into());
        }
        let used = self.instances().iter().any(|seen| {
            self.state(seen) != State::Terminated
                && self.account.record(seen).groups.contains(&group.id)
        });
        let named = self.account.groups.of(self.place.region).any(|other| {
            let from = Source::Group(group.id.clone());
            other.id != group.id && other.permissions.iter().any(|one| one.source == from)
        });
        if used || named {
            let message = format!("resource {} has a dependent object", group.id);
            return Err(Problem::new(400, "DependencyViolation", message).into());
        }
        self.account.groups.remove(&group.id);
        self.account.tags.remove(&group.id);
        Ok(json!({ "return": true, "groupId": group.id }))
    }

    /// What one entry of `IpPermissions` says, for each source by itself.
    fn permissions(&self, mut params: Params) -> Result<Vec<Permission>, Problem> {
        let protocol = params.required("IpProtocol")?;
        let ports = ports(&mut params, &protocol)?;
        let mut sources = Vec::new();
        for mut range in params.list("IpRanges")? {
            sources.push(v4(&range.required("CidrIp")?)?);
            range.text("Description")?;
            range.finish()?;
        }
        for mut range in params.list("Ipv6Ranges")? {
            let cidr = range.required("CidrIpv6")?;
            range.text("Description")?;
            range.finish()?;
            if !is_cidr::<Ipv6Addr>(&cidr, 128) {
                return Err(no_cidr(&cidr));
            }
            sources.push(Source::V6(cidr));
        }
        for mut pair in params.list("Groups")? {
            let id = pair.required("GroupId")?;
            for besides in ["UserId", "VpcId", "Description"] {
                pair.text(besides)?;
            }
            pair.finish()?;
            if self.account.groups.find(self.place.region, &id).is_none() {
                return Err(not_found(&id));
            }
            sources.push(Source::Group(id));
        }
        params.finish()?;
        if sources.is_empty() {
            return Err(Problem::missing("IpPermissions.IpRanges"));
        }
        let permission = |source| Permission { protocol: protocol.clone(), ports, source };
        Ok(sources.into_iter().map(permission).collect())
    }
}

/// The ports of a protocol, or the types of ICMP.
fn ports(params: &mut Params, protocol: &str) -> Result<Option<(i32, i32)>, Problem> {
    let mut port = |name: &str| -> Result<Option<i32>, Problem> {
        let wrong = || Problem::invalid(name, "it is no port");
        params.text(name)?.map(|text| text.parse().map_err(|_| wrong())).transpose()
    };
    let (from, to) = (port("FromPort")?, port("ToPort")?);
    match (protocol, from, to) {
        ("-1", ..) => Ok(None),
        ("tcp" | "udp" | "6" | "17", Some(from), Some(to)) => {
            if from > to || !(0..=65535).contains(&from) || to > 65535 {
                let message = format!("Invalid TCP/UDP port range ({from}:{to})");
                return Err(Problem::new(400, "InvalidParameterValue", message));
            }
            Ok(Some((from, to)))
        }
        ("icmp" | "icmpv6" | "1" | "58", Some(from), Some(to)) => Ok(Some((from, to))),
        ("tcp" | "udp" | "6" | "17" | "icmp" | "icmpv6" | "1" | "58", ..) => {
            let message = format!("Must specify both from and to ports with {protocol}.");
            Err(Problem::new(400, "InvalidParameterValue", message))
        }
        (other, ..) => {
            let message = format!("Invalid value '{other}' for IP protocol. Unknown protocol.");
            Err(Problem::new(400, "InvalidParameterValue", message))
        }
    }
}

fn v4(cidr: &str) -> Result<Source, Problem> {
    if is_cidr::<Ipv4Addr>(cidr, 32) { Ok(Source::V4(cidr.to_owned())) } else { Err(no_cidr(cidr)) }
}

fn is_cidr<A: std::str::FromStr>(text: &str, longest: u8) -> bool {
    text.split_once('/').is_some_and(|(address, length)| {
        address.parse::<A>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= longest)
    })
}

fn no_cidr(text: &str) -> Problem {
    let message = format!("CIDR block {text} is malformed");
    Problem::new(400, "InvalidParameterValue", message)
}

fn not_found(id: &str) -> Problem {
    Problem::not_found("InvalidGroup.NotFound", "security group", id)
}

fn source(permission: &Permission) -> &str {
    match &permission.source {
        Source::V4(text) | Source::V6(text) | Source::Group(text) => text,
    }
}
