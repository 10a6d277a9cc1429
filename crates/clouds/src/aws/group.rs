//! The security group of an environment: made before its first instance, and removed after its last.
//!
//! The default group of a VPC lets nobody in, so SSH needs a group. It is ours by the tags of its
//! scope, which are in the request that makes it; its name is unique in a VPC. It lets everybody
//! reach SSH, whose hosts are verified and which takes keys only, and the port of the mesh. A rule that
//! somebody else made for one of these ports, e.g. for fewer addresses, is left as it is.

use stagecraft_core::cloud::{CloudError, CloudErrorKind};
use stagecraft_core::name::{Region, Scope};

use super::account::all;
use super::exchange::{self, Opening};
use super::refusal::{GROUP_IS_THERE, NO_GROUP, RULE_IS_THERE, STILL_USED};
use super::{AwsProvider, labels, wire};
use crate::Doing;
use crate::http::Api;

/// How soon something that was just made is looked for again.
pub(super) const SOON: std::time::Duration = std::time::Duration::from_secs(3);
/// How long an interface may outlive its instance.
const LINGERS: std::time::Duration = std::time::Duration::from_secs(5);

/// The name of an environment's group. No name of ours has a `.`, so no two scopes share one.
fn name(scope: &Scope) -> String {
    format!("stagecraft.{}.{}", scope.project, scope.environment)
}

impl AwsProvider {
    /// The id of the group of an environment in a VPC, which is made if need be. One order after
    /// another comes by here, and only the first asks.
    pub(super) async fn group(
        &self,
        doing: &Doing,
        region: &Region,
        vpc: &str,
        scope: &Scope,
    ) -> Result<String, CloudError> {
        let mut groups = self.groups.lock().await;
        let place = (vpc.to_owned(), scope.clone());
        if let Some(id) = groups.get(&place) {
            return Ok(id.clone());
        }
        let api = self.account.ec2(doing, region)?;
        let group = self.found_or_made(&api, doing, vpc, scope).await?;
        for opening in self.openings() {
            open(&api, doing, &group, opening).await?;
        }
        groups.insert(place, group.group_id.clone());
        Ok(group.group_id)
    }

    /// Forgets a group that was removed behind our back, so that the next order makes another.
    pub(super) async fn forget_group(&self, vpc: &str, scope: &Scope) {
        self.groups.lock().await.remove(&(vpc.to_owned(), scope.clone()));
    }

    /// Opens a port in the groups that an environment has in a region.
    pub(super) async fn open_groups(
        &self,
        doing: &Doing,
        region: &Region,
        scope: &Scope,
        opening: Opening,
    ) -> Result<(), CloudError> {
        let api = self.account.ec2(doing, region)?;
        let (groups, _) = all::<wire::Groups>(&api, doing, exchange::groups(scope)).await?;
        for group in groups.iter().filter(|group| is_of(group, scope)) {
            open(&api, doing, group, opening).await?;
        }
        Ok(())
    }

    /// Removes the groups of an environment in a region, unless something uses them.
    pub(super) async fn remove_groups(
        &self,
        doing: &Doing,
        region: &Region,
        scope: &Scope,
    ) -> Result<(), CloudError> {
        let api = self.account.ec2(doing, region)?;
        let (groups, _) = all::<wire::Groups>(&api, doing, exchange::groups(scope)).await?;
        self.groups.lock().await.retain(|(_, of), _| of != scope);
        if groups.is_empty() {
            return Ok(());
        }
        let query = exchange::instances(scope);
        let (there, _) = all::<wire::Reservations>(&api, doing, query).await?;
        let mut there = there.iter().flat_map(|of| &of.instances_set.items);
        if there.any(|of| !exchange::is_ended(of)) {
            return Ok(());
        }
        for group in groups.iter().filter(|group| is_of(group, scope)) {
            match api.tell(doing, &exchange::remove_group(&group.group_id)).await {
                Ok(()) => {}
                Err(failed) if failed.is_code(NO_GROUP) => {}
                // The interface of an instance that ended may linger.
                Err(failed) if failed.is_code(STILL_USED) => {
                    let error = CloudError::from(failed);
                    let kind = CloudErrorKind::ProviderFault(error.kind.to_string());
                    return Err(CloudError { kind, ..error }.retry_after(LINGERS));
                }
                Err(failed) => return Err(failed.into()),
            }
        }
        Ok(())
    }

    async fn found_or_made(
        &self,
        api: &Api,
        doing: &Doing,
        vpc: &str,
        scope: &Scope,
    ) -> Result<wire::Group, CloudError> {
        if let Some(group) = find(api, doing, vpc, scope).await? {
            return Ok(group);
        }
        let name = name(scope);
        match api.ask::<wire::MadeGroup>(doing, &exchange::make_group(&name, vpc, scope)).await {
            Ok(made) => Ok(wire::Group {
                group_id: made.group_id,
                group_name: name,
                ip_permissions: wire::Set::default(),
                tag_set: wire::Set::default(),
            }),
            // Another run was faster.
            Err(failed) if failed.is_code(GROUP_IS_THERE) => {
                let found = find(api, doing, vpc, scope).await?;
                found.ok_or_else(|| not_there_yet(doing, &name))
            }
            Err(failed) => Err(failed.into()),
        }
    }

    fn openings(&self) -> impl Iterator<Item = Opening> {
        let ssh = Opening { protocol: "tcp", port: self.ssh_port };
        [ssh].into_iter().chain(self.mesh())
    }

    /// What the mesh needs open, if there is one that does.
    pub(super) fn mesh(&self) -> Option<Opening> {
        self.mesh_port.map(|port| Opening { protocol: "udp", port })
    }
}

/// Opens a port in a group that has no rule for it.
async fn open(
    api: &Api,
    doing: &Doing,
    group: &wire::Group,
    opening: Opening,
) -> Result<(), CloudError> {
    if exchange::has_rule(group, opening) {
        return Ok(());
    }
    match api.tell(doing, &exchange::open(&group.group_id, opening)).await {
        Ok(()) => Ok(()),
        Err(failed) if failed.is_code(RULE_IS_THERE) => Ok(()),
        Err(failed) if failed.is_code(NO_GROUP) => Err(not_there_yet(doing, &group.group_id)),
        Err(failed) => Err(failed.into()),
    }
}

/// The group of an environment in a VPC.
///
/// # Errors
/// One of its name is there and is not ours.
async fn find(
    api: &Api,
    doing: &Doing,
    vpc: &str,
    scope: &Scope,
) -> Result<Option<wire::Group>, CloudError> {
    let name = name(scope);
    let (found, _) = all::<wire::Groups>(api, doing, exchange::group_named(&name, vpc)).await?;
    let Some(group) = found.into_iter().find(|group| group.group_name == name) else {
        return Ok(None);
    };
    if is_of(&group, scope) {
        return Ok(Some(group));
    }
    let why = format!("the security group `{name}` ({}) is not one of ours", group.group_id);
    Err(doing.failed(CloudErrorKind::Conflict(why)).with_hint(
        "rename the environment in the file, or remove that security group in the AWS console if \
         nobody needs it",
    ))
}

fn is_of(group: &wire::Group, scope: &Scope) -> bool {
    labels::scope(&labels::read(&group.tag_set)).as_ref() == Some(scope)
}

/// What was just made may not be visible everywhere.
pub(super) fn not_there_yet(doing: &Doing, what: &str) -> CloudError {
    let why = format!("`{what}` was made and is not visible yet");
    doing.failed(CloudErrorKind::ProviderFault(why)).retry_after(SOON)
}
