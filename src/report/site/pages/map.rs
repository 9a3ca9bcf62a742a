//! The map of zones, and the same as a table.

use super::first;
use crate::ir::ZoneId;
use crate::report::site::document::{Block, Inlines, Link, Page, Row, joined, link, plain, small};
use crate::report::site::map;
use crate::report::site::view::Site;
use crate::report::site::words;

pub(super) const FILE: &str = "map";

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let rows = site.zones().map(|(id, zone)| {
        Row::new([vec![words::zone(site, id)], vec![words::or_unsaid(zone.tier.as_ref())], goals(site, id)])
    });
    let blocks = vec![
        Block::says(
            "A line is drawn where a rule lets one zone open connections to the other; its heads show which of the two accepts \
             them, and its width how many rules there are. Point at a zone, or go to it with the keyboard, to see its own lines \
             alone. Inside a zone, no enforcement point filters.",
        ),
        Block::Drawing(map::zones(site)),
        Block::heading("list", "The same as a table"),
        Block::table(
            "For each zone, the zones to which it may open connections, with the number of rules",
            &["Zone", "Tier", "May open connections to"],
            rows,
        ),
    ];
    let lead = "All zones by tier, and the access between them that the rules leave after everything that is forbidden.";
    vec![first(FILE, "Zone map", lead, blocks)]
}

/// The zones that a zone may open connections to.
fn goals(site: &Site, id: ZoneId) -> Inlines {
    let goals = site.openings.leaving(id).map(|(to, openings)| {
        let name = link(site.policy[to].name.clone(), Link { ..site.conduit(id, to) });
        vec![name, small(format!(" {}", openings.len()))]
    });
    let parts = joined(goals, &plain(", "));
    if parts.is_empty() { vec![plain("nothing")] } else { parts }
}
