use crate::apt::{apt, apt_script, unfinished};
use crate::config::{DockerConfig, DockerInstall, DockerSource};
use crate::converge::{Assessment, Change, Step};
use crate::error::{Code, Failure};
use crate::remote::{Command, OUTPUT_LINES, Output};
use crate::script::{script, values};

const DISTRO_PACKAGES: [&str; 2] = ["docker.io", "ca-certificates"];

const DOCKER_PACKAGES: [&str; 6] = [
    "docker-ce",
    "docker-ce-cli",
    "containerd.io",
    "docker-buildx-plugin",
    "docker-compose-plugin",
    "ca-certificates",
];

/// Docker Engine and its client are installed, whoever made the packages.
#[derive(Debug)]
pub(in crate::bootstrap) struct Install {
    method: DockerInstall,
    source: DockerSource,
}

impl Install {
    pub(in crate::bootstrap) fn new(config: &DockerConfig) -> Self {
        Self { method: config.install_method, source: config.source }
    }

    /// The changes that install what is missing; `None` when the file says to leave it alone.
    fn changes(&self) -> Option<Vec<Change>> {
        match (self.method, self.source) {
            (DockerInstall::Apt, DockerSource::Distro) => {
                Some(vec![Change::new("installing docker.io", packages(&DISTRO_PACKAGES))])
            }
            (DockerInstall::Apt, DockerSource::Docker) => Some(vec![
                Change::new(
                    "adding Docker's package source",
                    apt("docker-repository", REPOSITORY, &[]),
                ),
                Change::new("installing docker-ce", packages(&DOCKER_PACKAGES)),
            ]),
            (DockerInstall::Script, _) => Some(vec![Change::new(
                "installing Docker by its own script",
                apt("docker-script", SCRIPT, &[]),
            )]),
            (DockerInstall::Skip, _) => None,
        }
    }
}

impl Step for Install {
    fn name(&self) -> &'static str {
        "docker-install"
    }

    fn probe(&self) -> Vec<Command> {
        let text = include_str!("../scripts/docker-probe.sh");
        vec![script("docker-probe", text, [""; 0])]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        let output = &seen[0];
        if !output.success() {
            return Assessment::Blocked(
                Failure::new(
                    Code::DOCKER_DETECT_FAILED,
                    format!("looking for Docker failed with status {}", output.status),
                )
                .with_output(output.tail(OUTPUT_LINES)),
            );
        }
        let broken: Vec<&str> = values(output, "package").filter_map(unfinished).collect();
        let missing: Vec<&str> = ["dockerd", "docker"]
            .into_iter()
            .filter(|&program| values(output, "program").all(|found| found != program))
            .collect();
        if missing.is_empty() && broken.is_empty() {
            return Assessment::Satisfied;
        }
        if values(output, "snap").next().is_some() {
            return Assessment::Blocked(
                Failure::new(
                    Code::DOCKER_DETECT_FAILED,
                    "Docker is installed as a snap, which `docker.io` and `docker-ce` cannot share a host with",
                )
                .with_hint("run `snap remove docker` on the host; its containers and volumes go with it"),
            );
        }
        match self.changes() {
            Some(_) if missing.is_empty() => Assessment::Needs(vec![Change::new(
                format!("finishing the installation of {}", broken.join(", ")),
                apt("docker-repair", REPAIR, &[]),
            )]),
            Some(changes) => Assessment::Needs(changes),
            None => {
                let what = if missing.is_empty() {
                    format!("the installation of {} was not finished", broken.join(", "))
                } else {
                    format!("the host has no `{}`", missing.join("` and no `"))
                };
                Assessment::Blocked(
                    Failure::new(
                        Code::DOCKER_DETECT_FAILED,
                        format!("{what}, and `infra.bootstrap.docker.install_method` is `skip`"),
                    )
                    .with_hint("use an image that has Docker, or set `install_method: apt`"),
                )
            }
        }
    }

    fn failure_code(&self) -> Code {
        Code::DOCKER_INSTALL_FAILED
    }
}

const PACKAGES: &str = apt_script!("../scripts/docker-packages.sh");
const REPAIR: &str = apt_script!("../scripts/docker-repair.sh");
const REPOSITORY: &str = apt_script!("../scripts/docker-repository.sh");
const SCRIPT: &str = apt_script!("../scripts/docker-script.sh");

