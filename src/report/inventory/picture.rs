//! The common operating picture: how many devices there are of what, where, and which of them need attention.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{columns, shown};
use crate::check::Doubts;
use crate::ir::{Asset, Classification, Conduits, Criticality, Phi, Policy, Risk};
use crate::source::Sources;

/// The picture of all devices.
#[derive(Clone, Debug, Serialize)]
pub struct Picture {
    /// The inventories by name, with the number of their devices.
    pub inventories: BTreeMap<String, usize>,
    /// How many devices there are.
    pub devices: usize,
    /// How many of them have no address.
    pub without_address: usize,
    /// Zones with devices, and zones with classes, by name.
    pub zones: Vec<ZoneCount>,
    /// Classes, by name.
    pub classes: Vec<ClassCount>,
    /// Devices that need attention, by why.
    pub attention: Vec<Attention>,
}

/// The devices of a zone.
#[derive(Clone, Debug, Serialize)]
pub struct ZoneCount {
    /// The zone.
    pub zone: String,
    /// How many devices have an address in it.
    pub devices: usize,
    /// How many of these are in no class and are no peer.
    pub unclassified: usize,
    /// What the zone has of protected health information.
    pub phi: &'static str,
    /// What its loss would touch.
    pub criticality: &'static str,
}

/// The devices of a class.
#[derive(Clone, Debug, Serialize)]
pub struct ClassCount {
    /// The class.
    pub class: String,
    /// Its zone.
    pub zone: String,
    /// How many devices it has.
    pub devices: usize,
    /// How many of these are of high or critical risk.
    pub high_risk: usize,
    /// How many of these are past the end of their support.
    pub past_support: usize,
    /// The models of its devices, most frequent first, with their number.
    pub models: Vec<(String, usize)>,
    /// Who answers for it.
    pub owner: String,
}

/// Devices that need attention for one reason.
#[derive(Clone, Debug, Serialize)]
pub struct Attention {
    /// Why.
    pub why: String,
    /// The devices.
    pub devices: Vec<Known>,
}

/// What is known of a device.
#[derive(Clone, Debug, Serialize)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// What kind of device it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who makes it.
    pub vendor: String,
    /// Its model.
    pub model: String,
    /// Where its row stands.
    pub row: String,
}

impl Picture {
    /// Draws it.
    pub fn new(policy: &Policy, sources: &Sources) -> Self {
        let classification = Classification::new(policy);
        let mut inventories = BTreeMap::new();
        for asset in &policy.assets {
            *inventories.entry(asset.inventory.to_string()).or_insert(0) += 1;
        }
        let without_address = policy.assets.iter().filter(|asset| asset.addresses.is_empty()).count();
        Picture {
            inventories,
            devices: policy.assets.len(),
            without_address,
            zones: zones(policy, &classification),
            classes: classes(policy, &classification),
            attention: attention(policy, &classification, sources),
        }
    }
}

fn zones(policy: &Policy, classification: &Classification) -> Vec<ZoneCount> {
    let count = |zone: &crate::ir::Zone| ZoneCount {
        zone: zone.name.clone(),
        devices: 0,
        unclassified: 0,
        phi: zone.phi.map_or("", Phi::word),
        criticality: zone.criticality.map_or("", Criticality::word),
    };
    let mut zones: Vec<ZoneCount> = policy.zones.iter().map(count).collect();
    for (_, placement) in classification.of(policy) {
        for id in &placement.zones {
            if let Some(zone) = zones.get_mut(id.0) {
                zone.devices += 1;
                zone.unclassified += usize::from(placement.endpoints.is_empty());
            }
        }
    }
    zones.retain(|zone| zone.devices > 0);
    zones
}

fn classes(policy: &Policy, classification: &Classification) -> Vec<ClassCount> {
    let mut models: Vec<BTreeMap<&str, usize>> = policy.endpoints.iter().map(|_| BTreeMap::new()).collect();
    let count = |class: &crate::ir::Endpoint| ClassCount {
        class: class.name.clone(),
        zone: policy[class.zone].name.clone(),
        devices: 0,
        high_risk: 0,
        past_support: 0,
        models: Vec::new(),
        owner: class.about.owner.clone().unwrap_or_default(),
    };
    let mut counts: Vec<ClassCount> = policy.endpoints.iter().map(count).collect();
    for (asset, placement) in classification.of(policy) {
        for id in &placement.endpoints {
            let (Some(count), Some(models)) = (counts.get_mut(id.0), models.get_mut(id.0)) else { continue };
            count.devices += 1;
            count.high_risk += usize::from(asset.risk.or(policy[*id].risk) >= Some(Risk::High));
            count.past_support += usize::from(asset.is_past_support(policy.as_of));
            *models.entry(&asset.model).or_insert(0) += 1;
        }
    }
    for (count, models) in counts.iter_mut().zip(models) {
        count.models = models.into_iter().map(|(model, number)| (model.to_owned(), number)).collect();
        count.models.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    }
    let is_class = policy.endpoints.iter().map(|endpoint| endpoint.is_class);
    counts.into_iter().zip(is_class).filter(|(_, is_class)| *is_class).map(|(count, _)| count).collect()
}

