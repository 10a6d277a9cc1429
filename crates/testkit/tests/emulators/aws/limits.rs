use std::time::Duration;

use stagecraft_testkit::emulators::{Front, Limits, Options};

use super::stage::{Stage, refused};

#[tokio::test]
async fn a_bucket_of_launches_is_filled_twice_a_second() {
    let stage = Stage::with(Options::default()).await;
    let mut limits = Limits::new(stage.aws.limits());
    let mut take = |bucket, now| limits.take("key/us-east-1", "POST", bucket, now);
    assert!((0..5).all(|_| take("RunInstances", 0).is_ok()));
    assert_eq!(take("RunInstances", 0).unwrap_err().after, Some(Duration::from_millis(500)));
    assert!(take("RunInstances", 500).is_ok() && take("RunInstances", 500).is_err());
    assert!((0..100).all(|_| take("read", 0).is_ok()) && take("read", 0).is_err());
    assert!((0..50).all(|_| take("read-everything", 0).is_ok()));
    assert!(take("read-everything", 0).is_err());
}

#[tokio::test]
async fn a_request_too_many_is_told_with_503_and_without_a_time() {
    let mut stage = Stage::with(Options::default()).await;
    let mut refusals = Vec::new();
    for _ in 0..15 {
        let reply = stage.run(&[]).await;
        if reply.status != 200 {
            assert_eq!(reply.refusal(), refused(503, "RequestLimitExceeded"));
            assert_eq!(reply.header("retry-after"), None);
            refusals.push(reply);
        }
    }
    assert!(!refusals.is_empty(), "fifteen launches at once are too many");
    let before = stage.listed(&[]).await.len();
    assert_eq!(before, 15 - refusals.len(), "what is refused is not carried out");
    stage.move_to("eu-west-1");
    assert_eq!(stage.run(&[]).await.status, 200, "every region has buckets of its own");
    let free = Stage::new().await;
    for _ in 0..9 {
        assert_eq!(free.run(&[]).await.status, 200);
    }
}

#[tokio::test]
async fn instances_are_taken_from_a_bucket_too() {
    let stage = Stage::with(Options::default()).await;
    stage.habits(|habits| habits.burst_of_instances = 3);
    let three = [("MinCount", "3"), ("MaxCount", "3")];
    assert_eq!(stage.run(&three).await.status, 200);
    assert_eq!(stage.run(&three).await.refusal(), refused(503, "RequestLimitExceeded"));
}

#[tokio::test]
async fn a_world_that_limits_requests_is_told_the_same_way() {
    use stagecraft_testkit::world::RequestLimits;
    let stage = Stage::with(Options::default()).await;
    stage
        .world
        .with(|world, _| *world.limits() = RequestLimits::new([(1, Duration::from_secs(60))]));
    assert_eq!(stage.ec2("DescribeInstances", &[]).await.status, 200);
    let reply = stage.ec2("DescribeInstances", &[]).await;
    assert_eq!(reply.refusal(), refused(503, "RequestLimitExceeded"));
}
