use stagecraft_core::cloud::CloudErrorKind as Kind;

use super::*;

type Class = fn(String) -> Kind;

fn aws() -> Aws {
    Aws { region: "us-east-1".into(), at_its_own_url: true }
}

#[test]
fn wrong_credentials_are_refused_credentials() {
    let codes = ["AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken"];
    let more = ["RequestExpired", "OptInRequired", "PendingVerification", "Blocked"];
    all(401, &[&codes[..], &more[..]].concat(), Kind::InvalidCredentials, false);
}

#[test]
fn a_region_that_may_be_why_is_named() {
    let hints = |code: &str| aws().refusal(&answer(401, code)).hints;
    let of_region = "or check the region `us-east-1`: one that does not exist, or that the account has not \
                     enabled (AWS console, under Account), refuses good keys like this";
    assert_eq!(hints("AuthFailure"), [CHECK_KEYS, of_region]);
    assert_eq!(hints("InvalidClientTokenId"), [CHECK_KEYS]);
    let of_place = "if `us-east-1` is no region of AWS, change `default_region`";
    assert_eq!(aws().about_its_place().as_deref(), Some(of_place));
    let elsewhere = Aws { at_its_own_url: false, ..aws() };
    assert_eq!(elsewhere.about_its_place(), None);
}

#[test]
fn a_clock_that_is_wrong_is_told_as_that() {
    for code in ["RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"] {
        assert_eq!(aws().refusal(&answer(403, code)).hints, [CHECK_CLOCK], "{code}");
    }
    let hints = |code: &str, words: &str| {
        let json = format!("{{\"__type\":\"{code}\",\"message\":\"{words}\"}}");
        let body = json.into_bytes();
        aws().refusal(&Answer { status: 403, body, ..Answer::default() }).hints
    };
    for code in ["SignatureDoesNotMatch", "InvalidSignatureException"] {
        for words in ["Signature expired: 1 is earlier than 2", "Signature not yet current: 2"] {
            assert_eq!(hints(code, words), [CHECK_CLOCK], "{code}: {words}");
        }
        assert_eq!(hints(code, "The request signature we calculated"), [CHECK_KEYS]);
    }
}

#[test]
fn missing_permissions_are_told_with_the_policy() {
    let codes = ["UnauthorizedOperation", "AccessDeniedException"];
    all(403, &codes, Kind::Forbidden, false);
    assert_eq!(aws().refusal(&answer(403, codes[0])).hints, [POLICY]);
}

#[test]
fn limits_of_the_account_are_quotas() {
    let codes = [
        "VcpuLimitExceeded",
        "InstanceLimitExceeded",
        "MaxSpotInstanceCountExceeded",
        "MaxFleetCountExceeded",
        "VolumeLimitExceeded",
        "AddressLimitExceeded",
    ];
    all(400, &codes, Kind::QuotaExceeded, false);
}

#[test]
fn shortages_are_sold_out_whatever_their_status_and_leave_no_doubt() {
    let codes = [
        "InsufficientInstanceCapacity",
        "InsufficientHostCapacity",
        "InsufficientFreeAddressesInSubnet",
        "UnfulfillableCapacity",
        "Unsupported",
    ];
    all(500, &codes, Kind::SoldOut, false);
    all(400, &codes, Kind::SoldOut, false);
}

#[test]
fn throttling_is_a_rate_limit_although_it_comes_with_503() {
    let codes =
        ["RequestLimitExceeded", "Throttling", "ThrottlingException", "EC2ThrottledException"];
    all(503, &codes, rate_limited, false);
    assert_eq!(aws().refusal(&answer(503, codes[0])).retry_after, REFILLED);
}

#[test]
fn wrong_requests_are_invalid_input() {
    let codes = [
        "InvalidParameterValue",
        "InvalidParameterCombination",
        "MissingParameter",
        "InvalidAMIID.NotFound",
        "InvalidAMIID.Malformed",
        "InvalidAMIID.Unavailable",
        "InvalidKeyPair.NotFound",
        "InvalidGroup.NotFound",
        "InvalidSubnetID.NotFound",
        "InvalidLaunchTemplateId.NotFound",
        "IdempotentParameterMismatch",
        "VPCIdNotSpecified",
        "InvalidUserData.Malformed",
        "OperationNotPermitted",
    ];
    all(400, &codes, Kind::InvalidInput, false);
}

