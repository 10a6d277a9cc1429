use stagecraft_clouds::local::EngineAddress;
use stagecraft_core::cloud::{CloudErrorKind, CloudProvider as _, Termination};
use stagecraft_core::identity::{HostKey, Pins};
use stagecraft_core::inventory::{Lifecycle, Marks};
use stagecraft_core::name::InstanceId;

use crate::support::{Bench, docker, provider};

#[tokio::test]
async fn a_host_lives_from_create_to_terminate() {
    let Some(bench) = Bench::new("lives").await else { return };
    let created = bench.create("db-1").await;
    assert_eq!(created.owner, bench.owner("db-1"));
    assert!(matches!(created.lifecycle, Lifecycle::Running | Lifecycle::Pending));

    let running = bench.wait_for_banner("db-1").await;
    assert_eq!(running.id, created.id);
    assert_eq!(bench.cloud.get(&created.id).await.unwrap(), Some(running.clone()));
    assert_eq!(bench.create("db-1").await.id, created.id, "a second create finds the first");

    let marks = Marks {
        protected: true,
        tags: ["blue".to_owned(), "a, \"b\"".to_owned()].into(),
        ..running.marks.clone()
    };
    for _ in 0..2 {
        bench.cloud.update(&created.id, &marks).await.unwrap();
        assert_eq!(bench.only().await.marks, marks);
    }
    for round in 0..3 {
        let marks = Marks { name: format!("name-{round}"), ..marks.clone() };
        bench.cloud.update(&created.id, &marks).await.unwrap();
        assert_eq!(bench.only().await.marks, marks);
    }

    docker(&["stop", created.id.as_str()]);
    assert_eq!(bench.only().await.lifecycle, Lifecycle::Stopped);
    bench.cloud.start(&created.id).await.unwrap();
    bench.cloud.start(&created.id).await.unwrap();
    let again = bench.wait_for_banner("db-1").await;
    assert_eq!(again.marks.name, "name-2", "marks survive a stop");

    assert_eq!(bench.cloud.terminate(&created.id).await.unwrap(), Termination::Started);
    assert_eq!(bench.cloud.get(&created.id).await.unwrap(), None);
    assert_eq!(bench.cloud.terminate(&created.id).await.unwrap(), Termination::AlreadyGone);
    assert_eq!(docker(&["volume", "ls", "-q", "--filter", &bench.label()]), "");
    let gone = bench.cloud.start(&created.id).await.unwrap_err();
    assert!(matches!(gone.kind, CloudErrorKind::NotFound(_)), "{gone}");
}

#[tokio::test]
async fn a_host_whose_marks_were_pruned_is_protected_and_no_key_of_it_is_believed() {
    let Some(bench) = Bench::new("pruned").await else { return };
    let host = bench.create("db-1").await;
    let pins = Pins::of_own(HostKey::new([7; 32]));
    bench.cloud.pin(&host, &pins).await.unwrap();
    assert_eq!(bench.only().await.pins, pins);

    // As `docker volume prune` does, but to these alone.
    let volumes = docker(&["volume", "ls", "-q", "--filter", &bench.label()]);
    assert_ne!(volumes, "");
    for volume in volumes.lines() {
        docker(&["volume", "rm", volume]);
    }
    let lost = bench.only().await;
    assert_eq!((lost.marks.protected, lost.pins), (true, Pins::default()));

    bench.cloud.update(&host.id, &host.marks).await.unwrap();
    let written = bench.only().await;
    assert_eq!((written.marks, written.pins), (host.marks, Pins::default()));
}

#[tokio::test]
async fn a_foreign_container_is_never_listed_or_terminated() {
    let Some(bench) = Bench::new("foreign").await else { return };
    let host = bench.create("db-1").await;
    let name = format!("{}.{}.db-2", bench.scope.project, bench.scope.environment);
    let image = docker(&["inspect", "-f", "{{.Config.Image}}", host.id.as_str()]);
    let foreign = InstanceId(docker(&["create", "--name", &name, &image, "true"]));

    assert_eq!(bench.only().await.id, host.id);
    assert_eq!(bench.cloud.get(&foreign).await.unwrap(), None);
    let refused = bench.cloud.terminate(&foreign).await.unwrap_err();
    assert!(matches!(refused.kind, CloudErrorKind::NotFound(_)), "{refused}");
    let taken = bench.cloud.create(&bench.order("db-2")).await.unwrap_err();
    assert!(matches!(&taken.kind, CloudErrorKind::Conflict(why) if why.contains(&name)), "{taken}");
    assert!(!taken.maybe_done);
    let still = docker(&["inspect", "-f", "{{.State.Status}}", foreign.as_str()]);
    docker(&["rm", foreign.as_str()]);
    assert_eq!(still, "created");
}

#[tokio::test]
async fn two_creates_at_once_make_one_instance() {
    let Some(bench) = Bench::new("twice").await else { return };
    let (one, two) = tokio::join!(bench.create("db-1"), bench.create("db-1"));
    assert_eq!(one.id, two.id);
    assert_eq!(bench.only().await.id, one.id);
}

#[tokio::test]
async fn a_host_that_was_created_and_not_started_is_gone_on_with() {
    let Some(bench) = Bench::new("halfway").await else { return };
    let template = bench.create("db-1").await;
    let left = bench.docker_create_like(&template, "db-2");
    let halfway = bench.get("db-2").await;
    assert_eq!((&halfway.id, halfway.lifecycle), (&left, Lifecycle::Stopped));
    assert_eq!(bench.create("db-2").await.id, left);
    assert_ne!(bench.get("db-2").await.lifecycle, Lifecycle::Stopped);
}

#[tokio::test]
async fn two_updates_at_once_leave_one_of_both_and_no_mixture() {
    let Some(bench) = Bench::new("updates").await else { return };
    let host = bench.create("db-1").await;
    let marks = |name: &str| Marks {
        name: name.to_owned(),
        tags: [name.to_owned()].into(),
        ..host.marks.clone()
    };
    let (red, blue) = (marks("red"), marks("blue"));
    let (one, two) =
        tokio::join!(bench.cloud.update(&host.id, &red), bench.cloud.update(&host.id, &blue));
    one.unwrap();
    two.unwrap();
    let left = bench.only().await.marks;
    assert!(left == red || left == blue, "{left:?}");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_unreachable_with_a_hint() {
    let cloud = provider(EngineAddress::Unix("/nowhere/docker.sock".into()));
    let error = cloud.validate_credentials().await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::Unreachable(_)), "{error}");
    assert_eq!(error.hints.len(), 1);

    let nobody = EngineAddress::parse(Some("tcp://127.0.0.1:9"), None).unwrap();
    let error = provider(nobody).validate_credentials().await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::Unreachable(_)), "{error}");
    assert!(error.hints[0].contains("DOCKER_HOST"), "{:?}", error.hints);
}
