//! What a shell and `man` need to know of the command: completions and man pages, made from its own arguments.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::args::Arguments;
use super::commands::count;
use super::terminal::print;
use super::{Failure, Outcome};

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  cordon completions bash > ~/.local/share/bash-completion/completions/cordon
  cordon completions zsh > ~/.zfunc/_cordon
  cordon completions fish > ~/.config/fish/completions/cordon.fish";

pub(super) const MAN_HELP: &str = "\
Example:
  cordon man ~/.local/share/man/man1 && man cordon-check";

/// What `completions` takes.
#[derive(Args, Debug)]
pub(super) struct Completions {
    /// The shell that shall complete commands and options
    shell: Shell,
}

/// What `man` takes.
#[derive(Args, Debug)]
pub(super) struct Man {
    /// The directory to write the pages to: `cordon.1`, and one for each command
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Prints what a shell completes.
pub(super) fn completions(arguments: &Completions) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "cordon", &mut script);
    print(io::stdout(), &String::from_utf8_lossy(&script))?;
    Ok(Outcome::Fine)
}

/// Writes the man pages.
pub(super) fn man(arguments: &Man) -> Result<Outcome, Failure> {
    let directory = &arguments.directory;
    let pages = write_pages(directory);
    let pages =
        pages.map_err(|problem| Failure(format!("cannot write to `{}`: {problem}", directory.display())))?;
    print(io::stderr(), &format!("wrote {} to {}\n", count(pages, "man page"), directory.display()))?;
    Ok(Outcome::Fine)
}

/// Writes a page for the whole and for each command; says how many there are.
fn write_pages(directory: &Path) -> io::Result<usize> {
    fs::create_dir_all(directory)?;
    clap_mangen::generate_to(Arguments::command(), directory)?;
    let commands = Arguments::command();
    Ok(1 + commands.get_subcommands().filter(|command| !command.is_hide_set()).count())
}
