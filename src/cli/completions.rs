//! `mass-driver completions SHELL`: what a shell needs to complete the commands and options of this one.

use super::Exit;
use anyhow::Context as _;
use clap::Command;
use clap_complete::{Shell, generate};
use std::io::Write;

/// Arguments of `mass-driver completions`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
To install them, once and again after each new version:
  bash        mass-driver completions bash > ~/.local/share/bash-completion/completions/mass-driver
  zsh         mass-driver completions zsh > ~/.zfunc/_mass-driver
              and in ~/.zshrc, before `compinit`: fpath+=~/.zfunc
  fish        mass-driver completions fish > ~/.config/fish/completions/mass-driver.fish
  elvish      mass-driver completions elvish > ~/.config/elvish/lib/mass-driver.elv
              and in ~/.config/elvish/rc.elv: use mass-driver
  powershell  mass-driver completions powershell >> $PROFILE
Make the folder first where it is not there, and open a new shell afterwards.")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the script of a shell for `command`, this executable as a whole. What is hidden from people is hidden here.
///
/// Errors: only those of the writer.
pub fn run(args: &CompletionsArgs, command: Command, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut visible = visible(&command);
    // The generator panics where it cannot write.
    let mut script = Vec::new();
    generate(args.shell, &mut visible, "mass-driver", &mut script);
    let script = String::from_utf8(script).context("the script is no text")?;
    // The generator spells the `-` of this command's own name in two ways for bash, so that no option would be completed.
    out.write_all(script.replace("mass__subcmd__driver", "mass__driver").as_bytes())?;
    Ok(Exit::Done)
}

fn visible(command: &Command) -> Command {
    let visible = Command::new("mass-driver").version(env!("CARGO_PKG_VERSION"));
    let visible =
        visible.about(command.get_about().cloned().unwrap_or_default()).args(command.get_arguments().cloned());
    visible.subcommands(command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()).cloned())
}
