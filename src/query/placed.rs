//! Where a statement went: the lines of each config that name it, and what the config does with packets that it decides on.
//!
//! Both come from the config as it is read back: lines by the label that the config gives them, and the verdict by
//! following packets. A statement whose packets others decide on has nothing to follow.

use std::collections::BTreeSet;

use serde::Serialize;

use super::path::{Configs, Emitted, Hop, hops};
use crate::emit::is_label_of;
use crate::ir::{Decider, DeviceId, Policy};
use crate::prove::ReadBack;
use crate::set::Packet;

/// How much of a config is shown.
const SHOWN: usize = 3;

/// What the config of an enforcement point has of a statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Placed {
    /// The enforcement point.
    pub device: String,
    /// The kind of config that it takes.
    pub target: String,
    /// False if none of the packets that the statement speaks of comes here.
    pub on_path: bool,
    /// False if the config could not be read back, or there is no reader for it.
    pub read_back: bool,
    /// How many lines are labelled with the statement, those about replies and guards too.
    pub lines: usize,
    /// The first lines: those that decide on the packets that were followed, then others with its label.
    pub shown: Vec<Emitted>,
    /// How many packets of the statement were followed through the config.
    pub followed: usize,
    /// What it does with them, as [`Hop::does`].
    pub does: Vec<&'static str>,
    /// False if it does something else with one of them than the policy says.
    pub agrees: bool,
    /// What else is to be known of it.
    pub remarks: Vec<String>,
}

/// Finds a statement in all configs. `on_path` names the enforcement points that its packets cross, `packets` are some on
/// which no other statement decides.
pub(super) fn placed(
    policy: &Policy,
    configs: &Configs,
    id: &str,
    on_path: &BTreeSet<DeviceId>,
    packets: &[Packet],
) -> Vec<Placed> {
    let decider = Decider::new(policy);
    let hops: Vec<Hop> = packets.iter().flat_map(|packet| hops(policy, &decider, packet, configs)).collect();
    let devices = (0..policy.devices.len()).map(DeviceId);
    let all = devices.map(|device| {
        let own: Vec<&Hop> = hops.iter().filter(|hop| hop.device == policy[device].name).collect();
        at(policy, configs, id, device, &own, on_path.contains(&device))
    });
    all.filter(|one| one.on_path || one.lines > 0).collect()
}

fn at(
    policy: &Policy,
    configs: &Configs,
    id: &str,
    device: DeviceId,
    hops: &[&Hop],
    on_path: bool,
) -> Placed {
    let (name, target) = (policy[device].name.clone(), policy[device].target.clone());
    let forth = || hops.iter().filter(|hop| !hop.reply);
    let mut placed = Placed {
        device: name,
        on_path,
        read_back: false,
        lines: 0,
        shown: Vec::new(),
        followed: forth().count(),
        does: forth().map(|hop| hop.does).collect::<BTreeSet<_>>().into_iter().collect(),
        agrees: hops.iter().all(|hop| hop.agrees),
        remarks: Vec::new(),
        target,
    };
    for remark in hops.iter().flat_map(|hop| &hop.remarks) {
        if !placed.remarks.contains(remark) {
            placed.remarks.push(remark.clone());
        }
    }
    match configs.of(device) {
        Some(ReadBack::Config(config)) => {
            let labelled = config.labelled(|label| is_label_of(&placed.target, label, id));
            let labelled: Vec<Emitted> = labelled.iter().map(|line| configs.emitted(device, line)).collect();
            let deciding = hops.iter().flat_map(|hop| &hop.lines).filter(|line| labelled.contains(line));
            for line in deciding.chain(&labelled) {
                if placed.shown.len() < SHOWN && !placed.shown.contains(line) {
                    placed.shown.push(line.clone());
                }
            }
            (placed.read_back, placed.lines) = (true, labelled.len());
        }
        Some(ReadBack::Unreadable(_)) => placed.agrees = false,
        Some(ReadBack::NoReader) | None => {}
    }
    placed
}

/// In words, for people.
impl std::fmt::Display for Placed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Placed { device, target, does, lines, .. } = self;
        let lines = match lines {
            _ if !self.read_back => "its config was not read back".to_owned(),
            0 => "no line names it".to_owned(),
            1 => "1 line names it".to_owned(),
            many => format!("{many} lines name it"),
        };
        let does = match (self.on_path, does.is_empty() || !self.read_back) {
            (false, _) => "not on its way, ".to_owned(),
            (true, true) => String::new(),
            (true, false) => format!("{}, ", does.join(" and ")),
        };
        writeln!(f, "  in      {device} ({target}): {does}{lines}")?;
        if !self.agrees {
            writeln!(f, "          NOT WHAT THE POLICY SAYS: do not load this config; please report it")?;
        }
        for remark in &self.remarks {
            writeln!(f, "          {remark}")?;
        }
        self.shown.iter().try_for_each(|line| write!(f, "{line}"))
    }
}
