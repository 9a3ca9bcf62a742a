//! Enforcement points: what they are, what is attached to them, how they are linked, and who may administer them.

use super::first;
use crate::ir::{Device, DeviceId, DeviceKind, Management};
use crate::report::site::document::{Block, Fact, Inlines, Page, Row, code, joined, link, plain, small};
use crate::report::site::map;
use crate::report::site::view::Site;
use crate::report::site::words;

pub(super) const FILE: &str = "enforcement";

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let mut blocks = Vec::new();
    if site.policy.devices.is_empty() {
        blocks.push(Block::Notice {
            parts: vec![plain("The policy has no enforcement point, so nothing enforces it.")],
        });
    } else {
        blocks.push(Block::Drawing(map::enforcement(site)));
    }
    let mut carried = vec![0_usize; site.policy.devices.len()];
    for ((from, to), _) in site.openings.iter() {
        for device in site.crossed(from, to) {
            if let Some(count) = carried.get_mut(device.0) {
                *count += 1;
            }
        }
    }
    for ((id, device), carried) in (0..).map(DeviceId).zip(&site.policy.devices).zip(carried) {
        blocks.extend(device_blocks(site, id, device, carried));
    }
    blocks.push(Block::heading("administration", "Who may administer them"));
    blocks.push(managements(site));
    let lead = "The firewalls and switches that enforce the policy. Each has the whole policy as its filter, for what crosses it.";
    vec![first(FILE, "Enforcement points", lead, blocks)]
}

fn device_blocks(site: &Site, id: DeviceId, device: &Device, carried: usize) -> Vec<Block> {
    let fact = |label, parts| Fact { label, parts };
    let kind = match device.kind {
        DeviceKind::Firewall => "firewall",
        DeviceKind::Switch => "switch",
    };
    let links = device.interfaces.iter().filter_map(|interface| {
        let other = interface.link.as_ref()?;
        let mut parts = vec![device_link(&other.to), plain(" at "), code(&interface.name)];
        if other.cost != 1 {
            parts.push(small(format!(" cost {}", other.cost)));
        }
        if other.backup {
            parts.push(small(" backup"));
        }
        Some(parts)
    });
    let links = joined(links, &plain(", "));
    let mut items = vec![
        fact("Kind", vec![plain(format!("{kind}, ")), code(&device.target)]),
        fact("Linked with", if links.is_empty() { vec![plain("none")] } else { links }),
        fact("Conduits across it", vec![plain(format!("{carried} of {}", site.openings.count()))]),
        fact("Guards kept", guards(site, device)),
        fact("Written in", vec![code(site.place(device.span))]),
    ];
    if let Some(tcam) = device.tcam {
        items.insert(1, fact("Room for entries", vec![plain(words::grouped(tcam as usize))]));
    }
    let rows = device.interfaces.iter().filter(|interface| !interface.zones.is_empty()).map(|interface| {
        let zones = interface.zones.iter().map(|zone| vec![words::zone(site, *zone)]);
        Row::new([vec![code(&interface.name)], joined(zones, &plain(", "))])
    });
    let rows: Vec<Row> = rows.collect();
    let name = &site.policy[id].name;
    let mut blocks = vec![
        Block::Heading { level: 2, id: format!("device-{name}"), parts: vec![code(name)] },
        Block::Facts { items },
    ];
    if !rows.is_empty() {
        blocks.push(Block::table(format!("Zones attached to {name}"), &["Interface", "Zones"], rows));
    }
    blocks
}

fn device_link(name: &str) -> crate::report::site::document::Inline {
    code(name).leading(crate::report::site::document::Link::to(FILE, format!("device-{name}")))
}

fn guards(site: &Site, device: &Device) -> Inlines {
    let kept = site.policy.guards.iter().filter(|guard| site.keeps(device, guard));
    let parts = joined(
        kept.map(|guard| {
            let to = crate::report::site::document::Link::to("guards", format!("guard-{}", guard.id));
            vec![link(guard.id.clone(), to)]
        }),
        &plain(", "),
    );
    if parts.is_empty() { vec![plain("none")] } else { parts }
}

fn managements(site: &Site) -> Block {
    if site.policy.managements.is_empty() {
        return Block::says("No statement lets anybody open a connection to an enforcement point.");
    }
    let rows = site.policy.managements.iter().map(|manage| {
        Row::named(
            format!("manage-{}", manage.id),
            [
                vec![code(&manage.id)],
                vec![code(&manage.from.text)],
                targets(manage),
                vec![code(manage.services.to_string())],
                words::about(site, &manage.about, None),
                vec![code(site.place(manage.span))],
            ],
        )
    });
    let columns = ["Statement", "From", "To", "Over", "Who answers, and why", "Where"];
    Block::table("Connections to the enforcement points themselves", &columns, rows)
}

fn targets(manage: &Management) -> Inlines {
    if manage.devices.is_empty() {
        return vec![plain("all of them")];
    }
    joined(manage.devices.iter().map(|name| vec![device_link(name)]), &plain(", "))
}
