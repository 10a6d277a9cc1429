use super::*;

fn name(text: &str) -> CredentialName {
    text.parse().unwrap()
}

fn token(issuer: Issuer, text: &str) -> Credential {
    Credential::new(issuer, [(Field::Token, Secret::new(text))]).unwrap()
}

fn ring() -> KeyRing {
    KeyRing::new(Key::new(&[7; 32]))
}

fn sealed(of: &str, credential: &Credential) -> Vec<u8> {
    seal(ring().newest(), Nonce::generate().unwrap(), &name(of), credential)
}

fn opened(record: &[u8]) -> Result<Credential, OpenError> {
    open(&ring(), &name("prod"), Issuer::Hetzner, record)
}

#[test]
fn what_is_sealed_opens_and_is_nowhere_to_be_seen() {
    let hetzner = token(Issuer::Hetzner, "planted-token-0123456789");
    let record = sealed("prod", &hetzner);
    assert_eq!(opened(&record), Ok(hetzner.clone()));
    let plain = b"planted-token";
    assert!(encode(&hetzner).windows(plain.len()).any(|at| at == plain), "the search finds it");
    assert!(!record.windows(5).any(|at| plain.windows(5).any(|part| part == at)));
    assert_ne!(sealed("prod", &hetzner), record, "the nonce is fresh");
    let plain = encode(&hetzner);
    assert_eq!(plain.capacity(), plain.len(), "it never grew");

    let aws = Credential::new(
        Issuer::Aws,
        Issuer::Aws.fields().iter().map(|field| (*field, Secret::new(field.words()))),
    );
    let aws = aws.unwrap();
    assert_eq!(open(&ring(), &name("a"), Issuer::Aws, &sealed("a", &aws)), Ok(aws));
}

#[test]
fn every_bit_of_a_record_counts() {
    let record = sealed("prod", &token(Issuer::Hetzner, "planted"));
    for at in 0..record.len() * 8 {
        let mut flipped = record.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        let error = opened(&flipped).expect_err("a flipped bit");
        if at / 8 >= record.len() - TAG_LENGTH - 7 {
            assert_eq!(error, OpenError::Tampered, "bit {at}");
        }
    }
    let nonce = MAGIC.len() + 1 + ID_LENGTH;
    let mut flipped = record;
    flipped[nonce] ^= 1;
    assert_eq!(opened(&flipped), Err(OpenError::Tampered));
}

#[test]
fn a_record_that_is_cut_anywhere_says_so() {
    let record = sealed("prod", &token(Issuer::Hetzner, "planted"));
    for length in 0..record.len() {
        let error = opened(&record[..length]).unwrap_err();
        assert!(matches!(error, OpenError::Cut { have, need } if have == length && need > have));
    }
    let mut longer = record.clone();
    longer.push(0);
    let error = opened(&longer).unwrap_err();
    assert_eq!(error, OpenError::Cut { have: record.len() + 1, need: record.len() });
}

#[test]
fn each_kind_of_wrong_record_has_an_error_of_its_own() {
    let record = sealed("prod", &token(Issuer::Hetzner, "planted"));
    let other = KeyRing::new(Key::new(&[8; 32]));
    assert_eq!(
        open(&other, &name("prod"), Issuer::Hetzner, &record),
        Err(OpenError::WrongKey(ring().newest().id()))
    );
    let both = other.with_newest(ring().newest().clone());
    assert!(open(&both, &name("prod"), Issuer::Hetzner, &record).is_ok());
    assert_eq!(
        open(&ring(), &name("test"), Issuer::Hetzner, &record),
        Err(OpenError::Misplaced { name: "prod".into(), issuer: "hetzner".into() })
    );
    assert_eq!(
        open(&ring(), &name("prod"), Issuer::DigitalOcean, &record),
        Err(OpenError::Misplaced { name: "prod".into(), issuer: "hetzner".into() })
    );
    for (version, error) in [(0, OpenError::Downgraded(0)), (2, OpenError::Newer(2))] {
        let mut of_version = record.clone();
        of_version[MAGIC.len()] = version;
        assert_eq!(opened(&of_version), Err(error));
    }
    assert_eq!(opened(b"{\"token\": \"in the clear\"}"), Err(OpenError::NoRecord));
}

#[test]
fn a_record_cannot_be_made_to_be_of_another_name() {
    let record = sealed("prod", &token(Issuer::Hetzner, "planted"));
    let at = record.windows(4).position(|at| at == b"prod").unwrap();
    let mut renamed = record;
    renamed[at..at + 4].copy_from_slice(b"test");
    assert_eq!(open(&ring(), &name("test"), Issuer::Hetzner, &renamed), Err(OpenError::Tampered));
}

#[test]
fn an_error_does_not_show_what_was_sealed() {
    let record = sealed("prod", &token(Issuer::Hetzner, "planted"));
    let shown = format!("{:?} {:?}", opened(&record), opened(&record[1..]));
    assert!(!shown.contains("planted"), "{shown}");
}
