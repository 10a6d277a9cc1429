use stagecraft_clouds::aws::AwsProvider;
use stagecraft_core::cloud::{CloudErrorKind, CloudProvider as _};
use stagecraft_core::identity::Pins;

use crate::stage::{Stage, order, scope};

#[tokio::test]
async fn the_documented_policy_allows_everything_that_is_asked_with_true_signatures() {
    let Some(stage) = Stage::new().await else { return };
    let provider = provider_of(&stage, &policy()).await;
    provider.validate_credentials().await.unwrap();
    provider.catalogue().await.unwrap();
    let made = provider.create(&order("db-1")).await.unwrap();
    let mut marks = made.marks.clone();
    marks.tags = ["red".to_owned()].into();
    provider.update(&made.id, &marks).await.unwrap();
    provider.pin(&made, &Pins::default()).await.unwrap();
    provider.list(&scope()).await.unwrap();
    provider.start(&made.id).await.unwrap();
    provider.terminate(&made.id).await.unwrap();
    provider.tidy(&scope()).await.unwrap();
}

#[tokio::test]
async fn what_the_policy_does_not_allow_is_forbidden_and_the_error_names_the_policy() {
    let Some(stage) = Stage::new().await else { return };
    let provider =
        provider_of(&stage, &policy().replace("ec2:RunInstances", "ec2:StopInstances")).await;
    let error = provider.create(&order("db-1")).await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::Forbidden(_)), "{error}");
    assert!(error.hints[0].contains("docs/aws-iam-policy.json"), "{:?}", error.hints);
}

#[tokio::test]
async fn a_wrong_secret_is_refused_credentials_and_not_shown() {
    let Some(stage) = Stage::new().await else { return };
    let (id, _) = key_of_user(&stage, &policy()).await;
    stage.tell_moto("reset-auth", "0").await;
    let wrong = "wr0ng-wr0ng-wr0ng-wr0ng";
    let error = AwsProvider::new(stage.settings(&id, wrong)).list(&scope()).await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::InvalidCredentials(_)), "{error}");
    assert!(!format!("{error:?}").contains(wrong));
}

/// A provider of a user with this policy, from now on with authorisation.
async fn provider_of(stage: &Stage, policy: &str) -> AwsProvider {
    let (id, secret) = key_of_user(stage, policy).await;
    stage.tell_moto("reset-auth", "0").await;
    AwsProvider::new(stage.settings(&id, &secret))
}

async fn key_of_user(stage: &Stage, policy: &str) -> (String, String) {
    let fields = |pairs: &[(&str, &str)]| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs).append_pair("Version", "2010-05-08").finish()
    };
    let user = ("UserName", "stagecraft");
    let iam = async |pairs: &[(&str, &str)]| stage.ask("us-east-1", "iam", &fields(pairs)).await;
    iam(&[("Action", "CreateUser"), user]).await;
    let document = ("PolicyDocument", policy);
    iam(&[("Action", "PutUserPolicy"), user, ("PolicyName", "p"), document]).await;
    let key = iam(&[("Action", "CreateAccessKey"), user]).await;
    let part = |name: &str| {
        let (_, rest) = key.split_once(&format!("<{name}>")).unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    (part("AccessKeyId"), part("SecretAccessKey"))
}

/// The documented policy, for all resources: moto asks for each action whether it is allowed for `*`.
fn policy() -> String {
    let text = include_str!("../../../../docs/aws-iam-policy.json");
    let mut policy: serde_json::Value = serde_json::from_str(text).unwrap();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        statement["Resource"] = "*".into();
    }
    policy.to_string()
}
