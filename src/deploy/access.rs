//! What an apply changes in access: the config that a device runs now, compared with the policy that it is to have.

use serde::{Deserialize, Serialize};

use crate::ir::{DeviceId, Policy};
use crate::prove::{Comparison, ConfigFile, Difference, Kind, Verdict, prove};
use crate::read::Family;

/// How many packets show one change.
const EXAMPLES: usize = 2;

/// What changes in access.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// What the device runs now.
    pub running: Running,
    /// What is allowed afterwards and is not now.
    pub opens: Vec<AccessChange>,
    /// What is allowed now and is not afterwards.
    pub closes: Vec<AccessChange>,
    /// Lines of the running config that were not understood, so that nothing is known of the change.
    pub unreadable: Vec<String>,
}

/// What a device runs of cordon.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Running {
    /// Nothing.
    Nothing,
    /// What means the same as the policy.
    Same,
    /// Something else.
    Different,
    /// What cannot be read back.
    Unreadable,
}

/// A set of packets whose verdict changes, between two interfaces.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessChange {
    /// `IPv4` or `IPv6`.
    pub family: String,
    /// The interface that packets arrive on.
    pub arrives: String,
    /// The interface that they leave by; none if they are for the device itself.
    pub leaves: Option<String>,
    /// Their state in connection tracking.
    pub state: String,
    /// How many there are, as nearly as a floating-point number can say.
    pub packets: f64,
    /// Some of them, with the statement that speaks of them.
    pub examples: Vec<String>,
}

/// Compares what a device runs with the policy. The files are by name, as a build names them.
pub fn access(policy: &Policy, device: DeviceId, running: &[(String, String)]) -> Access {
    let nothing =
        Access { running: Running::Nothing, opens: Vec::new(), closes: Vec::new(), unreadable: Vec::new() };
    if running.is_empty() {
        return nothing;
    }
    let files: Vec<ConfigFile> = running.iter().map(|(name, text)| ConfigFile { name, text }).collect();
    match prove(policy, device, &files) {
        Verdict::NoReader => Access { running: Running::Unreadable, ..nothing },
        Verdict::Unreadable(mistakes) => {
            let line = |line: Option<usize>| line.map_or_else(String::new, |line| format!(":{line}"));
            let unreadable = mistakes.iter().map(|m| format!("{}{}: {}", m.file, line(m.line), m.what));
            Access { running: Running::Unreadable, unreadable: unreadable.collect(), ..nothing }
        }
        Verdict::Compared(comparison) if comparison.is_equal() => {
            Access { running: Running::Same, ..nothing }
        }
        // What the running config opens beyond the policy is what the apply closes.
        Verdict::Compared(comparison) => Access {
            running: Running::Different,
            opens: changes(&comparison, Kind::Closed),
            closes: changes(&comparison, Kind::Opened),
            ..nothing
        },
    }
}

fn changes(comparison: &Comparison, kind: Kind) -> Vec<AccessChange> {
    comparison.differences.iter().filter(|difference| difference.kind == kind).map(change).collect()
}

fn change(difference: &Difference) -> AccessChange {
    let mut examples = Vec::new();
    for witness in &difference.witnesses {
        let statement = witness.statement.as_ref().map_or_else(String::new, |id| format!(": `{id}`"));
        examples.push(format!("{} ({} to {}){statement}", witness.packet, witness.from, witness.to));
    }
    // Packets that differ in their TCP flags or in time only look alike here.
    examples.dedup();
    examples.truncate(EXAMPLES);
    AccessChange {
        family: match difference.family {
            Family::V4 => "IPv4".to_owned(),
            Family::V6 => "IPv6".to_owned(),
        },
        arrives: difference.arrives.clone(),
        leaves: difference.leaves.clone(),
        state: difference.state.to_owned(),
        packets: difference.packets,
        examples,
    }
}
