use stagecraft_core::cloud::Termination;
use stagecraft_core::inventory::{Instance, Lifecycle};

use super::bench::{Bench, Stop, must};

pub(super) async fn comes_up(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let made = bench.make(&scope, "web-1").await?;
    let running = bench
        .listed(&scope, &made.id, "comes up", |seen| match seen.lifecycle {
            Lifecycle::Running => Some(Ok(seen.clone())),
            Lifecycle::Pending => None,
            Lifecycle::Stopped
            | Lifecycle::Terminating
            | Lifecycle::Terminated
            | Lifecycle::Failed => Some(Err(seen.lifecycle)),
        })
        .await?
        .map_err(|instead| Stop::Broken(format!("it became {instead:?}")))?;
    for instance in [&made, &running] {
        must(instance.lifecycle != Lifecycle::Running || instance.endpoint().is_some(), || {
            "it is running without an address".to_owned()
        })?;
    }
    let got = bench.provider.get(&made.id).await?;
    must(got.as_ref().and_then(Instance::endpoint) == running.endpoint(), || {
        format!("`get` and `list` disagree: {got:?} and {running:?}")
    })
}

pub(super) async fn start_running(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let running = bench.make_running(&scope, "web-1").await?;
    bench.provider.start(&running.id).await?;
    let after = bench.provider.get(&running.id).await?;
    must(after.as_ref() == Some(&running), || format!("{running:?} became {after:?}"))
}

pub(super) async fn start_stopped(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let running = bench.make_running(&scope, "web-1").await?;
    if !bench.subject.stop(&running.id).await {
        return Err(Stop::Skipped("instances cannot be switched off here".to_owned()));
    }
    let is = |wanted| move |seen: &Instance| (seen.lifecycle == wanted).then_some(());
    bench.listed(&scope, &running.id, "is stopped", is(Lifecycle::Stopped)).await?;
    bench.provider.start(&running.id).await?;
    bench.listed(&scope, &running.id, "runs again", is(Lifecycle::Running)).await
}

pub(super) async fn terminated(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let made = bench.make(&scope, "web-1").await?;
    let kept = bench.make(&scope, "web-2").await?;
    bench.until("both are listed", &scope, |list| (list.len() == 2).then_some(())).await?;
    let ended = bench.provider.terminate(&made.id).await?;
    must(ended == Termination::Started, || format!("terminating what is live is {ended:?}"))?;
    bench
        .until("only the other is live", &scope, |list| {
            let live: Vec<_> = list.iter().filter(|seen| seen.is_live()).collect();
            matches!(live.as_slice(), [only] if only.id == kept.id).then_some(())
        })
        .await?;
    let got = bench.provider.get(&made.id).await?;
    must(!got.as_ref().is_some_and(Instance::is_live), || format!("`get` still says {got:?}"))
}

pub(super) async fn terminate_twice(bench: &Bench<'_>) -> Result<(), Stop> {
    let scope = bench.scope()?;
    let made = bench.make(&scope, "web-1").await?;
    bench.provider.terminate(&made.id).await?;
    bench.provider.terminate(&made.id).await?;
    let gone = |list: &[Instance]| (!list.iter().any(Instance::is_live)).then_some(());
    bench.until("it is gone", &scope, gone).await?;
    let pace = bench.subject.pace();
    let mut waited = std::time::Duration::ZERO;
    while bench.provider.terminate(&made.id).await? != Termination::AlreadyGone {
        must(waited < pace.patience, || "terminating never ends in `AlreadyGone`".to_owned())?;
        tokio::time::sleep(pace.poll).await;
        waited += pace.poll;
    }
    Ok(())
}
