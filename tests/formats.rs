//! How findings are shown, and how commands behave on a terminal and in CI. All of it through the command itself.

mod documents;
mod exit_codes;
mod pages;
mod sarif;
mod stdin;
mod terminal;
mod watch;

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{directory, said};

/// What the environment could say of colours, width and progress.
const VARIABLES: [&str; 8] =
    ["NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "CI", "TERM", "RUST_BACKTRACE"];

/// A policy that is fine, with nothing that warns.
const GOOD: &str = "
zone ward { net 10.1.0.0/24 }
zone servers { net 10.2.0.0/24 }
peer pump_srv in servers { host 10.2.0.10 }
allow data { from ward  to pump_srv  via tcp 3613   owner biomed   reason \"drug library\" }
manage admin { from servers  via tcp 22 }
firewall core { target nftables   interface eth0 zone ward   interface eth1 zone servers }
";

/// The command in a directory, in an environment that says nothing of terminals.
fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cordon"));
    command.args(arguments).current_dir(directory).stdin(Stdio::null());
    VARIABLES.iter().for_each(|name| _ = command.env_remove(name));
    command
}

/// Exit code, standard output and standard error.
fn run(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    said(command(directory, arguments).output().unwrap())
}
