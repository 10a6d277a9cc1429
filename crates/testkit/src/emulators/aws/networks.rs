//! `DescribeVpcs`, `DescribeSubnets`.

use serde_json::Value;

use super::filters::{Filters, facets};
use super::network::Subnet;
use super::paging::Page;
use super::params::Params;
use super::problem::Problem;
use super::turn::{Done, Turn};

/// The most entries of a page.
const MOST: u32 = 1000;
/// The addresses of a subnet that can be given to instances.
const ADDRESSES: u32 = 4091;

impl Turn<'_> {
    /// `DescribeVpcs`.
    pub(super) fn describe_vpcs(&mut self, mut params: Params) -> Done {
        let filters = Filters::take(&mut params, &["is-default", "isDefault", "state", "vpc-id"])?;
        let ids = params.texts("VpcId")?;
        let page = Page::take(&mut params, MOST)?.of_named(&[&ids]);
        self.finish(params)?;
        self.ask_catalogue()?;
        let vpcs = self.vpcs();
        if let Some(id) = ids.iter().find(|id| !vpcs.iter().any(|vpc| vpc.id == **id)) {
            return Err(Problem::not_found("InvalidVpcID.NotFound", "vpc ID", id).into());
        }
        let shown: Vec<Value> = vpcs
            .iter()
            .filter(|vpc| ids.is_empty() || ids.contains(&vpc.id))
            .filter(|vpc| {
                filters.pick(&facets([
                    ("is-default", vec![vpc.is_default.to_string()]),
                    ("isDefault", vec![vpc.is_default.to_string()]),
                    ("state", vec!["available".to_owned()]),
                    ("vpc-id", vec![vpc.id.clone()]),
                ]))
            })
            .map(super::network::Vpc::shown)
            .collect();
        self.paged(&page, "vpcSet", shown)
    }

    /// `DescribeSubnets`.
    pub(super) fn describe_subnets(&mut self, mut params: Params) -> Done {
        let filters = Filters::take(
            &mut params,
            &[
                "availability-zone",
                "availabilityZone",
                "default-for-az",
                "defaultForAz",
                "map-public-ip-on-launch",
                "state",
                "subnet-id",
                "vpc-id",
            ],
        )?;
        let ids = params.texts("SubnetId")?;
        let page = Page::take(&mut params, MOST)?.of_named(&[&ids]);
        self.finish(params)?;
        self.ask_catalogue()?;
        let subnets = self.subnets();
        if let Some(id) = ids.iter().find(|id| !subnets.iter().any(|subnet| subnet.id == **id)) {
            return Err(Problem::not_found("InvalidSubnetID.NotFound", "subnet ID", id).into());
        }
        let seen = |subnet: &Subnet| {
            let default = subnet.is_default.to_string();
            facets([
                ("availability-zone", vec![subnet.zone.clone()]),
                ("availabilityZone", vec![subnet.zone.clone()]),
                ("default-for-az", vec![default.clone()]),
                ("defaultForAz", vec![default.clone()]),
                ("map-public-ip-on-launch", vec![default]),
                ("state", vec!["available".to_owned()]),
                ("subnet-id", vec![subnet.id.clone()]),
                ("vpc-id", vec![subnet.vpc.clone()]),
            ])
        };
        let full = &self.account.habits.no_addresses;
        let free = |subnet: &Subnet| if full.contains(&subnet.zone) { 0 } else { ADDRESSES };
        let shown: Vec<Value> = subnets
            .iter()
            .filter(|subnet| ids.is_empty() || ids.contains(&subnet.id))
            .filter(|subnet| filters.pick(&seen(subnet)))
            .map(|subnet| subnet.shown(self.place, free(subnet)))
            .collect();
        self.paged(&page, "subnetSet", shown)
    }
}
