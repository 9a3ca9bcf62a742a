//! Talking to a device: a shell there, by itself or over the system's ssh, gets a text and answers.
//!
//! Each order is a connection of its own, never one that is shared with an earlier one: that a new connection comes through is
//! what says that the device can still be managed.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::load::printable;
use crate::deploy::{Answer, Destination, Directory, Order, script};

/// How long ssh tries to connect, in seconds.
const CONNECT_SECONDS: u32 = 10;

/// A way to a device.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) destination: Destination,
    /// Whether `sudo` is needed there.
    pub(super) sudo: bool,
    /// A configuration for ssh, in the place of the user's.
    pub(super) ssh_config: Option<PathBuf>,
    pub(super) target: String,
    /// Where cordon keeps its files on the device.
    pub(super) directory: Directory,
}

/// Why there is no answer; the text has no full stop.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoAnswer(String);

impl Link {
    /// Gives an order to the device, and waits for the whole answer.
    pub(super) fn send(&self, order: Order) -> Result<Answer, NoAnswer> {
        let text = script(order, &self.target, &self.directory);
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let program = command.get_program().to_string_lossy().into_owned();
        let failed = |problem: io::Error| NoAnswer(format!("`{program}` cannot be run: {problem}"));
        let mut child = command.spawn().map_err(failed)?;
        let input = child.stdin.take();
        let writer = std::thread::spawn(move || input.map(|mut input| input.write_all(text.as_bytes())));
        let output = child.wait_with_output().map_err(failed)?;
        // A connection that ended early shows in the answer.
        let _ = writer.join();
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().map(str::trim).rfind(|line| !line.is_empty()).map(printable);
        Answer::new(&String::from_utf8_lossy(&output.stdout)).map_err(|bad| {
            let why = said.map_or_else(String::new, |said| format!(" ({said})"));
            match output.status.code() {
                Some(255) => NoAnswer(format!(
                    "{} cannot be reached, or the connection was lost{why}",
                    self.destination
                )),
                _ => NoAnswer(format!("{bad}{why}")),
            }
        })
    }

    fn command(&self) -> Command {
        let Destination::Ssh { user, host, port } = &self.destination else {
            let mut command = Command::new(if self.sudo { "sudo" } else { "sh" });
            command.args(if self.sudo { &["-n", "sh", "-s"][..] } else { &["-s"] });
            return command;
        };
        let mut command = Command::new("ssh");
        // The first value of an option counts, so these stand before those of any file.
        command.args([
            "-T",
            "-a",
            "-x",
            "-o",
            "ControlMaster=no",
            "-o",
            "ControlPath=none",
            "-o",
            "ServerAliveInterval=5",
        ]);
        command.args(["-o", "ServerAliveCountMax=3", "-o", &format!("ConnectTimeout={CONNECT_SECONDS}")]);
        if let Some(config) = &self.ssh_config {
            command.arg("-F").arg(config);
        }
        if let Some(user) = user {
            command.args(["-l", user]);
        }
        if let Some(port) = port {
            command.args(["-p", &port.to_string()]);
        }
        command.args(["--", host, if self.sudo { "exec sudo -n sh -s" } else { "exec sh -s" }]);
        command
    }
}