#[test]
fn what_is_there_already_is_a_conflict() {
    let codes = [
        "InvalidKeyPair.Duplicate",
        "InvalidGroup.Duplicate",
        "InvalidPermission.Duplicate",
        "InvalidLaunchTemplateName.AlreadyExistsException",
    ];
    all(400, &codes, Kind::Conflict, false);
}

#[test]
fn what_is_gone_is_not_found() {
    let codes = ["InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed", "ParameterNotFound"];
    all(400, &codes, Kind::NotFound, false);
}

#[test]
fn a_dry_run_that_nobody_asked_for_is_not_understood() {
    all(412, &["DryRunOperation"], Kind::UnexpectedAnswer, false);
}

#[test]
fn faults_of_the_provider_leave_a_doubt() {
    let codes = ["InternalError", "Unavailable", "ServiceUnavailable", "SomethingNew"];
    all(503, &codes, Kind::ProviderFault, true);
}

#[test]
fn an_instance_on_its_way_is_waited_for() {
    all(400, &["IncorrectInstanceState"], Kind::ProviderFault, false);
}

#[test]
fn a_service_may_answer_in_json_or_with_another_envelope() {
    let json = br#"{"__type":"com.amazonaws.ssm#ParameterNotFound","message":"none."}"#;
    let refusal = aws().refusal(&Answer { status: 400, body: json.to_vec(), ..Answer::default() });
    assert_eq!(
        (refusal.code.as_str(), kind(&refusal)),
        (NO_PARAMETER, not_found("none (ParameterNotFound)"))
    );
    let sts = b"<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
                <Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>no</Message></Error>\
                <RequestId>r-1</RequestId></ErrorResponse>";
    let answer = Answer { status: 403, body: sts.to_vec(), ..Answer::default() };
    assert!(matches!(kind(&aws().refusal(&answer)), Kind::InvalidCredentials(_)));
    assert_eq!(aws().request_id(&answer).as_deref(), Some("r-1"));
}

#[test]
fn an_answer_that_is_neither_is_explained_by_its_status() {
    let html = |status| Answer {
        status,
        body: b"<html><body>Bad Gateway<br></body></html>".to_vec(),
        ..Answer::default()
    };
    let refusal = aws().refusal(&html(502));
    let told = "status 502 without a word of explanation".to_owned();
    assert_eq!((kind(&refusal), refusal.maybe_done), (Kind::ProviderFault(told), true));
    assert!(matches!(kind(&aws().refusal(&html(404))), Kind::UnexpectedAnswer(_)));
}

#[test]
fn the_request_id_is_in_a_header_or_in_the_body() {
    let mut answer = answer(500, "InternalError");
    assert_eq!(aws().request_id(&answer).as_deref(), Some("ea966190-f9aa"));
    answer.headers.insert("x-amzn-requestid".to_owned(), " 5f1a ".to_owned());
    assert_eq!(aws().request_id(&answer).as_deref(), Some("5f1a"));
}

fn all(status: u16, codes: &[&str], class: Class, in_doubt: bool) {
    for prefix in ["", "Client.", "Server."] {
        for code in codes {
            let refusal = aws().refusal(&answer(status, &format!("{prefix}{code}")));
            assert_eq!(kind(&refusal), class(format!("it says so ({prefix}{code})")));
            assert_eq!(refusal.maybe_done, in_doubt, "{code}");
            assert_eq!(refusal.code, code.to_ascii_lowercase());
        }
    }
}

fn not_found(text: &str) -> Kind {
    Kind::NotFound(text.to_owned())
}

fn kind(refusal: &Refusal) -> Kind {
    (refusal.class)(refusal.message.clone())
}

fn answer(status: u16, code: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
         <Message>it says so.</Message></Error></Errors><RequestID>ea966190-f9aa</RequestID>\
         </Response>"
    );
    Answer { status, body: body.into_bytes(), ..Answer::default() }
}
