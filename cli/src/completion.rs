//! `funcatron completion`: the script that lets a shell complete commands.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::command::Cli;
use crate::output;

/// Print the completion script of a shell: `source <(funcatron completion bash)`
#[derive(Debug, clap::Args)]
pub(crate) struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "funcatron", &mut script);
        Ok(output::bytes(&script)?)
    }
}
