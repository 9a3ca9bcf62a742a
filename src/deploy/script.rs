//! The text that a shell on a device runs: fixed functions, files as here-documents, and one call.
//!
//! A shell runs what it is given while it still reads, so a text that is cut off on its way must not begin anything: all but
//! the last line are functions and settings, and a call without `end` behind it does nothing.

use super::destination::Directory;
use super::plan::{Plan, PlannedFile, digest_of};
use super::session::LostSession;

/// The functions. `device.sh` says what each answers.
const FUNCTIONS: &str = include_str!("device.sh");

/// The files that a device loads, by target. There are others beside them for people, which no device needs.
pub fn files_of(target: &str) -> Option<&'static [&'static str]> {
    match target {
        "nftables" => Some(&["ruleset.nft"]),
        "iptables" => Some(&["load.sh", "rules.v4", "rules.v6", "sets.ipset"]),
        _ => None,
    }
}

/// What a device is to do.
#[derive(Clone, Copy, Debug)]
pub enum Order<'o> {
    /// Say what it runs.
    State,
    /// Load a plan, and go back after some seconds unless it is confirmed.
    Apply {
        /// The plan.
        plan: &'o Plan,
        /// The name of this apply.
        name: &'o ApplyName,
        /// How long it waits.
        seconds: u32,
    },
    /// Say how an apply stands.
    Status(&'o ApplyName),
    /// Keep the new rules.
    Confirm(&'o ApplyName),
    /// Go back to the old ones.
    Rollback(&'o ApplyName),
    /// End sessions, once it is confirmed.
    Cut {
        /// The apply.
        name: &'o ApplyName,
        /// The sessions.
        sessions: &'o [LostSession],
    },
}

/// What an apply is called on the device: the digest of its plan, and a number of its own, since a plan can be applied
/// twice and how the first ended says nothing of the second. Without the number, the last apply of the plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApplyName(String);

impl ApplyName {
    /// The name of one apply of a plan.
    pub fn new(plan: &Plan, number: u128) -> Self {
        ApplyName(format!("{}.{number}.", plan.digest()))
    }

    /// The name of the last apply of a plan.
    pub fn last_of(plan: &Plan) -> Self {
        ApplyName(format!("{}.", plan.digest()))
    }
}

/// The text for an order to a device with a target that [`files_of`] knows.
pub fn script(order: Order, target: &str, directory: &Directory) -> String {
    let (command, unpacked, arguments) = match order {
        Order::State => ("state", String::new(), String::new()),
        Order::Apply { plan, name, seconds } => ("apply", unpack(plan), format!("{} {seconds} ", name.0)),
        Order::Status(name) => ("status", String::new(), format!("{} ", name.0)),
        Order::Confirm(name) => ("confirm", String::new(), format!("{} ", name.0)),
        Order::Rollback(name) => ("rollback", String::new(), format!("{} ", name.0)),
        Order::Cut { name, sessions } => ("cut", list(sessions), format!("{} ", name.0)),
    };
    format!(
        "{FUNCTIONS}\n{unpacked}main {command} {target} {} {arguments}end </dev/null\n",
        directory.as_str()
    )
}

/// A function that writes the files of a plan into a directory.
fn unpack(plan: &Plan) -> String {
    let device = format!("{FUNCTIONS}\nmain \"$@\"\n");
    let mut text = String::from("unpack() {\nmkdir \"$1/new\" \"$1/old\" || return 1\n");
    text += &here_document("device.sh", &device);
    text += &here_document("expected", &plan.state);
    for PlannedFile { name, content } in &plan.files {
        text += &here_document(&format!("new/{name}"), content);
    }
    text + "}\n"
}

/// Writes a file. The word that ends it is made from its content, so no line of the content is that word.
fn here_document(name: &str, content: &str) -> String {
    let end = format!("end-{}", digest_of(content));
    let line_end = if content.is_empty() || content.ends_with('\n') { "" } else { "\n" };
    format!("cat >\"$1/{name}\" <<'{end}' || return 1\n{content}{line_end}{end}\n")
}

/// A function that prints sessions.
fn list(sessions: &[LostSession]) -> String {
    let lines: String = sessions.iter().map(LostSession::for_conntrack).collect();
    let end = format!("end-{}", digest_of(&lines));
    format!("sessions() {{\ncat <<'{end}'\n{lines}{end}\n}}\n")
}
