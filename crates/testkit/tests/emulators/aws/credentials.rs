use std::time::{SystemTime, UNIX_EPOCH};

use stagecraft_testkit::emulators::aws::{AccessKey, Clock, Standing};
use stagecraft_testkit::emulators::{Access, Options};

use super::signer::Signer;
use super::stage::{NOBLE, Stage, named, refused};

#[tokio::test]
async fn a_signed_request_is_answered_and_an_unsigned_one_is_not() {
    let stage = Stage::new().await;
    let reply = stage.ec2("DescribeRegions", &[]).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/xml;charset=UTF-8")));
    let space =
        "<DescribeRegionsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>";
    assert!(reply.body.contains(space), "{}", reply.body);
    assert_eq!(reply.header("x-amzn-requestid"), Some(reply.text("requestId").as_str()));
    let headers = [("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    let body = "Action=DescribeRegions&Version=2016-11-15";
    let reply = stage.raw("POST", "/", &headers, body).await.unwrap();
    assert_eq!(reply.refusal(), refused(403, "MissingAuthenticationToken"));
    let bearer = [("authorization".to_owned(), "Bearer abcdefgh".to_owned())];
    let reply = stage.raw("POST", "/", &bearer, body).await.unwrap();
    assert_eq!(reply.refusal(), refused(400, "IncompleteSignature"));
}

#[tokio::test]
async fn a_wrong_key_or_secret_or_body_or_scope_is_noticed() {
    let stage = Stage::new().await;
    let right = Signer { date: stage.date(0), ..stage.signer.clone() };
    let kind = "application/x-www-form-urlencoded";
    let body = "Action=DescribeRegions&Version=2016-11-15";
    let ask = async |signer: Signer| {
        stage.raw("POST", "/", &signer.headers(kind, body), body).await.unwrap()
    };
    assert_eq!(ask(right.clone()).await.status, 200);
    let text = |text: &str| text.to_owned();
    for (signer, refusal) in [
        (Signer { key: text("AKIAUNKNOWN"), ..right.clone() }, refused(401, "AuthFailure")),
        (Signer { secret: text("guess"), ..right.clone() }, refused(403, "SignatureDoesNotMatch")),
        (Signer { service: text("s3"), ..right.clone() }, refused(403, "SignatureDoesNotMatch")),
        (Signer { region: text("mars-1"), ..right.clone() }, refused(401, "AuthFailure")),
        (Signer { region: text("ap-southeast-3"), ..right.clone() }, refused(401, "AuthFailure")),
        (Signer { session: Some(text("x")), ..right.clone() }, refused(401, "AuthFailure")),
        (Signer { leaves_out: Some("host"), ..right.clone() }, refused(400, "IncompleteSignature")),
        (
            Signer { leaves_out: Some("x-amz-date"), ..right.clone() },
            refused(400, "IncompleteSignature"),
        ),
    ] {
        assert_eq!(ask(signer.clone()).await.refusal(), refusal, "{signer:?}");
    }
    let signed = right.headers(kind, body);
    let other = "Action=DescribeVpcs&Version=2016-11-15";
    let reply = stage.raw("POST", "/", &signed, other).await.unwrap();
    assert_eq!(reply.refusal(), refused(403, "SignatureDoesNotMatch"));
    let mut changed = signed.clone();
    changed[1].1 = "elsewhere".to_owned();
    let reply = stage.raw("POST", "/", &changed, body).await.unwrap();
    assert_eq!(reply.refusal(), refused(403, "SignatureDoesNotMatch"));
    stage.habits(|habits| habits.vague_credentials = true);
    let reply = ask(Signer { secret: text("guess"), ..right }).await;
    assert_eq!(reply.refusal(), refused(401, "AuthFailure"));
}

#[tokio::test]
async fn a_date_must_be_within_fifteen_minutes() {
    let mut stage = Stage::new().await;
    for (later, status) in [(-890, 200), (890, 200), (-910, 400), (910, 400)] {
        stage.signer.date = stage.date(later);
        let reply = stage.ec2("DescribeRegions", &[]).await;
        assert_eq!(reply.status, status, "{later}: {}", reply.body);
        assert!(status == 200 || reply.code() == "RequestExpired");
    }
    stage.signer.date = stage.date(0);
    stage.habits(|habits| habits.clock_ahead_seconds = 3600);
    let reply = stage.ec2("DescribeRegions", &[]).await;
    assert_eq!(reply.refusal(), refused(400, "RequestExpired"));
    stage.habits(|habits| habits.clock = Clock::None);
    assert_eq!(stage.ec2("DescribeRegions", &[]).await.status, 200);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the clock on the wall is what is tested")]
async fn the_clock_on_the_wall_counts_unless_another_is_chosen() {
    let mut stage = Stage::new().await;
    stage.habits(|habits| habits.clock = Clock::Wall);
    let reply = stage.ec2("DescribeRegions", &[]).await;
    assert_eq!(reply.refusal(), refused(400, "RequestExpired"), "that is the world's time");
    let second = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let now = jiff::Timestamp::from_second(i64::try_from(second).unwrap()).unwrap();
    stage.signer.date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let reply = stage.ec2("DescribeRegions", &[]).await;
    let told = reply.header("date").unwrap();
    assert_eq!(
        (reply.status, &told[5..16]),
        (200, "14 Nov 2023"),
        "answers are of the world's time"
    );
}

#[tokio::test]
async fn temporary_keys_come_with_their_session_until_it_is_over() {
    let mut stage = Stage::new().await;
    let temporary = |expired| AccessKey {
        secret: "s".to_owned(),
        session_token: Some("session".to_owned()),
        expired,
    };
    stage.habits(|habits| drop(habits.access_keys.insert("ASIA1".to_owned(), temporary(false))));
    stage.signer = Signer { key: "ASIA1".to_owned(), secret: "s".to_owned(), ..stage.signer };
    assert_eq!(stage.ec2("DescribeRegions", &[]).await.refusal(), refused(401, "AuthFailure"));
    stage.signer.session = Some("session".to_owned());
    assert_eq!(stage.ec2("DescribeRegions", &[]).await.status, 200);
    stage.habits(|habits| drop(habits.access_keys.insert("ASIA1".to_owned(), temporary(true))));
    assert_eq!(stage.ec2("DescribeRegions", &[]).await.refusal(), refused(400, "RequestExpired"));
    let reply = stage.parameter(NOBLE).await;
    assert_eq!((reply.status, &reply.json()["__type"]), (400, &"ExpiredTokenException".into()));
    assert_eq!(stage.identity().await.text("Code"), "ExpiredToken");
}

#[tokio::test]
async fn what_a_key_may_do_is_told_with_an_encoded_reason() {
    let (key, _) = stagecraft_testkit::emulators::aws::Aws::access_key();
    let tokens = |access| [(key.to_owned(), access)].into();
    let reader = Options { tokens: tokens(Access::ReadOnly), ..Options::default() };
    let stage = Stage::with(reader).await;
    assert_eq!(stage.ec2("DescribeInstances", &[]).await.status, 200);
    let reply = stage.run(&[]).await;
    assert_eq!(reply.refusal(), refused(403, "UnauthorizedOperation"));
    assert!(reply.text("Message").contains("Encoded authorization failure message: "));
    let nobody = Options { tokens: tokens(Access::Nothing), ..Options::default() };
    let stage = Stage::with(nobody).await;
    let reply = stage.ec2("DescribeInstances", &[]).await;
    assert_eq!(reply.refusal(), refused(403, "UnauthorizedOperation"));
    let reply = stage.parameter(NOBLE).await;
    assert_eq!((reply.status, &reply.json()["__type"]), (400, &"AccessDeniedException".into()));
    assert_eq!(stage.identity().await.status, 200, "everybody may ask who he is");
    let strangers =
        Options { tokens: [("AKIA".to_owned(), Access::Full)].into(), ..Options::default() };
    let stage = Stage::with(strangers).await;
    let reply = stage.ec2("DescribeInstances", &[]).await;
    assert_eq!(reply.refusal(), refused(401, "AuthFailure"));
    assert_eq!(stage.identity().await.text("Code"), "InvalidClientTokenId");
    let reply = stage.parameter(NOBLE).await;
    assert_eq!(reply.json()["__type"], "UnrecognizedClientException");
}

#[tokio::test]
async fn a_single_action_may_be_denied_and_tagging_is_one() {
    let stage = Stage::new().await;
    stage.habits(|habits| habits.denied = ["CreateTags".to_owned()].into());
    assert_eq!(stage.run(&[]).await.status, 200);
    let reply = stage.run(&named("web-1")).await;
    assert_eq!(reply.refusal(), refused(403, "UnauthorizedOperation"));
    assert!(reply.text("Message").contains("ec2:CreateTags"), "{}", reply.body);
    stage.habits(|habits| habits.denied = ["DescribeVpcs".to_owned()].into());
    let reply = stage.ec2("DescribeVpcs", &[("DryRun", "true")]).await;
    assert_eq!(reply.refusal(), refused(403, "UnauthorizedOperation"));
}

#[tokio::test]
async fn an_account_may_not_be_usable_yet() {
    let stage = Stage::new().await;
    for (standing, status, code) in [
        (Standing::NotSignedUp, 401, "OptInRequired"),
        (Standing::Pending, 400, "PendingVerification"),
        (Standing::Blocked, 400, "Blocked"),
    ] {
        stage.habits(|habits| habits.standing = standing);
        let reply = stage.ec2("DescribeInstances", &[]).await;
        assert_eq!(reply.refusal(), refused(status, code));
        assert_eq!(stage.identity().await.status, 200);
    }
}

#[tokio::test]
async fn the_caller_is_told() {
    let stage = Stage::new().await;
    let reply = stage.identity().await;
    assert_eq!((reply.status, reply.text("Account").as_str()), (200, "123456789012"));
    assert_eq!(reply.text("Arn"), "arn:aws:iam::123456789012:user/emulated");
    assert!(reply.body.contains("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/"));
}
