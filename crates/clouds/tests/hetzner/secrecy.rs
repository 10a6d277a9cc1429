use stagecraft_clouds::hetzner::HetznerSettings;
use stagecraft_clouds::http::Token;
use stagecraft_core::cloud::{CloudError, CloudProvider as _};
use stagecraft_core::error::Failure;
use stagecraft_testkit::emulators::faults::Effect;

use crate::stage::{READS, Stage, TOKEN, order, scope, told};

#[tokio::test]
async fn no_error_shows_the_token() {
    for effect in [
        Effect::RateLimited { after_seconds: None },
        Effect::Status { code: 401, with_effect: false },
        Effect::Status { code: 500, with_effect: true },
        Effect::Html { code: 502, with_effect: true },
        Effect::Redirect { to: format!("https://elsewhere.example/{TOKEN}") },
        Effect::LostAnswer,
        Effect::NotJson,
    ] {
        let stage = Stage::new().await;
        let provider = stage.provider();
        stage.always("GET", "/servers", effect.clone());
        stage.always("POST", "/servers", effect);
        assert_hidden(&provider.list(&scope()).await.unwrap_err());
        assert_hidden(&provider.create(&order("db-1")).await.unwrap_err());
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_not_shown() {
    let stage = Stage::new().await;
    let unknown = stage.provider_with(&TOKEN[4..], Some("deploy"));
    assert_hidden(&unknown.validate_credentials().await.unwrap_err());
    let reads = stage.provider_with(READS, Some("deploy"));
    assert_hidden(&reads.create(&order("db-1")).await.unwrap_err());
}

#[tokio::test]
async fn the_token_is_in_no_request_but_its_header() {
    let stage = Stage::new().await;
    let provider = stage.provider();
    provider.catalogue().await.unwrap();
    let made = provider.create(&order("db-1")).await.unwrap();
    provider.terminate(&made.id).await.unwrap();
    for exchange in stage.exchanges() {
        assert_eq!(recognisable(&format!("{exchange:?}")), None);
    }
}

#[tokio::test]
async fn neither_settings_nor_provider_show_the_token() {
    let token = Token::new(TOKEN).unwrap();
    let settings = HetznerSettings { api_url: None, token, ssh_key_name: None };
    let provider = Stage::new().await.provider();
    for shown in [format!("{settings:?}"), format!("{settings:#?}"), format!("{provider:?}")] {
        assert_eq!(recognisable(&shown), None, "{shown}");
    }
}

#[test]
fn a_token_that_is_shown_is_found() {
    assert_eq!(recognisable("nothing to see"), None);
    assert!(recognisable(&format!("…{}…", &TOKEN[10..20])).is_some());
}

fn assert_hidden(error: &CloudError) {
    let failure = Failure::from(error);
    for text in [
        told(error),
        format!("{error:?}"),
        format!("{error:#?}"),
        format!("{failure:?}"),
        error.hints.join("\n"),
    ] {
        assert_eq!(recognisable(&text), None, "{text}");
    }
}

/// A part of the tokens that is long enough to be recognised.
fn recognisable(text: &str) -> Option<&str> {
    let parts = [TOKEN, READS].map(|token| (0..=token.len() - 8).map(|at| &token[at..at + 8]));
    parts.into_iter().flatten().find(|part| text.contains(part))
}