fn attention(policy: &Policy, classification: &Classification, sources: &Sources) -> Vec<Attention> {
    let doubts = Doubts::new(policy, &Conduits::new(policy), classification);
    let mut attention = Vec::new();
    let mut add = |why: String, places: &[usize]| {
        let devices = places.iter().filter_map(|place| policy.assets.get(*place));
        let devices: Vec<Known> = devices.map(|asset| known(asset, sources)).collect();
        if !devices.is_empty() {
            attention.push(Attention { why, devices });
        }
    };
    let waiting = classification
        .of(policy)
        .enumerate()
        .filter(|(_, (_, placement))| placement.endpoints.iter().any(|id| policy[*id].takes_unclassified));
    let waiting: Vec<usize> = waiting.map(|(place, _)| place).collect();
    add("in no class".to_owned(), &doubts.unclassified);
    add("only in a class of what is unclassified".to_owned(), &waiting);
    for ((one, other), places) in &doubts.doubles {
        let (one, other) = (&policy[*one].name, &policy[*other].name);
        add(format!("both `{one}` and `{other}`, which have different rules"), places);
    }
    add("elsewhere than the inventory says".to_owned(), &doubts.moved);
    add("in no zone but the rest".to_owned(), &doubts.outside);
    add("nobody answers for them".to_owned(), &doubts.orphans);
    for (class, places) in &doubts.late {
        let of = class.map_or("in no class".to_owned(), |id| format!("of `{}`", policy[id].name));
        add(format!("past the end of the vendor's support, {of}"), places);
    }
    for (class, reachable) in &doubts.reachable {
        let (class, from) = (&policy[*class].name, &reachable.from);
        add(format!("of high risk in `{class}`, reachable from {from}"), &reachable.assets);
    }
    add("with an address that another device has too".to_owned(), &doubts.shared);
    attention
}

fn known(asset: &Asset, sources: &Sources) -> Known {
    let row = sources.locate(asset.span);
    Known {
        name: shown(&asset.name),
        addresses: asset.addresses.iter().map(ToString::to_string).collect(),
        kind: shown(&asset.kind),
        vendor: shown(&asset.vendor),
        model: shown(&asset.model),
        row: format!("{}:{}", row.path, row.line),
    }
}

impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inventories = self.inventories.iter().map(|(name, number)| format!("{number} in {name}"));
        let inventories = inventories.collect::<Vec<_>>().join(", ");
        writeln!(f, "{} devices ({inventories}), {} without an address", self.devices, self.without_address)?;
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<String>>();
        let mut rows = vec![row(&["zone", "devices", "in no class", "phi", "criticality"])];
        for ZoneCount { zone, devices, unclassified, phi, criticality } in &self.zones {
            rows.push(row(&[zone, &devices.to_string(), &unclassified.to_string(), phi, criticality]));
        }
        write!(f, "\nzones\n{}", columns(&rows))?;
        let mut rows = vec![row(&[
            "class",
            "zone",
            "devices",
            "high risk",
            "past support",
            "owner",
            "most frequent model",
        ])];
        for class in &self.classes {
            let numbers =
                [class.devices, class.high_risk, class.past_support].map(|number| number.to_string());
            let [devices, high_risk, past_support] = &numbers;
            let model = class.models.first().map_or_else(String::new, |(model, _)| shown(model));
            let ClassCount { class, zone, owner, .. } = class;
            rows.push(row(&[class, zone, devices, high_risk, past_support, &shown(owner), &model]));
        }
        write!(f, "\nclasses\n{}", columns(&rows))?;
        for Attention { why, devices } in &self.attention {
            let rows: Vec<_> = devices.iter().map(Known::cells).collect();
            write!(f, "\n{why}: {}\n{}", devices.len(), columns(&rows))?;
        }
        Ok(())
    }
}

impl Known {
    fn cells(&self) -> Vec<String> {
        let kind = [&self.kind, &self.vendor, &self.model].into_iter().filter(|text| !text.is_empty());
        let kind: Vec<&str> = kind.map(String::as_str).collect();
        vec![self.name.clone(), self.addresses.join(", "), kind.join(", "), self.row.clone()]
    }
}
