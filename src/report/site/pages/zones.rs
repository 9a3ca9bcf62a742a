//! Zones: a table of all, and a page for each with all that may leave and enter it.

use super::{access, first, further};
use crate::ir::{Zone, ZoneId};
use crate::report::site::document::{
    Block, Fact, Inlines, Link, Page, Row, code, joined, link, plain, small,
};
use crate::report::site::view::Site;
use crate::report::site::words;

pub(super) const FILE: &str = "zones";

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let rows = site.zones().map(|(id, zone)| {
        Row::new([
            vec![words::zone(site, id)],
            vec![words::or_unsaid(zone.about.note.as_ref())],
            vec![words::or_unsaid(zone.tier.as_ref())],
            vec![zone.vlan.map_or_else(|| small("not said"), |vlan| plain(vlan.to_string()))],
            vec![words::criticality(zone.criticality)],
            vec![words::phi(zone.phi)],
            vec![words::or_unsaid(zone.about.owner.as_ref())],
            vec![plain(site.openings.leaving(id).count().to_string())],
            vec![plain(site.openings.entering(id).count().to_string())],
        ])
    });
    let columns =
        ["Zone", "What stands there", "Tier", "VLAN", "If it fails", "PHI", "Owner", "Opens to", "Open from"];
    let blocks = vec![
        Block::table("All zones; the last two columns count the zones at the other end", &columns, rows),
        Block::says(
            "A zone is a set of networks that share a fate: what stands in one zone is not filtered from each other by any \
             enforcement point of this policy.",
        ),
    ];
    let list = first(
        FILE,
        "Zones",
        "What may stand together, who answers for it, and how much it may reach.",
        blocks,
    );
    std::iter::once(list).chain(site.zones().map(|(id, zone)| page(site, id, zone))).collect()
}

fn page(site: &Site, id: ZoneId, zone: &Zone) -> Page {
    let mut blocks = vec![Block::Facts { items: facts(site, id, zone) }];
    blocks.extend(held(site, id));
    blocks.push(Block::heading("leaving", "What may leave it"));
    let before = blocks.len();
    for (to, openings) in site.openings.leaving(id) {
        let name = &site.policy[to].name;
        blocks.push(Block::subheading(format!("to-{name}"), vec![plain("To "), words::zone(site, to)]));
        let mut parts = vec![plain("Enforced by ")];
        parts.extend(words::crossed(site, id, to));
        blocks.push(Block::Paragraph { parts });
        let rows = openings.iter().map(|opening| access::row(site, (id, to), opening));
        let caption = format!("From {} to {name}: {}", zone.name, words::count(openings.len(), "rule"));
        blocks.push(Block::table(caption, &access::COLUMNS, rows));
    }
    if blocks.len() == before {
        blocks.push(Block::says("Nothing may open a connection from here to another zone."));
    }
    blocks.push(Block::heading("entering", "What may enter it"));
    let entering: Vec<Inlines> = site
        .openings
        .entering(id)
        .map(|(from, openings)| {
            let rules = words::count(openings.len(), "rule");
            vec![words::zone(site, from), plain(": "), link(rules, site.conduit(from, id))]
        })
        .collect();
    blocks.push(if entering.is_empty() {
        Block::says("Nothing may open a connection to here from another zone.")
    } else {
        Block::List { items: entering }
    });
    let lead = zone.about.note.as_ref().map(|note| vec![plain(note)]).unwrap_or_default();
    further(FILE, "Zone", site.zone_page(id).page, &zone.name, lead, blocks)
}

fn facts(site: &Site, id: ZoneId, zone: &Zone) -> Vec<Fact> {
    let fact = |label, parts| Fact { label, parts };
    let places = site.policy.devices.iter().flat_map(|device| {
        let here = device.interfaces.iter().filter(move |interface| interface.zones.contains(&id));
        here.map(|interface| {
            let to = Link::to("enforcement", format!("device-{}", device.name));
            vec![code(&device.name).leading(to), plain(" at "), code(&interface.name)]
        })
    });
    let places = joined(places, &plain(", "));
    let addresses = if zone.is_rest {
        vec![plain("everything that no other zone holds")]
    } else {
        words::all_ranges(&zone.addresses)
    };
    let mut facts = vec![
        fact("Addresses", addresses),
        fact("Tier", vec![words::or_unsaid(zone.tier.as_ref())]),
        fact("If it fails", vec![words::criticality(zone.criticality)]),
        fact("PHI", vec![words::phi(zone.phi)]),
        fact("Owner", vec![words::or_unsaid(zone.about.owner.as_ref())]),
        fact("Attached to", if places.is_empty() { vec![small("no enforcement point")] } else { places }),
        fact("Written in", vec![code(site.place(zone.span))]),
    ];
    if let Some(vlan) = zone.vlan {
        facts.insert(1, fact("VLAN", vec![plain(vlan.to_string())]));
    }
    facts
}

/// The classes and servers of a zone.
fn held(site: &Site, id: ZoneId) -> Option<Block> {
    let rows: Vec<Row> = site
        .held(id)
        .iter()
        .map(|one| {
            Row::new([
                vec![words::endpoint(site, one)],
                vec![plain(if one.is_class { "class" } else { "server" })],
                vec![words::or_unsaid(one.about.note.as_ref())],
                words::some_ranges(&one.addresses, &site.endpoint_page(one)),
            ])
        })
        .collect();
    let columns = ["Name", "Kind", "What it is", "Addresses"];
    (!rows.is_empty()).then(|| Block::table("Classes and servers in this zone", &columns, rows))
}
