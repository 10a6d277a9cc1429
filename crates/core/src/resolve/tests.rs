use super::*;
use crate::cloud::{Limit, SizeOffer};
use crate::desired::{Arch, Places, Position};
use crate::inventory::{Instance, Lifecycle, Owner};
use crate::name::{Image, InstanceId, Region, Size};

#[test]
fn a_portable_size_becomes_the_slug_of_the_provider() {
    let order = resolve_one(desired("small", "fsn1")).expect("it resolves");
    assert_eq!(order.spec.size, Size::from("cx23"));
    assert_eq!(order.marks.name, "staging-app");
    assert_eq!(order.monthly.map(|price| price.to_string()).as_deref(), Some("4.49 EUR"));
}

#[test]
fn a_portable_size_is_the_cheapest_of_its_sizes_in_the_region() {
    let mut catalogues = catalogues();
    let catalogue = catalogues.get_mut(&ProviderId::Hetzner).expect("there");
    catalogue.portable_sizes.values_mut().for_each(|sizes| {
        sizes.insert(Size::from("cpx22"));
    });
    catalogue.sizes.push(offer("cpx22", [("fsn1", 799), ("ash", 999)]));
    let size = |region| {
        let desired = desired("small", region);
        let order = resolve_in(&catalogues, desired, &Inventory::default(), false);
        order.map(|order| (order.spec.size, order.monthly.expect("a price").cents))
    };
    assert_eq!(size("fsn1"), Ok((Size::from("cx23"), 449)));
    assert_eq!(size("ash"), Ok((Size::from("cpx22"), 999)));
}

#[test]
fn a_size_that_is_not_sold_in_a_region_says_where_it_is() {
    for size in ["cx23", "small"] {
        let problems = resolve_one(desired(size, "ash")).expect_err("not sold there");
        let message = "size `cx23` cannot be ordered in `ash` at hetzner now";
        assert_eq!(problems[0].message, message);
        assert_eq!(problems[0].hint.as_deref(), Some("it can be ordered in `fsn1`"));
        assert_eq!(problems[0].at, places().size);
    }
}

#[test]
fn a_size_that_is_sold_nowhere_is_never_the_nearest() {
    let mut catalogues = catalogues();
    let catalogue = catalogues.get_mut(&ProviderId::Hetzner).expect("there");
    catalogue.sizes.push(offer("cx22", []));
    let hint = |size| {
        let desired = desired(size, "fsn1");
        let problems = resolve_in(&catalogues, desired, &Inventory::default(), false);
        problems.expect_err("not sold").remove(0).hint.expect("a hint")
    };
    assert_eq!(hint("cx22"), "it cannot be ordered anywhere now; there are `cx23` and `small`");
    assert_eq!(hint("cx24"), "there are `cx23` and `small`");
}

#[test]
fn a_host_that_is_there_as_asked_needs_nothing_that_can_be_ordered_today() {
    let mut catalogues = catalogues();
    let catalogue = catalogues.get_mut(&ProviderId::Hetzner).expect("there");
    catalogue.images.clear();
    catalogue.sizes = vec![offer("cx33", [("fsn1", 999)])];
    let spec = spec("cx23");
    let there = Inventory::new([instance(spec.clone())]);
    for size in ["small", "cx23"] {
        let order = resolve_in(&catalogues, desired(size, "fsn1"), &there, false);
        assert_eq!(order.map(|order| order.spec), Ok(spec.clone()), "{size}");
        let anew = resolve_in(&catalogues, desired(size, "fsn1"), &there, true);
        assert_eq!(anew.expect_err("retired").len(), 2, "{size}");
    }
}

#[test]
fn a_host_that_is_there_keeps_its_size_when_another_gets_cheaper() {
    let mut catalogues = catalogues();
    let catalogue = catalogues.get_mut(&ProviderId::Hetzner).expect("there");
    catalogue.sizes.push(offer("cpx11", [("fsn1", 399)]));
    for sizes in catalogue.portable_sizes.values_mut() {
        sizes.insert(Size::from("cpx11"));
    }
    let size = |there: Option<Arch>| {
        let there = there.map(|arch| instance(Spec { arch, ..spec("cx23") }));
        let order =
            resolve_in(&catalogues, desired("small", "fsn1"), &Inventory::new(there), false);
        order.expect("it resolves").spec.size
    };
    assert_eq!(size(None), Size::from("cpx11"));
    assert_eq!(size(Some(Arch::Amd64)), Size::from("cx23"));
    assert_eq!(size(Some(Arch::Arm64)), Size::from("cpx11"), "that one is another machine");
}

