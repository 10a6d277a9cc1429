use crate::args::Global;
use crate::ui::Ui;
use crate::wire::Environment;

/// What every command is given.
#[derive(Clone, Debug)]
pub(crate) struct App {
    /// The options of every command.
    pub(crate) global: Global,
    /// Where results and messages go.
    pub(crate) ui: Ui,
    /// The environment of the process.
    pub(crate) environment: Environment,
}
