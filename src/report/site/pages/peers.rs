//! Servers: the peers of the policy, each with who may reach it and what it may reach.

use super::access::{End, by_rule, ends};
use super::{first, further};
use crate::ir::Opening;
use crate::ir::{Endpoint, RuleIndex, ZoneId};
use crate::report::site::document::{Block, Fact, Inlines, Page, Row, code, plain};
use crate::report::site::view::Site;
use crate::report::site::words;

pub(super) const FILE: &str = "servers";

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let peers: Vec<&Endpoint> = site.policy.endpoints.iter().filter(|one| !one.is_class).collect();
    let rows = peers.iter().map(|peer| {
        let entering = by_rule(site.entering(peer.zone, &peer.addresses)).len();
        let leaving = by_rule(site.leaving(peer.zone, &peer.addresses)).len();
        Row::new([
            vec![words::endpoint(site, peer)],
            vec![words::or_unsaid(peer.about.note.as_ref())],
            vec![words::zone(site, peer.zone)],
            words::some_ranges(&peer.addresses, &site.endpoint_page(peer)),
            vec![plain(words::count(entering, "rule"))],
            vec![plain(words::count(leaving, "rule"))],
        ])
    });
    let columns = ["Server", "What it is", "Zone", "Addresses", "Reached by", "May reach by"];
    let blocks =
        vec![Block::table("All peers: roles that servers play, with their addresses", &columns, rows)];
    let lead = "The servers that devices and people may reach, and who that is for each.";
    let list = first(FILE, "Servers", lead, blocks);
    std::iter::once(list).chain(peers.iter().map(|peer| page(site, peer))).collect()
}

fn page(site: &Site, peer: &Endpoint) -> Page {
    let fact = |label, parts| Fact { label, parts };
    let mut blocks = vec![Block::Facts {
        items: vec![
            fact("Zone", vec![words::zone(site, peer.zone)]),
            fact("Addresses", words::all_ranges(&peer.addresses)),
            fact("PHI", vec![words::phi(peer.phi.or(site.policy[peer.zone].phi))]),
            fact(
                "If it fails",
                vec![words::criticality(peer.criticality.or(site.policy[peer.zone].criticality))],
            ),
            fact(
                "Owner",
                vec![words::or_unsaid(
                    peer.about.owner.as_ref().or(site.policy[peer.zone].about.owner.as_ref()),
                )],
            ),
            fact("Written in", vec![code(site.place(peer.span))]),
        ],
    }];
    let entering = by_rule(site.entering(peer.zone, &peer.addresses));
    let leaving = by_rule(site.leaving(peer.zone, &peer.addresses));
    blocks.push(Block::heading("entering", "Who may reach it"));
    blocks.push(table(site, End::Source, &entering, "Nothing may reach it from another zone."));
    blocks.push(Block::heading("leaving", "What it may reach"));
    blocks.push(table(site, End::Destination, &leaving, "It may reach nothing in another zone."));
    let lead: Inlines = peer.about.note.as_ref().map(|note| vec![plain(note)]).unwrap_or_default();
    further(FILE, "Server", site.endpoint_page(peer).page, &peer.name, lead, blocks)
}

fn table(site: &Site, end: End, rules: &[(RuleIndex, Vec<(ZoneId, Opening)>)], none: &str) -> Block {
    if rules.is_empty() {
        return Block::says(none);
    }
    let rows = rules.iter().filter_map(|(index, openings)| {
        let (_, first) = openings.first()?;
        let rule = &site.policy[*index];
        Some(Row::new([
            vec![words::rule(site, *index)],
            ends(site, end, openings),
            words::services(site, first),
            words::encryption(site, first),
            words::about(site, &rule.about, site.policy.schedule_of(rule)),
        ]))
    });
    let (caption, other) = match end {
        End::Source => ("Connections that it accepts, by rule", "From"),
        End::Destination => ("Connections that it may open, by rule", "To"),
    };
    Block::table(caption, &["Rule", other, "Over", "On the way", "Who answers, and why"], rows)
}