#[test]
fn sizes_of_another_architecture_are_not_offered() {
    let mut catalogues = catalogues();
    let catalogue = catalogues.get_mut(&ProviderId::Hetzner).expect("there");
    catalogue.sizes.push(SizeOffer { arch: Arch::Arm64, ..offer("cax11", [("fsn1", 399)]) });
    let large = (Size::from("large"), Arch::Arm64);
    catalogue.portable_sizes.insert(large, [Size::from("cx23")].into());
    let desired = desired("cx24", "fsn1");
    let problems = resolve_in(&catalogues, desired, &Inventory::default(), false);
    let hint = problems.expect_err("unknown")[0].hint.clone();
    assert_eq!(hint.as_deref(), Some("there are `cx23` and `small`"));
}

#[test]
fn of_many_valid_values_the_five_nearest_are_named_and_the_others_counted() {
    let mut catalogues = catalogues();
    let catalogue = catalogues.get_mut(&ProviderId::Hetzner).expect("there");
    let hint = |catalogues: &BTreeMap<ProviderId, Catalogue>| {
        let desired = desired("small", "fsn2");
        let problems = resolve_in(catalogues, desired, &Inventory::default(), false);
        problems.expect_err("unknown")[0].hint.clone().expect("a hint")
    };
    catalogue.regions = ["fsn1", "hel1", "nbg1", "sin1", "ash"].map(Region::from).into();
    assert_eq!(hint(&catalogues), "there are `fsn1`, `ash`, `sin1`, `hel1` and `nbg1`");
    let catalogue = catalogues.get_mut(&ProviderId::Hetzner).expect("there");
    catalogue.regions.insert(Region::from("hillsboro"));
    let more = "there are `fsn1`, `ash`, `sin1`, `hel1`, `nbg1` and 1 more";
    assert_eq!(hint(&catalogues), more);
}

#[test]
fn an_architecture_without_machines_is_emulated_where_that_is_possible() {
    let mut catalogues = catalogues();
    let mut host = desired("small", "fsn1");
    host.arch = Some(Arch::Arm64);
    let none = resolve_in(&catalogues, host.clone(), &Inventory::default(), false);
    let none = none.expect_err("none").remove(0);
    assert_eq!(none.message, "hetzner has no arm64 machines here");
    assert_eq!(none.at, host.places.arch);
    host.provider = ProviderId::DigitalOcean;
    let catalogue = catalogues[&ProviderId::Hetzner].clone();
    catalogues.insert(ProviderId::DigitalOcean, catalogue);
    let order = resolve_in(&catalogues, host, &Inventory::default(), false).expect("emulated");
    assert_eq!(order.spec.arch, Arch::Amd64);
    let notice = "digitalocean has no arm64 machines; an amd64 machine emulates it";
    assert_eq!(order.notices, [notice]);
}

#[test]
fn every_problem_of_a_host_is_told_with_the_nearest_valid_values() {
    let mut host = desired("cx32", "fns1");
    host.image = Image::from("debian-13");
    let problems = resolve_one(host).expect_err("all wrong");
    let places = places();
    let told: Vec<_> =
        problems.iter().map(|p| (p.at, p.message.as_str(), p.hint.as_deref())).collect();
    assert_eq!(
        told,
        [
            (
                places.size,
                "hetzner has no size `cx32` for amd64",
                Some("there are `cx23` and `small`")
            ),
            (places.region, "hetzner has no region `fns1`", Some("there are `fsn1` and `ash`")),
            (
                places.image,
                "hetzner has no image `debian-13` for amd64",
                Some("there is `debian-12`")
            ),
        ]
    );
}

