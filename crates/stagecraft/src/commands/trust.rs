use stagecraft_core::config::HostKeys;
use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_core::identity::{HostKey, Standing};
use stagecraft_core::inventory::Instance;
use stagecraft_core::name::HostName;
use stagecraft_core::remote::Target;
use stagecraft_remote::Presented;

use super::hosts::{Chosen, one};
use crate::app::App;
use crate::args::{Output, Trust};
use crate::documents::TrustDocument;
use crate::project::Project;
use crate::run::{Ended, Logins, Run, with_engine};
use crate::stop::Stop;
use crate::ui::{Answer, BAD, BOLD, Columns, GOOD, PLAIN, Text, can_ask};

/// What shows the key that counts, on the host.
const SHOW: &str = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";

/// Pins the host key a host presents now, if the user agrees.
pub(super) fn run(app: &App, args: &Trust) -> Result<ExitCode, Stop> {
    let project = Project::load(app)?;
    if project.file.config.bootstrap.ssh.host_keys == HostKeys::KnownHosts {
        return Err(Stop::usage(
            "with `host_keys: known-hosts` a key that is pinned does not count",
        )
        .with_hint("add the key to your known_hosts, or set `host_keys: pinned`"));
    }
    with_engine(app, &project, Logins::Needed, async |run| {
        let inventory = run.observe().await?;
        let mut instance = match one(run, &inventory, &args.host)? {
            Chosen::Running(instance) => instance,
            Chosen::NotRunning(_, failure) | Chosen::Missing(_, failure) => {
                return Err(Stop::new(ExitCode::SomeHostsFailed, failure));
            }
        };
        let target = Target::of(&instance)
            .ok_or_else(|| Stop::usage(format!("`{}` has no address yet", args.host)))?;
        let looking = run.scan(&target);
        let presented = run.interruptible(looking).await?;
        run.progress.finish();
        let presented =
            presented.map_err(|failure| Stop::new(ExitCode::SomeHostsFailed, failure))?;
        let key = pinnable(&instance, &presented)?;
        must_be(args.fingerprint.as_deref(), &args.host, &presented)?;
        if instance.pins.standing(&key).is_none() {
            // Another run may have given it a key of its own since it was listed.
            let now = run.interruptible(run.engine.pins_of(&target)).await?;
            let now = now.map_err(|failure| Stop::new(ExitCode::Cloud, failure))?;
            instance.pins = now.unwrap_or(instance.pins);
        }
        if instance.pins.standing(&key).is_some() {
            return show(run, &instance, key, false);
        }
        if !agree(run, args, &instance, &target, &presented).await? {
            run.app.ui.say(Text::new().line("`yes` was not typed: nothing was changed."));
            return Ok(ExitCode::Interrupted);
        }
        match run.guarded(run.engine.trust(&instance, key)).await {
            Ended::Finished(Ok(())) => show(run, &instance, key, true),
            Ended::Finished(Err(failure)) => Err(Stop::new(ExitCode::Cloud, failure)),
            Ended::Abandoned => {
                let message = "interrupted; whether the key was pinned is not known";
                let failure = Failure::new(Code::INTERRUPTED, message)
                    .with_hint("run the command again: a key that is pinned already stays");
                Err(Stop::new(ExitCode::Interrupted, failure))
            }
        }
    })
}

/// The presented key, if it is one that can be pinned.
fn pinnable(instance: &Instance, presented: &Presented) -> Result<HostKey, Stop> {
    let host = &instance.owner.host;
    let refused = |code, message| Stop::new(ExitCode::SomeHostsFailed, Failure::new(code, message));
    let Some(key) = presented.key else {
        let message = format!(
            "`{host}` has no ed25519 host key, only one of the kind {}, which cannot be pinned",
            presented.algorithm
        );
        return Err(refused(Code::HOST_KEY_UNKNOWN, message).with_hint(
            "run `ssh-keygen -A && systemctl restart ssh` on the host, and this again",
        ));
    };
    if presented.revoked {
        let message = format!(
            "`{host}` presented the host key {}, which your known_hosts revokes",
            presented.fingerprint
        );
        return Err(refused(Code::HOST_KEY_MISMATCH, message)
            .with_hint("give the host another key, or replace it"));
    }
    Ok(key)
}

/// That the presented key has the fingerprint that was given, if one was.
fn must_be(wanted: Option<&str>, host: &HostName, presented: &Presented) -> Result<(), Stop> {
    let Some(wanted) = wanted.filter(|wanted| *wanted != presented.fingerprint) else {
        return Ok(());
    };
    let message = format!(
        "`{host}` presented the host key {}, and not {wanted}; nothing was pinned",
        presented.fingerprint
    );
    let failure = Failure::new(Code::HOST_KEY_MISMATCH, message);
    Err(Stop::new(ExitCode::SomeHostsFailed, failure)
        .with_hint(format!(
            "only its ed25519 key counts; if `{SHOW}` on the host shows the fingerprint you gave, somebody may be in between"
        )))
}

