//! What a host sees of its tailnet.

use super::*;

#[test]
fn membership_is_what_the_host_sees() {
    let peers = json!({
        "nodekey:1": { "HostName": "db-1", "DNSName": "db-1.example.ts.net.", "Online": true },
        "nodekey:2": { "HostName": "web-1", "DNSName": "web-1-1.example.ts.net.", "Online": false },
        "nodekey:3": { "HostName": "guest", "DNSName": "guest.other.ts.net.", "Online": true },
        "nodekey:4": { "HostName": "x", "DNSName": "x.notexample.ts.net.", "Online": true },
        "nodekey:5": { "HostName": "db-2", "DNSName": "db-2.Example.TS.net.", "Online": true },
    });
    let sees =
        |document: &Value| network(None).membership(&host(), &[shows(document, "up=0\nsaid=\n")]);
    assert_eq!(
        sees(&with(member("Running"), [("/Peer", peers)])),
        Membership {
            name: Some("web-1.example.ts.net".to_owned()),
            address: Some("100.64.0.1".parse().unwrap()),
            peers: [
                ("db-1".parse().unwrap(), Peer::Heard),
                ("db-2".parse().unwrap(), Peer::Heard),
                ("web-1-1".parse().unwrap(), Peer::Silent)
            ]
            .into(),
        }
    );
    let elsewhere = [("/CurrentTailnet/MagicDNSSuffix", json!("other.ts.net"))];
    for document in [newcomer("NeedsLogin"), member("Stopped"), with(member("Running"), elsewhere)]
    {
        assert_eq!(sees(&document), Membership::default());
    }
    assert_eq!(network(None).membership(&host(), &[]), Membership::default());
}