#[test]
fn a_key_that_is_in_another_region_is_told_where_it_matters() {
    let (scope, mut catalogues) = (scope(), catalogues());
    let catalogue = catalogues.get_mut(&ProviderId::Hetzner).expect("it is there");
    let keys = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    catalogue.regional_keys =
        [("fsn1".into(), keys(&["old"])), ("ash".into(), keys(&["deploy"]))].into();
    catalogue.sizes = vec![offer("cx23", [("fsn1", 449), ("ash", 449)])];
    let keys = BTreeMap::from([(ProviderId::Hetzner, "deploy".to_owned())]);
    let (nothing, none) = (Inventory::default(), BTreeSet::new());
    let problems = |region: &str| {
        let host = desired("small", region);
        let hosts = [(host.name.clone(), host)].into();
        let problems = resolve(&scope, &hosts, &catalogues, &keys, &nothing, &none).err();
        let told = |of: OrderProblem| (of.at, of.message, of.hint);
        problems.unwrap_or_default().into_iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(problems("ash"), []);
    let told = "the SSH key `deploy` is not in the region `fsn1` of hetzner".to_owned();
    let hint = "it is in `ash`; a key belongs to a region: add it to `fsn1` too".to_owned();
    assert_eq!(problems("fsn1"), [(places().ssh_key_name, told, Some(hint))]);
}

#[test]
fn an_unknown_ssh_key_is_told_of_each_host_with_the_keys_there_are() {
    let (scope, catalogues) = (scope(), catalogues());
    let host = desired("small", "fsn1");
    let other = DesiredHost { name: "b".parse().expect("a name"), ..host.clone() };
    let hosts = [host, other].map(|host| (host.name.clone(), host)).into();
    let keys = BTreeMap::from([(ProviderId::Hetzner, "deplyo".to_owned())]);
    let (nothing, none) = (Inventory::default(), BTreeSet::new());
    let problems =
        resolve(&scope, &hosts, &catalogues, &keys, &nothing, &none).expect_err("unknown key");
    let hint = "there is `deploy`: change `ssh_key_name`, or add the key to the account";
    for (problem, host) in problems.iter().zip(["app", "b"]) {
        assert_eq!(problem.host.as_str(), host);
        assert_eq!(problem.at, places().ssh_key_name);
        assert_eq!(problem.message, "the hetzner account has no SSH key named `deplyo`");
        assert_eq!(problem.hint.as_deref(), Some(hint));
    }
    assert_eq!(problems.len(), 2);
}

#[test]
fn a_host_whose_provider_has_no_catalogue_is_a_problem_and_not_left_out() {
    let mut host = desired("small", "fsn1");
    host.provider = ProviderId::Aws;
    let problems = resolve_one(host).expect_err("nothing is known of it");
    assert_eq!(problems[0].message, "what aws offers is not known");
}

#[test]
fn spot_where_there_is_none_is_a_notice() {
    let mut host = desired("small", "fsn1");
    host.spot = true;
    let order = resolve_one(host).expect("it resolves");
    assert!(!order.spec.spot);
    assert_eq!(order.notices, ["hetzner has no spot machines; `spot` is ignored"]);
}

fn resolve_one(host: DesiredHost) -> Result<ResolvedHost, Vec<OrderProblem>> {
    resolve_in(&catalogues(), host, &Inventory::default(), false)
}

fn resolve_in(
    catalogues: &BTreeMap<ProviderId, Catalogue>,
    host: DesiredHost,
    there: &Inventory,
    anew: bool,
) -> Result<ResolvedHost, Vec<OrderProblem>> {
    let name = host.name.clone();
    let hosts = BTreeMap::from([(name.clone(), host)]);
    let anew = hosts.keys().filter(|_| anew).cloned().collect();
    resolve(&scope(), &hosts, catalogues, &BTreeMap::new(), there, &anew)
        .map(|mut all| all.remove(&name).expect("resolved"))
}

fn spec(size: &str) -> Spec {
    Spec {
        region: Region::from("fsn1"),
        size: Size::from(size),
        image: Image::from("debian-12"),
        arch: Arch::Amd64,
        spot: false,
    }
}

fn instance(spec: Spec) -> Instance {
    let host = desired("small", "fsn1").name;
    Instance {
        id: InstanceId::from("1"),
        provider: ProviderId::Hetzner,
        marks: Marks {
            name: scope().cloud_name(&host),
            role: "app".parse().expect("a name"),
            protected: false,
            tags: BTreeSet::new(),
        },
        owner: Owner { scope: scope(), host },
        lifecycle: Lifecycle::Running,
        spec,
        address: None,
        ssh: None,
        created_at: 0,
        pins: crate::identity::Pins::default(),
        trouble: None,
    }
}

fn offer<const N: usize>(size: &str, regions: [(&str, u64); N]) -> SizeOffer {
    let price = |cents| Some(Price { cents, currency: "EUR".to_owned() });
    SizeOffer {
        size: Size::from(size),
        arch: Arch::Amd64,
        regions: regions.map(|(region, cents)| (Region::from(region), price(cents))).into(),
    }
}

#[test]
fn what_the_settings_leave_of_a_region_is_told() {
    let problem = |limit: Limit, size: &str| {
        let mut catalogues = catalogues();
        let catalogue = catalogues.get_mut(&ProviderId::Hetzner).expect("it is there");
        catalogue.sizes.push(SizeOffer {
            size: Size::from("cx33"),
            arch: Arch::Amd64,
            regions: BTreeMap::new(),
        });
        catalogue.sizes.push(offer("cpx11", [("ash", 449)]));
        catalogue.limits.insert(Region::from("fsn1"), limit);
        let desired = desired(size, "fsn1");
        let hosts = [(desired.name.clone(), desired)].into();
        let (keys, nothing) = (SshKeyNames::new(), Inventory::default());
        let outcome = resolve(&scope(), &hosts, &catalogues, &keys, &nothing, &BTreeSet::new());
        outcome.map(drop).map_err(|problems| {
            problems.into_iter().map(|of| (of.message, of.hint)).collect::<Vec<_>>()
        })
    };
    let closed =
        Limit::Closed { why: "there is no subnet".to_owned(), hint: "make one".to_owned() };
    let told = ("there is no subnet".to_owned(), Some("make one".to_owned()));
    assert_eq!(problem(closed, "small"), Err(vec![told]));
    let narrowed = || Limit::Narrowed {
        sizes: [Size::from("cx33")].into(),
        hint: "only zone `a` counts".to_owned(),
    };
    assert_eq!(problem(narrowed(), "small"), Ok(()));
    let told = (
        "size `cx33` cannot be ordered in `fsn1` at hetzner now".to_owned(),
        Some("only zone `a` counts; there are `cx23` and `small`".to_owned()),
    );
    assert_eq!(problem(narrowed(), "cx33"), Err(vec![told]));
    let told = (
        "size `cpx11` cannot be ordered in `fsn1` at hetzner now".to_owned(),
        Some("it can be ordered in `ash`".to_owned()),
    );
    assert_eq!(problem(narrowed(), "cpx11"), Err(vec![told]), "the limit is not why");
}

fn scope() -> Scope {
    Scope {
        project: "shop".parse().expect("a name"),
        environment: "staging".parse().expect("a name"),
    }
}

fn desired(size: &str, region: &str) -> DesiredHost {
    DesiredHost {
        name: "app".parse().expect("a name"),
        provider: ProviderId::Hetzner,
        role: "app".parse().expect("a name"),
        region: Region::from(region),
        size: Size::from(size),
        image: Image::from("debian-12"),
        arch: None,
        spot: false,
        protected: false,
        tags: BTreeSet::new(),
        places: places(),
    }
}

/// Each on a line of its own.
fn places() -> Places {
    let at = |line| Position { line, column: 3 };
    Places {
        host: at(7),
        region: at(8),
        size: at(9),
        image: at(10),
        arch: at(11),
        ssh_key_name: at(2),
    }
}

fn catalogues() -> BTreeMap<ProviderId, Catalogue> {
    let catalogue = Catalogue {
        regions: ["ash", "fsn1"].map(Region::from).into(),
        sizes: vec![offer("cx23", [("fsn1", 449)])],
        portable_sizes: [((Size::from("small"), Arch::Amd64), [Size::from("cx23")].into())].into(),
        images: [(Image::from("debian-12"), Arch::Amd64)].into(),
        ssh_keys: Some(["deploy".to_owned()].into()),
        regional_keys: [].into(),
        limits: [].into(),
        default_arch: Arch::Amd64,
        spot: false,
    };
    BTreeMap::from([(ProviderId::Hetzner, catalogue)])
}
