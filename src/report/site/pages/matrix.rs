//! The access matrix: for each pair of zones, the rules that open anything between them.

use super::{access, first};
use crate::ir::Opening;
use crate::ir::ZoneId;
use crate::report::site::document::{Block, Matrix, MatrixCell, MatrixRow, Page, Panel, Table, plain};
use crate::report::site::view::{Carries, Encryption, Site};
use crate::report::site::words;

pub(super) const FILE: &str = "matrix";

/// How many rules a panel shows; the page of the zone has all.
const SHOWN: usize = 25;

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let zones: Vec<ZoneId> = site.tiers().into_iter().flat_map(|(_, zones)| zones).collect();
    let rows = zones.iter().map(|from| MatrixRow {
        zone: words::zone(site, *from),
        cells: zones.iter().map(|to| cell(site, *from, *to)).collect(),
    });
    let matrix = Matrix {
        caption: "From the zone of the row to the zone of the column: how many rules allow something"
            .to_owned(),
        columns: zones.iter().map(|to| words::zone(site, *to)).collect(),
        rows: rows.collect(),
        panels: site.openings.iter().map(|(zones, openings)| panel(site, zones, openings)).collect(),
    };
    let pairs = zones.len() * zones.len().saturating_sub(1);
    let open = site.openings.count();
    let says = format!(
        "Of {} from one zone to another, {} are open. Each number opens into the rules behind it. What is shown is what is left \
         of the allows after the forbids, for all addresses, protocols and ports; a rule that opens nothing between two zones is \
         not counted there. Replies to what is allowed pass too.",
        words::count(pairs, "way"),
        words::grouped(open),
    );
    let blocks = vec![Block::says(says), Block::Matrix(matrix)];
    vec![first(FILE, "Access matrix", "Who may open connections to whom, zone by zone.", blocks)]
}

fn cell(site: &Site, from: ZoneId, to: ZoneId) -> MatrixCell {
    let (source, goal) = (&site.policy[from].name, &site.policy[to].name);
    let openings = site.openings.of(from, to);
    if from == to {
        let label = format!("inside {source}: no enforcement point filters here");
        return MatrixCell { class: "same", count: 0, id: String::new(), to: None, label };
    }
    let rules = words::count(openings.len(), "rule");
    MatrixCell {
        class: class(site, (from, to), openings),
        count: openings.len(),
        id: id(site, (from, to)),
        to: (!openings.is_empty()).then(|| site.conduit(from, to)),
        label: format!("{source} to {goal}: {rules}"),
    }
}

fn class(site: &Site, zones: (ZoneId, ZoneId), openings: &[Opening]) -> &'static str {
    let mut phi = openings.iter().filter(|opening| site.carries(zones, opening) == Carries::Phi).peekable();
    if openings.is_empty() {
        "none"
    } else if phi.peek().is_none() {
        "other"
    } else if phi.all(|opening| site.encryption(opening) == Encryption::Whole) {
        "phi"
    } else {
        "phi-clear"
    }
}

/// The name of a panel. No name of a zone holds a dot.
fn id(site: &Site, (from, to): (ZoneId, ZoneId)) -> String {
    format!("at.{}.{}", site.policy[from].name, site.policy[to].name)
}

fn panel(site: &Site, zones: (ZoneId, ZoneId), openings: &[Opening]) -> Panel {
    let (from, to) = zones;
    let title = format!("From {} to {}", site.policy[from].name, site.policy[to].name);
    let mut path = vec![plain("Enforced by ")];
    path.extend(words::crossed(site, from, to));
    let rows = openings.iter().take(SHOWN).map(|opening| access::row(site, zones, opening));
    let caption = format!("{}: {}", title, words::count(openings.len(), "rule"));
    let table = Table { is_long: false, ..Table::new(caption, &access::COLUMNS, rows) };
    Panel {
        id: id(site, zones),
        title,
        path,
        table,
        left_out: openings.len().saturating_sub(SHOWN),
        to: site.conduit(from, to),
    }
}