fn packages(names: &[&str]) -> Command {
    apt("docker-packages", PACKAGES, names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::tests::{blocked, commands, doing, saw};

    const FRESH: &str = "";
    const DEBIAN_12: &str = "program=dockerd\nprogram=docker\n\
                             package=ii  containerd\npackage=ii  docker.io\npackage=ii  runc\n";
    const DOCKER_CE: &str = "program=dockerd\nprogram=docker\npackage=ii  containerd.io\n\
                             package=hi  docker-ce\npackage=ii  docker-ce-cli\n";

    #[test]
    fn docker_from_anywhere_is_docker() {
        for seen in [
            DEBIAN_12,
            DOCKER_CE,
            "program=dockerd\nprogram=docker\n",
            "program=dockerd\nprogram=docker\npackage=un  docker.io\npackage=rc  containerd\n",
        ] {
            for method in [DockerInstall::Apt, DockerInstall::Script, DockerInstall::Skip] {
                let step = step(method, DockerSource::Docker);
                assert_eq!(step.assess(&[saw(0, seen)]), Assessment::Satisfied, "{seen}");
            }
        }
    }

    #[test]
    fn what_is_missing_is_installed_the_way_the_file_says() {
        let ways = [
            (DockerInstall::Apt, DockerSource::Distro, &["installing docker.io"][..]),
            (
                DockerInstall::Apt,
                DockerSource::Docker,
                &["adding Docker's package source", "installing docker-ce"],
            ),
            (DockerInstall::Script, DockerSource::Docker, &["installing Docker by its own script"]),
        ];
        for seen in
            [FRESH, "program=docker\npackage=ii  docker-ce-cli\n", "package=iHR docker.io\n"]
        {
            for (method, source, changes) in ways {
                let step = step(method, source);
                assert_eq!(doing(&step.assess(&[saw(0, seen)])), changes, "{seen}");
            }
        }
    }

    #[test]
    fn an_interrupted_installation_is_finished_and_no_other_package_added() {
        for (state, name) in
            [("iF ", "docker.io"), ("iU ", "containerd"), ("iW ", "runc"), ("iiR", "docker-ce")]
        {
            let seen = format!("program=dockerd\nprogram=docker\npackage={state} {name}\n");
            let found = step(DockerInstall::Apt, DockerSource::Distro).assess(&[saw(0, &seen)]);
            assert_eq!(doing(&found), [format!("finishing the installation of {name}")]);
            assert_eq!(commands(&found).len(), 1);
            assert!(commands(&found)[0].ends_with("' docker-repair 600"), "{found:?}");
        }
    }

    #[test]
    fn the_changes_name_their_packages_as_arguments() {
        let distro = step(DockerInstall::Apt, DockerSource::Distro).assess(&[saw(0, FRESH)]);
        assert_eq!(tails(&distro), ["docker-packages 600 docker.io ca-certificates"]);

        let docker = step(DockerInstall::Apt, DockerSource::Docker).assess(&[saw(0, FRESH)]);
        assert_eq!(
            tails(&docker),
            [
                "docker-repository 600",
                "docker-packages 600 docker-ce docker-ce-cli containerd.io docker-buildx-plugin \
                 docker-compose-plugin ca-certificates",
            ]
        );

        let script = step(DockerInstall::Script, DockerSource::Distro).assess(&[saw(0, FRESH)]);
        assert_eq!(tails(&script), ["docker-script 600"]);
    }

    #[test]
    fn skip_leaves_a_host_without_docker_alone() {
        for (seen, message) in [
            (
                FRESH,
                "the host has no `dockerd` and no `docker`, and `infra.bootstrap.docker.install_method` is `skip`",
            ),
            (
                "program=docker\n",
                "the host has no `dockerd`, and `infra.bootstrap.docker.install_method` is `skip`",
            ),
            (
                "program=dockerd\nprogram=docker\npackage=iF  docker.io\n",
                "the installation of docker.io was not finished, and `infra.bootstrap.docker.install_method` is `skip`",
            ),
        ] {
            let failure =
                blocked(step(DockerInstall::Skip, DockerSource::Distro).assess(&[saw(0, seen)]));
            assert_eq!(
                (failure.code, failure.message.as_str()),
                (Code::DOCKER_DETECT_FAILED, message)
            );
            assert!(failure.hints[0].contains("install_method: apt"), "{failure:?}");
        }
    }

    #[test]
    fn a_snap_is_not_installed_over() {
        let failure = blocked(
            step(DockerInstall::Apt, DockerSource::Distro).assess(&[saw(0, "snap=docker\n")]),
        );
        assert_eq!(failure.code, Code::DOCKER_DETECT_FAILED);
        assert!(failure.hints[0].contains("snap remove docker"), "{failure:?}");
    }

    #[test]
    fn a_probe_that_hangs_is_no_missing_docker() {
        let failure =
            blocked(step(DockerInstall::Apt, DockerSource::Distro).assess(&[saw(124, "")]));
        assert_eq!(failure.code, Code::DOCKER_DETECT_FAILED);
        assert_eq!(failure.message, "looking for Docker failed with status 124");
    }

    fn step(method: DockerInstall, source: DockerSource) -> Install {
        Install::new(&DockerConfig { enabled: true, install_method: method, source })
    }

    /// What follows the script in each command.
    fn tails(assessment: &Assessment) -> Vec<String> {
        commands(assessment)
            .iter()
            .map(|command| {
                command.rsplit_once("' ").map_or(command.as_str(), |split| split.1).to_owned()
            })
            .collect()
    }
}
