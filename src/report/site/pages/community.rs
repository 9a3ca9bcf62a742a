//! For everyone: what each zone is for, in plain words, and what to report.

use super::first;
use crate::ir::{Criticality, Phi, Zone, ZoneId};
use crate::report::site::document::{
    Block, Inline, Inlines, Page, Style, joined, line_end, link, plain, small,
};
use crate::report::site::view::Site;

pub(super) const FILE: &str = "community";

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let mut blocks = vec![
        Block::says(
            "The network of the house is divided into zones, like a ship into compartments. Devices in a zone may talk only to \
             those places elsewhere that they need for their work. So trouble in one zone, such as a virus, has a hard time \
             getting to the next one.",
        ),
        Block::heading("report", "What to report"),
        Block::says("Tell the owner of the zone, or the service desk, when you see one of these:"),
        Block::List {
            items: REPORTS
                .iter()
                .map(|(what, why)| vec![Inline::new(Style::Strong, *what), plain(*why)])
                .collect(),
        },
        Block::heading("zones", "What each zone is for"),
    ];
    for (tier, zones) in site.tiers() {
        blocks.push(Block::subheading("", vec![plain(tier.unwrap_or_else(|| "Other zones".to_owned()))]));
        let items = zones.into_iter().map(|id| about(site, id, &site.policy[id]));
        blocks.push(Block::List { items: items.collect() });
    }
    let lead = "A page for everyone who works in the house: what the zones of the network are for, and what to report.";
    vec![first(FILE, "For everyone", lead, blocks)]
}

/// What people see first when something is wrong, and why it matters.
const REPORTS: [(&str, &str); 6] = [
    (
        "A device that was moved or plugged in somewhere else.",
        " It may be in the wrong zone, and then it is cut off from its server, or stands among devices that it must not reach.",
    ),
    (
        "A new device, also one on trial or on loan.",
        " Nobody answers for it yet: it may have no access at all, or more than it should.",
    ),
    (
        "A device that has lost its server.",
        " Do not work around it with another cable or network. Say since when, and which device.",
    ),
    ("A stranger at a device or a socket, or a cable that you do not know.", " Ask who sent them, and call."),
    (
        "Somebody of a vendor who asks for access.",
        " Sessions of vendors come in one way only, are agreed on before, and are attended.",
    ),
    (
        "A message that asks for money or a password, files that no longer open, or a screen that nobody touched.",
        " Leave the device on, touch nothing, and call at once.",
    ),
];

fn about(site: &Site, id: ZoneId, zone: &Zone) -> Inlines {
    let mut parts = vec![link(zone.name.clone(), site.zone_page(id)), plain(": ")];
    parts.push(zone.about.note.as_ref().map_or_else(|| plain("nobody has said what it is for"), plain));
    parts.push(plain("."));
    parts.extend(match zone.criticality {
        Some(Criticality::Life) => Some(Inline::new(Style::Strong, " Lives can depend on it.")),
        Some(Criticality::Care) => Some(plain(" The care of patients depends on it.")),
        Some(Criticality::Ops) | None => None,
    });
    parts.extend(match zone.phi {
        Some(Phi::Store) => Some(plain(" It keeps information on patients.")),
        Some(Phi::Transit) => Some(plain(" Information on patients passes through it.")),
        Some(Phi::None) | None => None,
    });
    let goals =
        site.openings.leaving(id).map(|(to, _)| vec![link(site.policy[to].name.clone(), site.zone_page(to))]);
    let goals = joined(goals, &plain(", "));
    if goals.is_empty() {
        parts.push(plain(" It may start no conversation with another zone."));
    } else {
        parts.push(plain(" It may start conversations with "));
        parts.extend(goals);
        parts.push(plain("."));
    }
    if let Some(owner) = &zone.about.owner {
        parts.extend([line_end(), small(format!("Who to ask: {owner}"))]);
    }
    parts
}
