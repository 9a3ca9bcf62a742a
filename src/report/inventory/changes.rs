//! What changed between two exports of one inventory, in devices and in the classes that they are in.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{columns, shown};
use crate::ir::{Asset, Classification, Phi, Placement, Policy, Risk};

/// What changed, each list by name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Changes {
    /// The inventory.
    pub inventory: String,
    /// Devices that are new, with the classes that they are in now.
    pub came: Vec<Change>,
    /// Devices that are gone, with the classes that they were in.
    pub went: Vec<Change>,
    /// Devices of which something else is known now.
    pub changed: Vec<Change>,
    /// How many devices are as they were.
    pub same: usize,
}

/// A device of which something changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// What changed, with what it was and what it is.
    pub what: BTreeMap<&'static str, (String, String)>,
}

impl Changes {
    /// Compares the devices of an inventory under two policies that differ in its table alone.
    ///
    /// A device is told by its name; where several have the same, by the order of their rows.
    pub fn new(inventory: &str, old: &Policy, new: &Policy) -> Self {
        let (before, now) = (described(inventory, old), described(inventory, new));
        let mut changes = Changes {
            inventory: inventory.to_owned(),
            came: Vec::new(),
            went: Vec::new(),
            changed: Vec::new(),
            same: 0,
        };
        let nothing = Facts::default();
        for (key, facts) in &now {
            match before.get(key) {
                Some(then) if then == facts => changes.same += 1,
                Some(then) => changes.changed.push(Change::new(key, then, facts)),
                None => changes.came.push(Change::new(key, &nothing, facts)),
            }
        }
        for (key, facts) in before.iter().filter(|(key, _)| !now.contains_key(*key)) {
            changes.went.push(Change::new(key, facts, &nothing));
        }
        changes
    }

    /// True if nothing changed.
    pub fn is_empty(&self) -> bool {
        self.came.is_empty() && self.went.is_empty() && self.changed.is_empty()
    }
}

/// What is known of a device, by the name of what it is.
type Facts = BTreeMap<&'static str, String>;

/// A name, and how many devices before it have the same.
type Key = (String, usize);

fn described(inventory: &str, policy: &Policy) -> BTreeMap<Key, Facts> {
    let classification = Classification::new(policy);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut devices = BTreeMap::new();
    for (asset, placement) in classification.of(policy).filter(|(asset, _)| *asset.inventory == *inventory) {
        let again = seen.entry(&asset.name).or_insert(0);
        devices.insert((asset.name.to_string(), *again), facts(policy, asset, placement));
        *again += 1;
    }
    devices
}

fn facts(policy: &Policy, asset: &Asset, placement: &Placement) -> Facts {
    let list = |texts: Vec<String>| texts.join(", ");
    let classes = placement.endpoints.iter().map(|id| policy[*id].name.clone()).collect();
    let zones = placement.zones.iter().map(|id| policy[*id].name.clone()).collect();
    let facts = [
        ("class", list(classes)),
        ("zone", list(zones)),
        ("address", list(asset.addresses.iter().map(ToString::to_string).collect())),
        ("mac", list(asset.macs.iter().map(ToString::to_string).collect())),
        ("type", shown(&asset.kind)),
        ("vendor", shown(&asset.vendor)),
        ("model", shown(&asset.model)),
        ("os", shown(&asset.os)),
        ("owner", shown(&asset.owner)),
        ("risk", asset.risk.map_or("", Risk::word).to_owned()),
        ("phi", asset.phi.map_or("", Phi::word).to_owned()),
        ("supported until", asset.supported_until.map_or_else(String::new, |until| until.to_string())),
    ];
    facts.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

impl Change {
    fn new((name, _): &Key, then: &Facts, now: &Facts) -> Self {
        let names = then.keys().chain(now.keys());
        let text = |facts: &Facts, name: &str| facts.get(name).cloned().unwrap_or_default();
        let what = names.map(|what| (*what, (text(then, what), text(now, what))));
        Change { name: shown(name), what: what.filter(|(_, (then, now))| then != now).collect() }
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Changes { inventory, came, went, changed, same } = self;
        let (new, gone, other) = (came.len(), went.len(), changed.len());
        writeln!(f, "{inventory}: {new} came, {gone} went, {other} changed, {same} are as they were")?;
        let first = |change: &Change, now: bool| {
            let text = |what: &str| {
                let (then, after) = change.what.get(what).cloned().unwrap_or_default();
                if now { after } else { then }
            };
            let class = text("class");
            let class = if class.is_empty() { "in no class".to_owned() } else { class };
            vec![change.name.clone(), text("address"), class]
        };
        if !came.is_empty() {
            let rows: Vec<_> = came.iter().map(|change| first(change, true)).collect();
            write!(f, "\ncame\n{}", columns(&rows))?;
        }
        if !went.is_empty() {
            let rows: Vec<_> = went.iter().map(|change| first(change, false)).collect();
            write!(f, "\nwent\n{}", columns(&rows))?;
        }
        if !changed.is_empty() {
            let or_nothing =
                |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
            let rows = changed.iter().map(|change| {
                let what = change.what.iter().map(|(what, (then, now))| {
                    format!("{what}: {} -> {}", or_nothing(then), or_nothing(now))
                });
                vec![change.name.clone(), what.collect::<Vec<_>>().join("; ")]
            });
            write!(f, "\nchanged\n{}", columns(&rows.collect::<Vec<_>>()))?;
        }
        Ok(())
    }
}
