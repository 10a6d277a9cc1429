//! Orders: what is asked for in one request, and the token that makes it safe to repeat.

use sha2::{Digest as _, Sha256};
use stagecraft_core::cloud::CreateInstance;
use stagecraft_core::inventory::Owner;

use super::labels::{Labels, Market};
use super::query::Query;
use super::wire::Subnet;
use crate::http::Request;

/// What an order needs besides what the engine says.
#[derive(Clone, Debug)]
pub(super) struct Order<'a> {
    pub(super) asked: &'a CreateInstance,
    pub(super) labels: &'a Labels,
    pub(super) market: &'a Market,
    /// The AMI.
    pub(super) image: &'a str,
    /// The name of a key pair.
    pub(super) key: &'a str,
    pub(super) subnet: &'a Subnet,
    /// Whether the subnet itself decides about a public address.
    pub(super) is_own_subnet: bool,
    /// A security group.
    pub(super) group: &'a str,
    /// How many instances of the host are known to have ended.
    pub(super) attempt: usize,
}

impl Order<'_> {
    /// The token of the order. The same token gives the same instance again, for a day after it was
    /// terminated, but only within a zone: so whatever makes it another order is in it.
    pub(super) fn token(&self) -> String {
        let Owner { scope, host } = &self.asked.owner;
        let market = match self.market {
            Market::Spot => "spot",
            Market::OnDemand | Market::Instead(_) => "on-demand",
        };
        let zone = &self.subnet.availability_zone;
        let attempt = self.attempt;
        let facts =
            format!("{}/{}/{host}/{zone}/{market}/{attempt}", scope.project, scope.environment);
        let digest = Sha256::digest(facts.as_bytes());
        let hex: String = digest.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        format!("stagecraft-{hex}-{}", attempt % 10_000)
    }

    /// One instance, with everything that makes it ours, in one request.
    pub(super) fn request(&self) -> Request {
        let Self { asked, labels, image, key, subnet, group, .. } = self;
        let mut query = Query::ec2("RunInstances")
            .with("ImageId", image)
            .with("InstanceType", &asked.spec.size)
            .with("MinCount", 1)
            .with("MaxCount", 1)
            .with("KeyName", key)
            .with("ClientToken", self.token())
            .with("MetadataOptions.HttpEndpoint", "enabled")
            .with("MetadataOptions.HttpTokens", "required")
            .with("NetworkInterface.1.DeviceIndex", 0)
            .with("NetworkInterface.1.SubnetId", &subnet.subnet_id)
            .with("NetworkInterface.1.DeleteOnTermination", true)
            .with("NetworkInterface.1.SecurityGroupId.1", group);
        if !self.is_own_subnet {
            query = query.with("NetworkInterface.1.AssociatePublicIpAddress", true);
        }
        let mut tagged = vec!["instance", "volume", "network-interface"];
        if *self.market == Market::Spot {
            query = query
                .with("InstanceMarketOptions.MarketType", "spot")
                .with("InstanceMarketOptions.SpotOptions.SpotInstanceType", "one-time")
                .with(
                    "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior",
                    "terminate",
                );
            tagged.push("spot-instances-request");
        }
        for (at, kind) in tagged.into_iter().enumerate() {
            let key = format!("TagSpecification.{}", at + 1);
            query = query
                .with(format!("{key}.ResourceType"), kind)
                .with_tags(&format!("{key}.Tag"), *labels);
        }
        query.request().with_user_data(asked.user_data.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::aws::fixtures;

    #[test]
    fn an_order_names_everything_in_one_request() {
        let (asked, subnet) = (fixtures::order("db-1"), subnet("us-east-1a"));
        let labels = Labels::from([("Name".to_owned(), "staging-db-1".to_owned())]);
        let order = order(&asked, &labels, &Market::OnDemand, &subnet, 0);
        let token = format!("ClientToken={}", order.token());
        let expected = [
            "Action=RunInstances",
            "Version=2016-11-15",
            "ImageId=ami-1",
            "InstanceType=t3.small",
            "MinCount=1",
            "MaxCount=1",
            "KeyName=deploy",
            token.as_str(),
            "MetadataOptions.HttpEndpoint=enabled",
            "MetadataOptions.HttpTokens=required",
            "NetworkInterface.1.DeviceIndex=0",
            "NetworkInterface.1.SubnetId=subnet-1",
            "NetworkInterface.1.DeleteOnTermination=true",
            "NetworkInterface.1.SecurityGroupId.1=sg-1",
            "NetworkInterface.1.AssociatePublicIpAddress=true",
            "TagSpecification.1.ResourceType=instance",
            "TagSpecification.1.Tag.1.Key=Name",
            "TagSpecification.1.Tag.1.Value=staging-db-1",
            "TagSpecification.2.ResourceType=volume",
            "TagSpecification.2.Tag.1.Key=Name",
            "TagSpecification.2.Tag.1.Value=staging-db-1",
            "TagSpecification.3.ResourceType=network-interface",
            "TagSpecification.3.Tag.1.Key=Name",
            "TagSpecification.3.Tag.1.Value=staging-db-1",
        ];
        assert_eq!(order.request().fields(), expected);
    }

    #[test]
    fn a_spot_order_is_for_once_and_its_request_is_tagged_too() {
        let (asked, subnet) = (fixtures::order("db-1"), subnet("us-east-1a"));
        let labels = Labels::new();
        let fields = order(&asked, &labels, &Market::Spot, &subnet, 0).request().fields();
        for field in [
            "InstanceMarketOptions.MarketType=spot",
            "InstanceMarketOptions.SpotOptions.SpotInstanceType=one-time",
            "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior=terminate",
            "TagSpecification.4.ResourceType=spot-instances-request",
        ] {
            assert!(fields.iter().any(|of| of == field), "{field}: {fields:?}");
        }
    }

    #[test]
    fn in_a_subnet_of_the_users_the_subnet_decides_about_addresses() {
        let (asked, subnet) = (fixtures::order("db-1"), subnet("us-east-1a"));
        let labels = Labels::new();
        let order = order(&asked, &labels, &Market::OnDemand, &subnet, 0);
        let fields = Order { is_own_subnet: true, ..order }.request().fields();
        assert!(!fields.iter().any(|field| field.contains("AssociatePublicIpAddress")));
    }

    #[test]
    fn whatever_makes_another_order_makes_another_token() {
        let labels = Labels::new();
        let (here, there) = (subnet("us-east-1a"), subnet("us-east-1b"));
        let long = fixtures::order(&"x".repeat(63));
        let (asked, other) = (fixtures::order("db-1"), fixtures::order("db-2"));
        let instead = Market::Instead("X".to_owned());
        let token =
            |asked, market, subnet, attempt| order(asked, &labels, market, subnet, attempt).token();
        let tokens = [
            token(&asked, &Market::OnDemand, &here, 0),
            token(&asked, &Market::OnDemand, &here, 1),
            token(&asked, &Market::OnDemand, &there, 0),
            token(&asked, &Market::Spot, &here, 0),
            token(&other, &Market::OnDemand, &here, 0),
            token(&long, &Market::OnDemand, &here, usize::MAX),
        ];
        assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), tokens.len());
        assert!(tokens.iter().all(|token| token.len() <= 64 && token.is_ascii()), "{tokens:?}");
        assert_eq!(tokens[0], token(&asked, &Market::OnDemand, &here, 0), "and only that");
        assert_eq!(tokens[0], token(&asked, &instead, &here, 0));
    }

    fn order<'a>(
        asked: &'a CreateInstance,
        labels: &'a Labels,
        market: &'a Market,
        subnet: &'a Subnet,
        attempt: usize,
    ) -> Order<'a> {
        let (image, key, group) = ("ami-1", "deploy", "sg-1");
        let is_own_subnet = false;
        Order { asked, labels, market, image, key, subnet, is_own_subnet, group, attempt }
    }

    fn subnet(zone: &str) -> Subnet {
        Subnet {
            subnet_id: "subnet-1".to_owned(),
            vpc_id: "vpc-1".to_owned(),
            availability_zone: zone.to_owned(),
        }
    }
}
