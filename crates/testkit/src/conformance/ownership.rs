use std::collections::BTreeSet;

use stagecraft_core::cloud::CloudErrorKind;
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::InstanceId;

use super::bench::{Bench, Stop, must};

pub(super) async fn complete(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let mut made = BTreeSet::new();
    for number in 1..=bench.subject.many() {
        made.insert(bench.make(&scope, &format!("web-{number}")).await?.id);
    }
    let what = format!("exactly {made:?} are listed");
    bench.until(&what, &scope, |list| (ids(list) == made).then_some(())).await?;
    // Once all have been seen, none may be missing from the next list.
    let again = bench.provider.list(&scope).await?;
    must(ids(&again) == made && again.len() == made.len(), || format!("later: {:?}", ids(&again)))
}

pub(super) async fn one_scope(bench: &Bench<'_>) -> Result<(), Stop> {
    let run = bench.subject.run();
    let scopes = [
        bench.scope_of("a", &run)?,
        bench.scope_of("a", &format!("{run}-eu"))?,
        bench.scope_of("b", &run)?,
        bench.scope_of("a-b", "c")?,
        bench.scope_of("a", "b-c")?,
    ];
    let mut made = Vec::new();
    for scope in &scopes {
        made.push(bench.make(scope, "web-1").await?);
    }
    for (scope, own) in scopes.iter().zip(&made) {
        bench.listed(scope, &own.id, "is listed", |_| Some(())).await?;
    }
    for (scope, own) in scopes.iter().zip(&made) {
        let list = bench.provider.list(scope).await?;
        must(ids(&list) == [own.id.clone()].into(), || {
            format!("`{scope}` has only `{}`, but its list is {:?}", own.id, ids(&list))
        })?;
    }
    Ok(())
}

pub(super) async fn foreign(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let host = bench.order(&scope, "web-1").await?.owner.host;
    let foreign = bench.plant(&scope.cloud_name(&host)).await?;
    let own = bench.make(&scope, "web-2").await?;
    bench.listed(&scope, &own.id, "is listed", |_| Some(())).await?;
    let list = bench.provider.list(&scope).await?;
    must(ids(&list) == [own.id].into(), || format!("the list is {:?}", ids(&list)))?;
    let got = bench.provider.get(&foreign).await?;
    must(got.is_none(), || format!("`get` takes it for {:?}", got.map(|instance| instance.owner)))
}

pub(super) async fn foreign_name(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let mut order = bench.order(&scope, "web-1").await?;
    order.marks.name = scope.cloud_name(&order.owner.host);
    let foreign = bench.plant(&bench.subject.name_of(&order)).await?;
    match bench.provider.create(&order).await {
        Ok(made) if made.id == foreign => {
            return Err(Stop::Broken("`create` took it for ours".to_owned()));
        }
        Ok(made) => {
            bench.provider.terminate(&made.id).await?;
            must(!bench.subject.unique_names(), || "the name was given twice".to_owned())?;
        }
        Err(error) => {
            let conflict = matches!(error.kind, CloudErrorKind::Conflict(_));
            must(bench.subject.unique_names() && conflict, || format!("refused with: {error}"))?;
        }
    }
    must(bench.subject.has_foreign(&foreign).await, || "the foreign one is gone".to_owned())
}

pub(super) async fn create_twice(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let order = bench.order(&scope, "web-1").await?;
    let first = bench.send(&order).await?.id;
    let second = bench.send(&order).await?.id;
    let unique = bench.subject.unique_names();
    must((first == second) == bench.subject.repeats_are_recognised(), || {
        format!("the second is `{second}` after `{first}`")
    })?;
    let made = BTreeSet::from([first, second]);
    let what = format!("exactly {made:?} are listed");
    bench.until(&what, &scope, |list| (ids(list) == made).then_some(())).await?;
    if !unique {
        return Ok(());
    }
    let mut other = bench.order(&scope, "web-2").await?;
    other.marks.name = order.marks.name.clone();
    if bench.subject.name_of(&other) != bench.subject.name_of(&order) {
        // Two owners cannot come to have one name here.
        return Ok(());
    }
    match bench.send(&other).await {
        Ok(taken) => Err(Stop::Broken(format!("`web-2` was given `{}` of `web-1`", taken.id))),
        Err(error) => must(matches!(error.kind, CloudErrorKind::Conflict(_)), || {
            format!("another owner's name was refused with: {error}")
        }),
    }
}

fn ids(list: &[Instance]) -> BTreeSet<InstanceId> {
    list.iter().map(|instance| instance.id.clone()).collect()
}
