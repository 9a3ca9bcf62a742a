//! Storm-control on the ports that a policy speaks of. It drops frames by their rate, so no diagram has it: what a config
//! says of each port is compared with what the policy says of it, word by word. Of other ports a policy says nothing.

use serde::Serialize;

use super::Comparison;
use crate::ir::{Device, Port};
use crate::read::{Model, StormControl, StormLevel};

/// A port that does something else in storms than its policy says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StormDifference {
    /// The port.
    pub port: String,
    /// What its config has, in words.
    pub config: String,
    /// The line of the config, counted from one, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What the policy says instead, in words.
    pub policy: String,
}

/// Compares the ports of a device with what its config says of them.
pub(super) fn compare(device: &Device, models: &[Model]) -> Comparison {
    let nothing = StormControl::default();
    let storms = device.ports.iter().flat_map(|port| {
        let found = models.iter().find_map(|model| model.storms.get(&port.name)).unwrap_or(&nothing);
        of_port(port, found)
    });
    Comparison { compared: device.ports.len(), storms: storms.collect(), ..Comparison::default() }
}

fn of_port(port: &Port, found: &StormControl) -> Vec<StormDifference> {
    let difference = |config: String, line, policy: String| {
        let port = port.name.clone();
        StormDifference { port, config, line, policy }
    };
    let mut differences = Vec::new();
    for (kind, wanted) in port.storms() {
        let kind = kind.word();
        let level = found.levels.get(kind);
        let same = match (level, wanted) {
            (None, None) => true,
            (Some(level), Some(wanted)) => level.packets_per_second == Some(u64::from(wanted)),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !same {
            let config = level.map_or_else(|| format!("no storm-control {kind}"), |level| words(kind, level));
            let line = level.map(|level| level.line);
            differences.push(difference(config, line, stated(kind, wanted)));
        }
    }
    let own = |kind: &str| port.storms().any(|(own, _)| own.word() == kind);
    for (kind, level) in found.levels.iter().filter(|(kind, _)| !own(kind)) {
        differences.push(difference(words(kind, level), Some(level.line), stated(kind, None)));
    }
    if found.shutdown.is_some() {
        let (config, policy) = ("storm-control action shutdown", "no port is shut by a machine");
        differences.push(difference(config.to_owned(), found.shutdown, policy.to_owned()));
    }
    let limited = port.storms().any(|(_, rate)| rate.is_some());
    if limited && found.trap.is_none() {
        let (config, policy) = ("no storm-control action trap", "a storm is told by a trap");
        differences.push(difference(config.to_owned(), None, policy.to_owned()));
    }
    differences
}

fn words(kind: &str, level: &StormLevel) -> String {
    format!("storm-control {kind} {}", level.text)
}

fn stated(kind: &str, rate: Option<u32>) -> String {
    match rate {
        Some(rate) => format!("`{kind} {rate}/second`"),
        None => format!("no limit for {kind}"),
    }
}
