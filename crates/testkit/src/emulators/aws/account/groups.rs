//! Security groups.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::emulators::aws::ids::derived;
use crate::emulators::aws::network::{ACCOUNT, vpcs};
use crate::emulators::aws::places::Place;
use crate::world::Labels;

/// All groups of all regions.
#[derive(Debug)]
pub(crate) struct Groups(Vec<Group>);

/// One group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) vpc: String,
    pub(crate) region: &'static str,
    /// What may come in.
    pub(crate) permissions: BTreeSet<Permission>,
}

/// Who may come in, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Permission {
    /// `-1` for all.
    pub(crate) protocol: String,
    /// `None` where the protocol has none, or for all.
    pub(crate) ports: Option<(i32, i32)>,
    pub(crate) source: Source,
}

/// Where from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    V4(String),
    V6(String),
    /// From members of a group of this id.
    Group(String),
}

/// Every network of every region has a group that lets in its own members only.
impl Default for Groups {
    fn default() -> Self {
        let vpcs = Place::all()
            .flat_map(|place| vpcs(place, true).into_iter().map(move |vpc| (place, vpc)));
        let group = |(place, vpc): (&'static Place, crate::emulators::aws::network::Vpc)| {
            let id = derived("sg", &[&vpc.id, "default"]);
            let source = Source::Group(id.clone());
            let own = Permission { protocol: "-1".to_owned(), ports: None, source };
            Group {
                id,
                name: "default".to_owned(),
                description: "default VPC security group".to_owned(),
                vpc: vpc.id,
                region: place.region,
                permissions: [own].into(),
            }
        };
        Self(vpcs.map(group).collect())
    }
}

impl Groups {
    /// The groups of a region.
    pub(crate) fn of(&self, region: &str) -> impl Iterator<Item = &Group> {
        self.0.iter().filter(move |group| group.region == region)
    }

    /// The group of this id.
    pub(crate) fn find(&self, region: &str, id: &str) -> Option<&Group> {
        self.of(region).find(|group| group.id == id)
    }

    /// The same, to be changed.
    pub(crate) fn find_mut(&mut self, id: &str) -> Option<&mut Group> {
        self.0.iter_mut().find(|group| group.id == id)
    }

    /// The group of this name in a network.
    pub(crate) fn named(&self, vpc: &str, name: &str) -> Option<&Group> {
        self.0.iter().find(|group| group.vpc == vpc && group.name == name)
    }

    /// Adds a group.
    pub(crate) fn add(&mut self, group: Group) {
        self.0.push(group);
    }

    /// Removes a group.
    pub(crate) fn remove(&mut self, id: &str) {
        self.0.retain(|group| group.id != id);
    }
}

impl Group {
    /// As the API shows it.
    pub(crate) fn shown(&self, tags: &Labels) -> Value {
        let permissions: Vec<Value> = self.permissions.iter().map(Permission::shown).collect();
        let everything = Permission {
            protocol: "-1".to_owned(),
            ports: None,
            source: Source::V4("0.0.0.0/0".to_owned()),
        };
        json!({
            "ownerId": ACCOUNT,
            "groupId": self.id,
            "securityGroupArn": self.arn(),
            "groupName": self.name,
            "groupDescription": self.description,
            "vpcId": self.vpc,
            "ipPermissions": permissions,
            "ipPermissionsEgress": [everything.shown()],
            "tagSet": crate::emulators::aws::tag_words::shown(tags),
        })
    }

    /// Its name among everything there is.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:ec2:{}:{ACCOUNT}:security-group/{}", self.region, self.id)
    }
}

impl Permission {
    fn shown(&self) -> Value {
        let (mut v4, mut v6, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        match &self.source {
            Source::V4(cidr) => v4.push(json!({ "cidrIp": cidr })),
            Source::V6(cidr) => v6.push(json!({ "cidrIpv6": cidr })),
            Source::Group(id) => groups.push(json!({ "userId": ACCOUNT, "groupId": id })),
        }
        json!({
            "ipProtocol": self.protocol,
            "fromPort": self.ports.map(|(from, _)| from),
            "toPort": self.ports.map(|(_, to)| to),
            "groups": groups,
            "ipRanges": v4,
            "ipv6Ranges": v6,
            "prefixListIds": [],
        })
    }

    /// As the API shows a single rule of a group.
    pub(crate) fn rule_shown(&self, group: &str) -> Value {
        let told = format!("{self:?}");
        let (v4, v6, from) = match &self.source {
            Source::V4(cidr) => (Some(cidr), None, None),
            Source::V6(cidr) => (None, Some(cidr), None),
            Source::Group(id) => (None, None, Some(json!({ "groupId": id, "userId": ACCOUNT }))),
        };
        json!({
            "securityGroupRuleId": derived("sgr", &[group, &told]),
            "groupId": group,
            "groupOwnerId": ACCOUNT,
            "isEgress": false,
            "ipProtocol": self.protocol,
            "fromPort": self.ports.map_or(-1, |(from, _)| from),
            "toPort": self.ports.map_or(-1, |(_, to)| to),
            "cidrIpv4": v4,
            "cidrIpv6": v6,
            "referencedGroupInfo": from,
            "tagSet": [],
        })
    }
}