/// Whether this is the key to pin: by its fingerprint, by `--yes`, or by asking.
async fn agree(
    run: &Run<'_>,
    args: &Trust,
    instance: &Instance,
    target: &Target,
    presented: &Presented,
) -> Result<bool, Stop> {
    let host = &instance.owner.host;
    if args.fingerprint.is_some() {
        return Ok(true);
    }
    let facts = facts(instance, target, presented, run.app.ui.width());
    if run.app.global.yes {
        run.app.ui.say(&facts);
        return Ok(true);
    }
    if !can_ask(&run.app.ui) {
        return Err(Stop::usage(format!(
            "`{host}` presented the host key {}, and there is nobody to ask whether to pin it",
            presented.fingerprint
        ))
        .with_hint(
            format!(
                "compare it with what `{SHOW}` shows on the host itself, and add `--fingerprint SHA256:...`; \
                 `--yes` believes whoever answers now"
            ),
        ));
    }
    run.app.ui.say(&facts);
    let mut question = Text::new();
    question.put("Pin this key for everybody? Type ").styled(BOLD, "yes").put(" to go on: ");
    let answer = run.ask(question, vec!["yes".to_owned()]).await?;
    Ok(answer == Answer::Yes)
}

/// What the user decides by.
fn facts(instance: &Instance, target: &Target, presented: &Presented, width: usize) -> Text {
    let mut text = Text::new();
    let host = &instance.owner.host;
    let endpoint = &target.endpoint.host;
    text.put("The host key of ").styled(BOLD, host.as_str());
    text.line(&format!(" at {endpoint} ({}):", instance.provider));
    let mut columns = Columns::indented(2);
    let kind = &presented.algorithm;
    columns.row(vec![
        "presented".into(),
        format!("{} ({kind})", presented.fingerprint).as_str().into(),
    ]);
    let pinned = instance.pins.expected().map(|key| key.fingerprint());
    columns.row(vec!["pinned".into(), pinned.as_deref().unwrap_or("none").into()]);
    if let Some((key, place)) = &presented.remembered {
        columns.row(vec!["remembered".into(), format!("{key} ({place})").as_str().into()]);
    }
    for place in &presented.known_in {
        columns.row(vec!["known in".into(), place.as_str().into()]);
    }
    text.append(&columns.render(width));
    let expected = match (&pinned, &presented.remembered) {
        (Some(_), _) => Some("It is not the key that is pinned."),
        (None, Some(_)) => Some("It is not the key that was remembered on first contact."),
        (None, None) => None,
    };
    if let Some(expected) = expected {
        text.styled(BAD, expected).end_line();
        let words = "Unless the machine was rebuilt on purpose, somebody may be in between.";
        text.wrapped(PLAIN, words, 0, 0, width);
    }
    let words =
        "Compare it with what the host itself shows, on the provider's console for example:";
    text.wrapped(PLAIN, words, 0, 0, width);
    text.line(&format!("  {SHOW}"));
    text
}

fn show(run: &Run<'_>, instance: &Instance, key: HostKey, changed: bool) -> Result<ExitCode, Stop> {
    let (app, project) = (run.app, run.project);
    let host = &instance.owner.host;
    if app.ui.output == Output::Json {
        app.ui.document(&TrustDocument {
            project: project.scope.project.clone(),
            environment: project.scope.environment.clone(),
            host: host.clone(),
            provider: instance.provider,
            fingerprint: key.fingerprint(),
            previous: instance.pins.expected().map(|old| old.fingerprint()),
            changed,
        })?;
        return Ok(ExitCode::Done);
    }
    let mut text = Text::new();
    if changed {
        text.styled(GOOD, &format!("Pinned {} for `{host}`.", key.fingerprint())).end_line();
        if instance.pins.expected().is_some() {
            text.line("What `infra inventory` exported before has the old key; export again.");
        }
    } else if instance.pins.standing(&key) == Some(Standing::Own) {
        let words = format!("`{host}` presents the key that is pinned: {}.", key.fingerprint());
        text.wrapped(PLAIN, &words, 0, 0, app.ui.width());
    } else {
        let bootstrap = project.next.command(&format!("infra bootstrap --host {host}"));
        let words = format!(
            "`{host}` is verified by the key of its first boot; {bootstrap} gives it its own."
        );
        text.wrapped(PLAIN, &words, 0, 0, app.ui.width());
    }
    app.ui.result(&text)?;
    Ok(ExitCode::Done)
}
