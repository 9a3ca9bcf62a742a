//! What is said of storms on the ports of a switch.
//!
//! Everything is said of every port, also what is turned off, so that nothing of an earlier build or of somebody's hand
//! stays: levels that the policy does not have, and the action that shuts a port, which only people could open again.

use super::view::Binding;
use crate::ir::{Port, StormKind};
use crate::plan::DevicePlan;

/// Kinds that cordon never limits: therapy is unicast, and a level for it drops that too.
const NEVER: [&str; 1] = ["unicast"];

/// The ports of a switch, with their commands.
pub(super) fn ports(plan: &DevicePlan) -> Vec<Binding> {
    let binding = |port: &Port| Binding {
        interface: port.name.clone(),
        zones: super::text::harmless(&plan.policy[port.zone].name),
        commands: commands(port),
    };
    plan.device.ports.iter().map(binding).collect()
}

fn commands(port: &Port) -> Vec<String> {
    let level = |(kind, rate): (StormKind, Option<u32>)| match rate {
        Some(rate) => format!("storm-control {} level pps {rate}", kind.word()),
        None => format!("no storm-control {} level", kind.word()),
    };
    let trap = match port.storms().any(|(_, rate)| rate.is_some()) {
        true => "storm-control action trap",
        false => "no storm-control action trap",
    };
    let off = NEVER.map(|kind| format!("no storm-control {kind} level"));
    // A port that would be shut must not be limited before that is taken back.
    let mut commands = vec!["no storm-control action shutdown".to_owned()];
    commands.extend(off);
    commands.extend(port.storms().map(level));
    commands.push(trap.to_owned());
    commands
}
