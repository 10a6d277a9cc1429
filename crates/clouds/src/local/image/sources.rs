//! Where this machine gets its packages from, and what that says of another release of the same
//! distribution: a mirror has them all.

/// One source of packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Source {
    uris: Vec<String>,
    suites: Vec<String>,
    components: Vec<String>,
    signed_by: Option<String>,
}

/// The sources of `wanted`, as lines of `sources.list`, made from those of this machine.
///
/// `files` are the contents of the machine's source files, `own` is its release and `read` gives
/// the contents of other files, for sources that name a list of mirrors. Sources of third parties
/// are left out: they come with keys of their own.
pub(super) fn for_release(
    files: &[String],
    distribution: &str,
    own: &str,
    wanted: &str,
    read: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for source in files.iter().flat_map(|text| parse(text)) {
        if !is_of(&source, distribution) {
            continue;
        }
        let option =
            source.signed_by.as_ref().map(|key| format!("[signed-by={key}] ")).unwrap_or_default();
        let components = source.components.join(" ");
        for uri in source.uris.iter().filter_map(|uri| mirror(uri, &read)) {
            for suite in source.suites.iter().filter_map(|suite| renamed(suite, own, wanted)) {
                let line = format!("deb {option}{uri} {suite} {components}");
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
    }
    lines
}

/// The value of one field of `os-release`.
pub(super) fn os_release_field<'t>(text: &'t str, field: &str) -> Option<&'t str> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| *name == field)
        .map(|(_, value)| value.trim_matches(['"', '\'']))
}

fn is_of(source: &Source, distribution: &str) -> bool {
    let key_fits = source.signed_by.as_ref().is_none_or(|path| {
        let name = path.rsplit('/').next().unwrap_or_default();
        name.starts_with(&format!("{distribution}-archive-")) && path.starts_with('/')
    });
    key_fits && source.components.iter().any(|component| component == "main")
}

/// The same suite of another release; `None` for suites that are not the distribution's own.
fn renamed(suite: &str, own: &str, wanted: &str) -> Option<String> {
    let rest = suite.strip_prefix(own)?;
    ["", "-updates", "-security"].contains(&rest).then(|| format!("{wanted}{rest}"))
}

/// An address that is good outside of this machine, too: of a list of mirrors, the first one.
fn mirror(uri: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let is_remote = |uri: &str| uri.starts_with("http://") || uri.starts_with("https://");
    let Some(path) = uri.strip_prefix("mirror+file:") else {
        return is_remote(uri).then(|| uri.to_owned());
    };
    let list = read(&format!("/{}", path.trim_start_matches('/')))?;
    let first =
        list.lines().filter_map(|line| line.split_whitespace().next()).find(|uri| is_remote(uri));
    first.map(str::to_owned)
}

fn parse(text: &str) -> Vec<Source> {
    let is_one_line = |line: &str| {
        ["deb ", "deb\t", "deb-src"].iter().any(|start| line.trim_start().starts_with(start))
    };
    if text.lines().any(is_one_line) {
        text.lines().filter_map(parse_line).collect()
    } else {
        let text: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        text.split(|line| line.trim().is_empty()).filter_map(parse_paragraph).collect()
    }
}

/// `deb [option=value …] uri suite component …`
fn parse_line(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim();
    let mut rest = line.strip_prefix("deb")?.strip_prefix([' ', '\t'])?.trim();
    let mut signed_by = None;
    if let Some((options, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        signed_by = options
            .split_whitespace()
            .find_map(|option| option.strip_prefix("signed-by="))
            .map(str::to_owned);
        rest = after.trim();
    }
    let mut words = rest.split_whitespace().map(str::to_owned);
    Some(Source {
        uris: vec![words.next()?],
        suites: vec![words.next()?],
        components: words.collect(),
        signed_by,
    })
}

/// The newer format: `Field: value` lines, continued by indented ones.
fn parse_paragraph(lines: &[&str]) -> Option<Source> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in lines {
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut()?;
            value.push(' ');
            value.push_str(line.trim());
        } else {
            let (name, value) = line.split_once(':')?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value);
    let words = |name: &str| -> Vec<String> {
        field(name)
            .into_iter()
            .flat_map(|value| value.split_whitespace())
            .map(str::to_owned)
            .collect()
    };
    let enabled = field("enabled").is_none_or(|value| !["no", "false"].contains(&value.as_str()));
    (enabled && words("types").iter().any(|kind| kind == "deb")).then(|| Source {
        uris: words("uris"),
        suites: words("suites"),
        components: words("components"),
        signed_by: field("signed-by").cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "\
Types: deb
# a note
URIs: http://deb.example/debian
Suites: trixie trixie-updates trixie-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: mirror+file:///etc/apt/mirrors/security.list
Suites: trixie-security
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main
";

    #[test]
    fn the_mirror_of_one_release_serves_another() {
        let read = |path: &str| {
            assert_eq!(path, "/etc/apt/mirrors/security.list");
            Some("# nearest\nhttps://deb.example/security\tpriority:1\n".to_owned())
        };
        let key = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";
        assert_eq!(
            for_release(&[DEBIAN.to_owned()], "debian", "trixie", "bookworm", read),
            [
                format!("deb {key} http://deb.example/debian bookworm main"),
                format!("deb {key} http://deb.example/debian bookworm-updates main"),
                format!("deb {key} https://deb.example/security bookworm-security main contrib"),
            ]
        );
    }

    #[test]
    fn the_older_format_is_understood() {
        let text = "\
# deb http://off.example jammy main
deb http://archive.example/ubuntu jammy main universe # comment
deb-src http://archive.example/ubuntu jammy main
deb [arch=amd64 signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://archive.example/ubuntu jammy-security main
deb cdrom:[Ubuntu 22.04] jammy main
";
        assert_eq!(
            for_release(&[text.to_owned()], "ubuntu", "jammy", "noble", |_| None),
            [
                "deb http://archive.example/ubuntu noble main universe",
                "deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://archive.example/ubuntu noble-security main",
            ]
        );
    }

    #[test]
    fn sources_of_third_parties_are_left_out() {
        let text = "\
deb [signed-by=/usr/share/keyrings/other-archive-keyring.gpg] https://apt.example bookworm main
deb https://apt.example/docker bookworm stable
deb https://apt.example/pg bookworm-pgdg main
";
        let files = [text.to_owned()];
        assert!(for_release(&files, "debian", "bookworm", "bookworm", |_| None).is_empty());
    }

    #[test]
    fn the_release_of_a_machine_is_read_with_and_without_quotes() {
        let text =
            "PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\nVERSION_CODENAME=\"bookworm\"\n";
        assert_eq!(os_release_field(text, "ID"), Some("debian"));
        assert_eq!(os_release_field(text, "VERSION_CODENAME"), Some("bookworm"));
        assert_eq!(os_release_field(text, "NAME"), None);
    }
}
