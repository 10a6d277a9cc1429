use std::collections::BTreeSet;

use stagecraft_core::cloud::Termination;
use stagecraft_core::identity::Pins;
use stagecraft_core::inventory::{Instance, Marks};
use stagecraft_core::name::{Image, Size};

use super::bench::{Bench, Stop, must};

/// Images every provider has for its default architecture.
const IMAGES: [&str; 3] = ["ubuntu-22.04", "ubuntu-24.04", "debian-12"];

/// Sizes every provider has a meaning for.
const PORTABLE: [&str; 3] = ["small", "medium", "large"];

pub(super) async fn credentials(bench: &Bench<'_>) -> Result<(), Stop> {
    let account = bench.provider.validate_credentials().await?;
    must(!account.name.is_empty(), || "the account has no name".to_owned())
}

pub(super) async fn catalogue(bench: &Bench<'_>) -> Result<(), Stop> {
    let catalogue = bench.provider.catalogue().await?;
    must(!catalogue.regions.is_empty(), || "there are no regions".to_owned())?;
    let mut known = BTreeSet::new();
    for offer in &catalogue.sizes {
        must(known.insert(&offer.size), || format!("size `{}` is offered twice", offer.size))?;
        must(offer.regions.keys().all(|region| catalogue.regions.contains(region)), || {
            format!("size `{}` is offered in a region that is not listed", offer.size)
        })?;
    }
    for ((portable, arch), sizes) in &catalogue.portable_sizes {
        must(PORTABLE.contains(&portable.as_str()), || format!("`{portable}` is not portable"))?;
        let offers = || catalogue.sizes.iter().filter(|offer| sizes.contains(&offer.size));
        must(offers().count() == sizes.len(), || {
            format!("`{portable}` for {arch} is one of {sizes:?}, which are not all known")
        })?;
        must(offers().all(|offer| offer.arch == *arch), || {
            format!("`{portable}` for {arch} has another architecture: {sizes:?}")
        })?;
        must(offers().any(|offer| !offer.regions.is_empty()), || {
            format!("`{portable}` for {arch} is one of {sizes:?}, none of which can be ordered")
        })?;
    }
    let arch = catalogue.default_arch;
    for portable in PORTABLE {
        let key = (Size::from(portable), arch);
        must(catalogue.portable_sizes.contains_key(&key), || format!("`{portable}` is missing"))?;
    }
    for image in IMAGES {
        let key = (Image::from(image), arch);
        must(catalogue.images.contains(&key), || format!("no `{image}` for {arch}"))?;
    }
    Ok(())
}

pub(super) async fn created(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let order = bench.order(&scope, "web-1").await?;
    let made = bench.send(&order).await?;
    must(!made.id.as_str().is_empty(), || "the answer has no id".to_owned())?;
    must(made.is_live(), || format!("the new instance is {:?}", made.lifecycle))?;
    let seen = bench.listed(&scope, &made.id, "is listed", |seen| Some(seen.clone())).await?;
    let got = bench.provider.get(&made.id).await?;
    let got = got.ok_or_else(|| Stop::Broken("`get` does not know it".to_owned()))?;
    for (whence, instance) in [("create", made), ("list", seen), ("get", got)] {
        let provider = bench.provider.id();
        must(instance.provider == provider, || format!("`{whence}` names another provider"))?;
        must(instance.owner == order.owner, || {
            format!("`{whence}` says its owner is {:?}", instance.owner)
        })?;
        must(instance.spec == order.spec, || {
            format!("`{whence}` says it is {:?}, not {:?}", instance.spec, order.spec)
        })?;
        must(instance.created_at > 0, || format!("`{whence}` gives it no age"))?;
    }
    Ok(())
}

pub(super) async fn marks(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let mut order = bench.order(&scope, "web-1").await?;
    order.marks.protected = true;
    let made = bench.send(&order).await?;
    let seen = bench.listed(&scope, &made.id, "is listed", |seen| Some(seen.clone())).await?;
    for (whence, instance) in [("create", made), ("list", seen)] {
        must(instance.marks == order.marks, || {
            format!("`{whence}` says it carries {:?}, not {:?}", instance.marks, order.marks)
        })?;
    }
    Ok(())
}

