//! The requests that more than one method makes.

use std::collections::BTreeMap;

use bollard::errors::Error;
use bollard::query_parameters::{
    ListVolumesOptions, RemoveContainerOptions, RemoveVolumeOptions, StartContainerOptions,
    StopContainerOptions,
};
use stagecraft_core::cloud::Termination;
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::{InstanceId, Scope};

use super::engine::Engine;
use super::exchange::{self, Filters};
use super::marks::{self, Carried, Generation};

/// How often another writer may win the next generation of marks before we give up.
const ATTEMPTS: u64 = 16;

/// The marks written after creation, by container.
pub(super) async fn generations(
    engine: &Engine,
    filters: Filters,
) -> Result<BTreeMap<InstanceId, Vec<Generation>>, Error> {
    let options = ListVolumesOptions { filters: Some(filters) };
    let found = engine.docker.list_volumes(Some(options)).await?;
    Ok(marks::by_container(&found.volumes.unwrap_or_default()))
}

/// Starts a container; one that runs is left as it is.
pub(super) async fn start(engine: &Engine, id: &InstanceId) -> Result<(), Error> {
    engine.docker.start_container(id.as_str(), None::<StartContainerOptions>).await
}

/// Starts a container for the first time, once what it carries is written beside it; what is written
/// there already stays.
pub(super) async fn start_first(
    engine: &Engine,
    id: &InstanceId,
    scope: &Scope,
    carried: &Carried,
) -> Result<(), Error> {
    engine.docker.create_volume(marks::write(id, scope, 1, carried)).await?;
    start(engine, id).await
}

/// Stops a container at once; one that does not run or is gone is fine.
pub(super) async fn stop(engine: &Engine, id: &InstanceId) -> Result<(), Error> {
    let options = StopContainerOptions { t: Some(0), ..StopContainerOptions::default() };
    match engine.docker.stop_container(id.as_str(), Some(options)).await {
        Ok(()) | Err(Error::DockerResponseServerError { status_code: 304 | 404 | 409, .. }) => {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Removes a container and the volumes Docker made for it.
pub(super) async fn remove(engine: &Engine, id: &InstanceId) -> Result<Termination, Error> {
    let options = RemoveContainerOptions { v: true, force: true, link: false };
    match engine.docker.remove_container(id.as_str(), Some(options)).await {
        Ok(()) => Ok(Termination::Started),
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => {
            Ok(Termination::AlreadyGone)
        }
        Err(Error::DockerResponseServerError { status_code: 409, message })
            if message.contains("already in progress") =>
        {
            Ok(Termination::Started)
        }
        Err(error) => Err(error),
    }
}

/// Removes all marks written for a container, whether it exists or not.
pub(super) async fn remove_marks(engine: &Engine, id: &InstanceId) -> Result<(), Error> {
    let all = generations(engine, exchange::marks_of(id)).await?;
    for generation in all.values().flatten() {
        remove_volume(engine, &generation.volume).await?;
    }
    Ok(())
}

/// Removes a volume; one that is gone is fine.
pub(super) async fn remove_volume(engine: &Engine, name: &str) -> Result<(), Error> {
    match engine.docker.remove_volume(name, None::<RemoveVolumeOptions>).await {
        Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes what `change` makes of what a container carries as a generation of its own; `None` when
/// others were faster each time.
pub(super) async fn write(
    engine: &Engine,
    instance: &Instance,
    older: &[Generation],
    change: impl Fn(&mut Carried) + Send,
) -> Result<Option<u64>, Error> {
    let first = older.last().map_or(1, |newest| newest.number + 1);
    let mut carried = match older.last() {
        Some(newest) => newest.carried.clone(),
        None => Carried { marks: instance.marks.clone(), pins: instance.pins },
    };
    for number in first..first + ATTEMPTS {
        change(&mut carried);
        let request = marks::write(&instance.id, &instance.owner.scope, number, &carried);
        let volume = engine.docker.create_volume(request).await?;
        match marks::held(&volume) {
            Some(held) if held == carried => return Ok(Some(number)),
            Some(theirs) => carried = theirs,
            None => {}
        }
    }
    Ok(None)
}
