use stagecraft_core::converge::{Assessment, Change, Step};
use stagecraft_core::error::Code;
use stagecraft_core::remote::{Command, Output};

/// A step that wants some files to exist: one probe and one change for each.
#[derive(Clone, Debug)]
pub struct MarkerStep {
    name: &'static str,
    paths: Vec<String>,
}

impl MarkerStep {
    /// Wants `paths` to exist.
    #[must_use]
    pub fn new<P: Into<String>>(name: &'static str, paths: impl IntoIterator<Item = P>) -> Self {
        Self { name, paths: paths.into_iter().map(Into::into).collect() }
    }

    /// Three steps with four files, which stand for a bootstrap.
    #[must_use]
    pub fn bootstrap() -> Vec<Box<dyn Step>> {
        vec![
            Box::new(Self::new("hostname", ["/etc/hostname"])),
            Box::new(Self::new("docker-install", ["/etc/apt/keyring", "/usr/bin/docker"])),
            Box::new(Self::new("docker-verify", ["/run/docker.sock"])),
        ]
    }
}

impl Step for MarkerStep {
    fn name(&self) -> &'static str {
        self.name
    }

    fn probe(&self) -> Vec<Command> {
        self.paths.iter().map(|path| Command::new("test").arg("-e").arg(path)).collect()
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        let missing: Vec<Change> = self
            .paths
            .iter()
            .zip(seen)
            .filter(|(_, output)| !output.success())
            .map(|(path, _)| Change::new(format!("making {path}"), Command::new("touch").arg(path)))
            .collect();
        if missing.is_empty() { Assessment::Satisfied } else { Assessment::Needs(missing) }
    }

    fn failure_code(&self) -> Code {
        Code::DOCKER_INSTALL_FAILED
    }
}