pub(super) async fn update(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let order = bench.order(&scope, "web-1").await?;
    let made = bench.send(&order).await?;
    bench.listed(&scope, &made.id, "is listed", |_| Some(())).await?;
    let marks = Marks {
        name: format!("{}-new", order.marks.name),
        role: "db".parse().map_err(|_| Stop::Broken("`db` is no role".to_owned()))?,
        protected: true,
        tags: ["green".to_owned(), "red".to_owned()].into(),
    };
    bench.provider.update(&made.id, &marks).await?;
    let what = format!("carries {marks:?}");
    let seen = bench
        .listed(&scope, &made.id, &what, |seen| (seen.marks == marks).then(|| seen.clone()))
        .await?;
    must((&seen.owner, &seen.spec) == (&order.owner, &order.spec), || {
        "an update changed the owner or the spec".to_owned()
    })?;
    bench.provider.update(&made.id, &marks).await?;
    bench.listed(&scope, &made.id, &what, |seen| (seen.marks == marks).then_some(())).await
}

pub(super) async fn pins(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let order = bench.order(&scope, "web-1").await?;
    let (first, own) = (order.pins.first, bench.key());
    let made = bench.send(&order).await?;
    must(made.pins == order.pins, || format!("`create` pins {:?}", made.pins))?;
    let mut seen = bench.listed(&scope, &made.id, "is listed", |seen| Some(seen.clone())).await?;
    must(seen.pins == order.pins, || format!("`list` pins {:?}", seen.pins))?;

    let marks = Marks { tags: ["red".to_owned()].into(), ..order.marks.clone() };
    bench.provider.update(&made.id, &marks).await?;
    seen = bench
        .listed(&scope, &made.id, "carries the new tags", |seen| {
            (seen.marks == marks).then(|| seen.clone())
        })
        .await?;
    must(seen.pins == order.pins, || format!("after an update it pins {:?}", seen.pins))?;
    let both = Pins { first, own: Some(own) };
    for pins in [order.pins, both, both, Pins::of_own(own), Pins::of_own(bench.key())] {
        bench.provider.pin(&seen, &pins).await?;
        let what = format!("carries {marks:?} and pins {pins:?}");
        let as_asked = |seen: &Instance| (&seen.marks, seen.pins) == (&marks, pins);
        seen = bench
            .listed(&scope, &made.id, &what, |seen| as_asked(seen).then(|| seen.clone()))
            .await?;
        must((&seen.owner, &seen.spec) == (&order.owner, &order.spec), || {
            "pinning a key changed the owner or the spec".to_owned()
        })?;
    }
    // Its address may come meanwhile.
    let carried = |instance: &Instance| (instance.marks.clone(), instance.pins);
    let got = bench.provider.get(&made.id).await?.as_ref().map(carried);
    must(got == Some(carried(&seen)), || {
        format!("`get` says that it carries {got:?}, and `list` {:?}", carried(&seen))
    })
}

pub(super) async fn age(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let older = bench.make(&scope, "web-1").await?;
    bench.let_a_second_pass().await;
    let younger = bench.make(&scope, "web-2").await?;
    let age_of =
        async |id| bench.listed(&scope, id, "is listed", |seen| Some(seen.created_at)).await;
    let (older, younger) = (age_of(&older.id).await?, age_of(&younger.id).await?);
    must(older <= younger, || format!("the older one was created at {older}, not {younger}"))
}

pub(super) async fn unknown(bench: &Bench<'_>) -> Result<(), Stop> {
    let id = bench.subject.unknown_id();
    let got = bench.provider.get(&id).await?;
    must(got.is_none(), || format!("`get` made up {got:?}"))?;
    let ended = bench.provider.terminate(&id).await?;
    must(ended == Termination::AlreadyGone, || format!("terminating nothing is {ended:?}"))
}
