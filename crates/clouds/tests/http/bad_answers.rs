use stagecraft_clouds::digitalocean::{DigitalOceanProvider, DigitalOceanSettings};
use stagecraft_clouds::http::{BaseUrl, Token};
use stagecraft_core::cloud::{CloudError, CloudErrorKind, CloudProvider as _, CreateInstance};
use stagecraft_core::desired::ProviderId;
use stagecraft_core::error::{Diagnose as _, Retry, chain};
use stagecraft_testkit::samples;

use crate::server::{Say, Server, answer, answer_with, head};

pub(crate) const TOKEN: &str = "dop_v1_0a1b2c3d4e5f60718293a4b5c6d7e8f9";

#[tokio::test]
async fn a_redirect_is_not_followed_and_said_to_be_one() {
    let elsewhere = Server::start([answer(200, "{}")]);
    let moved = answer_with(302, &[("Location", &elsewhere.url)], "");
    let [read, change] = both(moved).await;
    for error in [&read, &change] {
        let text = told(error);
        assert!(matches!(error.kind, CloudErrorKind::UnexpectedAnswer(_)), "{text}");
        assert!(text.contains("status 302") && text.contains(&elsewhere.url), "{text}");
        assert!(error.hints[0].contains("api_url"), "{:?}", error.hints);
    }
    assert_eq!((read.maybe_done, change.maybe_done), (false, false));
    assert_eq!(elsewhere.heard(), []);
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_the_end() {
    let endless = Say::Endless(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec());
    let [read, change] = both(endless).await;
    for error in [&read, &change] {
        let text = told(error);
        assert!(matches!(error.kind, CloudErrorKind::UnexpectedAnswer(_)), "{text}");
        assert!(text.contains("larger than 16 MiB"), "{text}");
    }
    assert_eq!((read.maybe_done, change.maybe_done), (false, true));
}

#[tokio::test]
async fn an_answer_that_is_cut_off_leaves_a_doubt_about_a_change_only() {
    let body = r#"{"account": {"email": "a@exam"#;
    let announced = Say::Bytes(format!("{}{body}", head(200, &[], 500)).into_bytes());
    let unannounced = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}").into_bytes();
    for say in [announced, Say::Bytes(unannounced), answer(200, body)] {
        let [read, change] = both(say).await;
        let text = told(&read);
        let understood =
            matches!(&read.kind, CloudErrorKind::UnexpectedAnswer(why) if why.contains("cut off"));
        assert!(understood || matches!(read.kind, CloudErrorKind::Unreachable(_)), "{text}");
        assert_eq!((read.maybe_done, change.retry()), (false, Retry::Observe), "{text}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_not_shown() {
    let page = "<html><body>Sign in to the hotel's network</body></html>";
    let [read, change] = both(answer(200, page)).await;
    let text = told(&read);
    assert!(matches!(read.kind, CloudErrorKind::UnexpectedAnswer(_)), "{text}");
    assert!(text.contains("it is not JSON") && !text.contains("hotel"), "{text}");
    assert_eq!((read.retry(), change.retry()), (Retry::Never, Retry::Observe));
}

#[tokio::test]
async fn an_answer_of_another_shape_names_what_is_missing() {
    let [read, change] = both(answer(200, r#"{"hosts": []}"#)).await;
    assert!(told(&read).contains("missing field `account`"), "{}", told(&read));
    assert!(told(&change).contains("missing field `droplet`"), "{}", told(&change));
    assert_eq!(change.retry(), Retry::Observe);
}

#[tokio::test]
async fn a_connection_that_is_cut_before_the_answer_leaves_a_doubt_about_a_change_only() {
    let [read, change] = both(Say::Bytes(Vec::new())).await;
    assert!(matches!(read.kind, CloudErrorKind::Unreachable(_)), "{}", told(&read));
    assert!(matches!(read.retry(), Retry::After(_)), "{}", told(&read));
    assert_eq!(change.retry(), Retry::Observe, "{}", told(&change));
}

#[tokio::test]
async fn a_connection_that_is_never_made_leaves_no_doubt() {
    // The script ends with the keys, and with it the server.
    let server = Server::start([keys()]);
    let error = cloud(&server).create(&order()).await.unwrap_err();
    assert!(matches!(error.kind, CloudErrorKind::Unreachable(_)), "{}", told(&error));
    assert!(matches!(error.retry(), Retry::After(_)), "{}", told(&error));
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_waited_for_a_minute() {
    let begun = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"droplet\": ".to_vec();
    for stalled in [Vec::new(), begun] {
        let server = Server::start([keys(), Say::Stall(stalled)]);
        let (cloud, order) = (cloud(&server), order());
        let in_vain = async {
            server.stalls().await;
            // From here on nothing but the client's own patience can happen.
            tokio::time::pause();
        };
        let (made, ()) = tokio::join!(cloud.create(&order), in_vain);
        tokio::time::resume();
        let error = made.unwrap_err();
        assert!(told(&error).contains("no answer within 60 s"), "{}", told(&error));
        assert_eq!(error.retry(), Retry::Observe);
    }
}

#[tokio::test]
async fn what_only_reads_is_given_up_sooner() {
    let server = Server::start([Say::Stall(Vec::new())]);
    let cloud = cloud(&server);
    let in_vain = async {
        server.stalls().await;
        tokio::time::pause();
    };
    let (read, ()) = tokio::join!(cloud.validate_credentials(), in_vain);
    tokio::time::resume();
    let error = read.unwrap_err();
    assert!(told(&error).contains("no answer within 20 s"), "{}", told(&error));
}

/// The failures of a read and of a change that are answered so.
pub(crate) async fn both(say: Say) -> [CloudError; 2] {
    let server = Server::start([say.clone()]);
    let read = cloud(&server).validate_credentials().await.unwrap_err();
    let server = Server::start([keys(), say]);
    let change = cloud(&server).create(&order()).await.unwrap_err();
    assert_eq!(server.lines()[1], "POST /v2/droplets");
    assert!(told(&change).starts_with("digitalocean could not create host `db-1`: "));
    [read, change]
}

pub(crate) fn told(error: &CloudError) -> String {
    chain(error)
}

pub(crate) fn keys() -> Say {
    answer(200, r#"{"ssh_keys": [{"id": 1, "name": "deploy"}]}"#)
}

pub(crate) fn cloud(server: &Server) -> DigitalOceanProvider {
    cloud_at(&server.url)
}

pub(crate) fn cloud_at(url: &str) -> DigitalOceanProvider {
    DigitalOceanProvider::new(DigitalOceanSettings {
        api_url: Some(BaseUrl::parse(url).unwrap()),
        token: Token::new(TOKEN).unwrap(),
        ssh_key_name: Some("deploy".to_owned()),
    })
}

pub(crate) fn order() -> CreateInstance {
    samples::order(ProviderId::DigitalOcean, "db-1")
}
