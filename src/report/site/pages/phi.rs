//! Flows that can carry protected health information, as far as the policy says where it is.

use super::{access, first};
use crate::ir::Opening;
use crate::ir::{Phi, ZoneId};
use crate::report::site::document::{Block, Link, Number, Page, Row};
use crate::report::site::view::{Carries, Encryption, Site};
use crate::report::site::words;

pub(super) const FILE: &str = "phi";

/// What is open between two zones.
type Flow<'s> = ((ZoneId, ZoneId), &'s Opening);

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let both = flows(site, Carries::Phi);
    let one = flows(site, Carries::OneEnd);
    let unsaid = flows(site, Carries::Unsaid);
    let (encrypted, clear): (Vec<Flow>, Vec<Flow>) =
        both.iter().copied().partition(|(_, opening)| site.encryption(opening) == Encryption::Whole);
    let outward: Vec<Flow> = one
        .iter()
        .copied()
        .filter(|((from, _), opening)| site.phi(*from, &opening.sources) == Some(Phi::Store))
        .collect();
    let number =
        |value, label: &str, anchor| Number { value, label: label.to_owned(), to: Link::to(FILE, anchor) };
    let mut blocks = vec![
        Block::says(
            "A flow is one rule between two zones. It is listed as one that can carry PHI if the policy says of both of its ends \
             that they keep or pass it, of a class or server where that is said, or else of the zone; and if it does not say of its \
             services that they carry none. cordon does not look into packets, and that a service is encrypted is what the policy says of it.",
        ),
        Block::Numbers {
            items: vec![
                number(clear.len(), "PHI flows over services that are not all marked encrypted", "clear"),
                number(encrypted.len(), "PHI flows over encrypted services", "encrypted"),
                number(outward.len(), "flows from where PHI is kept to where none belongs", "outward"),
                number(unsaid.len(), "flows of which the policy does not say", "unsaid"),
            ],
        },
    ];
    blocks.extend(section(site, "clear", "PHI over services that are not all marked encrypted", &clear));
    blocks.extend(section(site, "encrypted", "PHI over encrypted services", &encrypted));
    blocks.extend(section(site, "outward", "From where PHI is kept to where none belongs", &outward));
    blocks.extend(section(site, "unsaid", "Flows of which the policy does not say", &unsaid));
    blocks.push(Block::heading("places", "Where PHI is"));
    blocks.push(places(site));
    let lead = "Where protected health information is kept, which flows can carry it, and whether they are said to be encrypted.";
    vec![first(FILE, "PHI flows", lead, blocks)]
}

/// All flows of a kind, by zones.
pub(super) fn flows<'s>(site: &'s Site, kind: Carries) -> Vec<Flow<'s>> {
    let all = site.openings.iter().flat_map(|(zones, openings)| openings.iter().map(move |one| (zones, one)));
    all.filter(|(zones, opening)| site.carries(*zones, opening) == kind).collect()
}

fn section(site: &Site, id: &str, title: &str, flows: &[Flow]) -> [Block; 2] {
    let table = if flows.is_empty() {
        Block::says("None.")
    } else {
        let rows = flows.iter().map(|(zones, opening)| access::row(site, *zones, opening));
        Block::table(format!("{title}: {}", words::count(flows.len(), "flow")), &access::COLUMNS, rows)
    };
    [Block::heading(id, title), table]
}

fn places(site: &Site) -> Block {
    let rows =
        site.zones().filter(|(_, zone)| zone.phi.is_some_and(|phi| phi != Phi::None)).map(|(id, zone)| {
            Row::new([
                vec![words::zone(site, id)],
                vec![words::or_unsaid(zone.about.note.as_ref())],
                vec![words::phi(zone.phi)],
                vec![words::or_unsaid(zone.about.owner.as_ref())],
            ])
        });
    Block::table("Zones that keep or pass PHI", &["Zone", "What stands there", "PHI", "Owner"], rows)
}
