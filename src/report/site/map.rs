//! Drawings: zones by tier with the conduits between them, and enforcement points with their links.
//!
//! Where everything stands is computed here, in whole units; the template puts shapes there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::document::Link;
use super::view::{Carries, Encryption, Site};
use super::words;
use crate::ir::{Criticality, Phi, ZoneId};

/// A drawing.
#[derive(Clone, Serialize, Debug)]
pub(super) struct Drawing {
    /// The name of its own file, without the ending.
    pub(super) file: &'static str,
    pub(super) title: String,
    pub(super) description: String,
    width: i64,
    height: i64,
    bands: Vec<Band>,
    lines: Vec<Line>,
    nodes: Vec<Node>,
    legend: Vec<Key>,
}

/// A strip over the whole width, with its name.
#[derive(Clone, Serialize, Debug)]
struct Band {
    label: String,
    y: i64,
    height: i64,
}

/// A line between two boxes.
#[derive(Clone, Serialize, Debug)]
struct Line {
    class: &'static str,
    title: String,
    one: String,
    other: String,
    /// Where it has heads.
    to_one: bool,
    to_other: bool,
    path: String,
    width: String,
}

/// A box that leads to a page.
#[derive(Clone, Serialize, Debug)]
struct Node {
    name: String,
    title: String,
    class: &'static str,
    to: Link,
    x: i64,
    y: i64,
    width: i64,
    height: i64,
    /// `store`, `transit` or nothing: the mark at its left.
    stripe: &'static str,
    is_double: bool,
    texts: Vec<Text>,
}

/// A line of text in a box.
#[derive(Clone, Serialize, Debug)]
struct Text {
    class: &'static str,
    y: i64,
    text: String,
    /// The length that it is squeezed into, or 0 where it fits.
    length: i64,
}

/// What a sign means.
#[derive(Clone, Serialize, Debug)]
struct Key {
    class: &'static str,
    x: i64,
    y: i64,
    text_x: i64,
    text: &'static str,
}

const WIDTH: i64 = 1200;
/// The size of a box of a zone, the space between two, and where boxes begin, behind the names of tiers.
const BOX: (i64, i64) = (146, 42);
const GAP: i64 = 14;
const LEFT: i64 = 130;
/// How many zones stand beside each other.
const PER_ROW: usize = 6;
/// The space between rows of one tier, and above and below the rows of a tier.
const ROW_GAP: i64 = 34;
const TIER_GAP: i64 = 30;

/// What signs mean: where each is, how wide, and its words.
const LEGEND: [(&str, i64, i64, &str); 6] = [
    ("store", 130, 8, "keeps PHI"),
    ("transit", 232, 8, "passes PHI"),
    ("life", 342, 22, "lives depend on it"),
    ("phi", 506, 26, "PHI, all of it encrypted"),
    ("phi-clear", 706, 26, "PHI, not all said to be encrypted"),
    ("other", 966, 26, "other access"),
];

/// Where a box stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    x: i64,
    y: i64,
    row: usize,
}

impl Place {
    fn middle(self) -> i64 {
        self.x + BOX.0 / 2
    }
}

/// What is drawn between two zones: how many rules each way, and of which kind.
#[derive(Clone, Copy, Default, Debug)]
struct Conduit {
    /// Rules from the first to the second, by name, and back.
    forth: usize,
    back: usize,
    phi: bool,
    phi_clear: bool,
}

/// The map of zones.
pub(super) fn zones(site: &Site) -> Drawing {
    let conduits = conduits(site);
    let rows = ordered(rows(site), &conduits);
    let (places, bands, bottom) = stand(site, &rows);
    let lines = conduit_lines(site, &conduits, &places);
    let nodes = site.zones().filter_map(|(id, _)| Some(zone_box(site, id, *places.get(&id)?))).collect();
    let y = bottom + 24;
    let legend = LEGEND.map(|(class, x, sign, text)| Key { class, x, y, text_x: x + sign + 8, text });
    Drawing {
        file: "map-zones",
        title: "Zones by tier, and the access between them".to_owned(),
        description: format!(
            "{} in {}; {} of zones with access between them. The table below the drawing says the same.",
            words::count(site.policy.zones.len(), "zone"),
            words::count(bands.len(), "tier"),
            words::count(conduits.len(), "pair"),
        ),
        width: WIDTH,
        height: bottom + 40,
        bands,
        lines,
        nodes,
        legend: legend.to_vec(),
    }
}

fn conduits(site: &Site) -> BTreeMap<(ZoneId, ZoneId), Conduit> {
    let mut conduits: BTreeMap<(ZoneId, ZoneId), Conduit> = BTreeMap::new();
    for ((from, to), openings) in site.openings.iter() {
        let conduit = conduits.entry((from.min(to), from.max(to))).or_default();
        if from < to {
            conduit.forth += openings.len();
        } else {
            conduit.back += openings.len();
        }
        for opening in openings {
            let is_phi = site.carries((from, to), opening) == Carries::Phi;
            conduit.phi |= is_phi;
            conduit.phi_clear |= is_phi && site.encryption(opening) != Encryption::Whole;
        }
    }
    conduits
}

/// The zones in rows, by tier; those without one come last.
fn rows(site: &Site) -> Vec<(String, Vec<ZoneId>)> {
    let mut rows = Vec::new();
    for (tier, zones) in site.tiers() {
        let tier = tier.unwrap_or_default();
        let count = zones.len().div_ceil(PER_ROW);
        let each = zones.len().div_ceil(count.max(1)).max(1);
        rows.extend(zones.chunks(each).map(|row| (tier.clone(), row.to_vec())));
    }
    rows
}

/// The rows with their zones so ordered that lines are short: each stands near the middle of what it is joined with.
fn ordered(
    mut rows: Vec<(String, Vec<ZoneId>)>,
    conduits: &BTreeMap<(ZoneId, ZoneId), Conduit>,
) -> Vec<(String, Vec<ZoneId>)> {
    for _ in 0..4 {
        let mut at: BTreeMap<ZoneId, i64> = BTreeMap::new();
        for (_, row) in &rows {
            at.extend(row.iter().copied().zip(middles(row.len())));
        }
        for (_, row) in &mut rows {
            let pull = |id: ZoneId| {
                let others = conduits.keys().filter_map(|(one, other)| match (*one == id, *other == id) {
                    (true, _) => at.get(other),
                    (_, true) => at.get(one),
                    _ => None,
                });
                let others: Vec<i64> = others.copied().collect();
                let count = i64::try_from(others.len()).unwrap_or(1).max(1);
                let own = at.get(&id).copied().unwrap_or_default();
                if others.is_empty() { own } else { others.iter().sum::<i64>() / count }
            };
            row.sort_by_key(|id| (pull(*id), *id));
        }
    }
    rows
}

/// The left edges of so many boxes, spread over the width.
fn middles(count: usize) -> impl Iterator<Item = i64> {
    let count = i64::try_from(count).unwrap_or(1).max(1);
    let space = WIDTH - LEFT - GAP;
    (0..count).map(move |place| LEFT + (2 * place + 1) * space / (2 * count) - BOX.0 / 2)
}

/// Where each zone stands, the bands of the tiers, and where the drawing ends.
fn stand(site: &Site, rows: &[(String, Vec<ZoneId>)]) -> (BTreeMap<ZoneId, Place>, Vec<Band>, i64) {
    let mut places = BTreeMap::new();
    let mut bands: Vec<Band> = Vec::new();
    let mut y = 0;
    let has_tiers = site.policy.zones.iter().any(|zone| zone.tier.is_some());
    let mut last: Option<&str> = None;
    for (number, (tier, row)) in rows.iter().enumerate() {
        let starts = last != Some(tier.as_str());
        let gap = if starts { TIER_GAP } else { ROW_GAP };
        if starts {
            let label = match (tier.as_str(), has_tiers) {
                ("", true) => "no tier".to_owned(),
                (tier, _) => tier.chars().take(16).collect(),
            };
            bands.push(Band { label, y, height: 0 });
        } else {
            y -= TIER_GAP;
        }
        y += gap;
        places.extend(row.iter().copied().zip(middles(row.len()).map(|x| Place { x, y, row: number })));
        y += BOX.1 + TIER_GAP;
        if let Some(band) = bands.last_mut() {
            band.height = y - band.y;
        }
        last = Some(tier);
    }
    (places, bands, y)
}

fn zone_box(site: &Site, id: ZoneId, place: Place) -> Node {
    let zone = &site.policy[id];
    let (out, into) = (site.openings.leaving(id).count(), site.openings.entering(id).count());
    let stripe = match zone.phi {
        Some(Phi::Store) => "store",
        Some(Phi::Transit) => "transit",
        Some(Phi::None) | None => "",
    };
    let about = zone.about.note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
    Node {
        name: zone.name.clone(),
        title: format!("{}{about}", zone.name),
        class: "zone",
        to: site.zone_page(id),
        x: place.x,
        y: place.y,
        width: BOX.0,
        height: BOX.1,
        stripe,
        is_double: zone.criticality == Some(Criticality::Life),
        texts: vec![text("name", 18, &zone.name), text("", 33, &format!("to {out}, from {into}"))],
    }
}

/// A line of text, squeezed into a box if it is too long.
fn text(class: &'static str, y: i64, text: &str) -> Text {
    const FITS: usize = 16;
    let length = if text.chars().count() > FITS { BOX.0 - 24 } else { 0 };
    Text { class, y, text: text.to_owned(), length }
}

/// The lines of all conduits: those that want attention on top.
fn conduit_lines(
    site: &Site,
    conduits: &BTreeMap<(ZoneId, ZoneId), Conduit>,
    places: &BTreeMap<ZoneId, Place>,
) -> Vec<Line> {
    let ports = ports(conduits, places);
    let mut lines: Vec<(u8, Line)> = Vec::new();
    for ((one, other), conduit) in conduits {
        let (Some(from), Some(to)) = (places.get(one), places.get(other)) else { continue };
        let port = |id: &ZoneId, other: &ZoneId, place: &Place| {
            ports.get(&(*id, *other)).copied().unwrap_or_else(|| place.middle())
        };
        let (x1, x2) = (port(one, other, from), port(other, one, to));
        let (rank, class) = match (conduit.phi_clear, conduit.phi) {
            (true, _) => (2, "phi-clear"),
            (false, true) => (1, "phi"),
            (false, false) => (0, "other"),
        };
        let (one, other) = (&site.policy[*one].name, &site.policy[*other].name);
        let said = |from: &str, to: &str, count: usize| match count {
            0 => None,
            count => Some(format!("{from} to {to}: {}", words::count(count, "rule"))),
        };
        let titles = [said(one, other, conduit.forth), said(other, one, conduit.back)];
        let line = Line {
            class,
            title: titles.into_iter().flatten().collect::<Vec<_>>().join("; "),
            one: one.clone(),
            other: other.clone(),
            to_one: conduit.back > 0,
            to_other: conduit.forth > 0,
            path: curve(*from, *to, x1, x2),
            width: width(conduit.forth + conduit.back),
        };
        lines.push((rank, line));
    }
    lines.sort_by_key(|(rank, _)| *rank);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The width of a line, by its number of rules.
fn width(rules: usize) -> String {
    match rules {
        0..=1 => "1.1",
        2..=3 => "1.8",
        4..=7 => "2.6",
        _ => "3.6",
    }
    .to_owned()
}

/// Where each line leaves its box: lines to one side of a box stand beside each other, in the order of where they go.
fn ports(
    conduits: &BTreeMap<(ZoneId, ZoneId), Conduit>,
    places: &BTreeMap<ZoneId, Place>,
) -> BTreeMap<(ZoneId, ZoneId), i64> {
    let mut sides: BTreeMap<(ZoneId, bool), Vec<(i64, ZoneId)>> = BTreeMap::new();
    for (one, other) in conduits.keys() {
        let (Some(here), Some(there)) = (places.get(one), places.get(other)) else { continue };
        sides.entry((*one, there.row > here.row)).or_default().push((there.middle(), *other));
        sides.entry((*other, here.row > there.row)).or_default().push((here.middle(), *one));
    }
    let mut ports = BTreeMap::new();
    for ((zone, _), mut goals) in sides {
        goals.sort_unstable();
        let Some(place) = places.get(&zone) else { continue };
        let count = i64::try_from(goals.len()).unwrap_or(1);
        for (number, (_, goal)) in (1..).zip(goals) {
            ports.insert((zone, goal), place.x + 10 + number * (BOX.0 - 20) / (count + 1));
        }
    }
    ports
}

/// A curve from one box to another: down from the upper one, or over both where they stand beside each other.
fn curve(one: Place, other: Place, x1: i64, x2: i64) -> String {
    if one.row == other.row {
        let rise = (x1 - x2).abs() / 8 + 14;
        return format!("M{x1} {y} C{x1} {top} {x2} {top} {x2} {y}", y = one.y, top = one.y - rise.min(46));
    }
    let (y1, y2) = match one.row < other.row {
        true => (one.y + BOX.1, other.y),
        false => (one.y, other.y + BOX.1),
    };
    let bend = (y2 - y1) * 2 / 5;
    format!("M{x1} {y1} C{x1} {} {x2} {} {x2} {y2}", y1 + bend, y2 - bend)
}

/// How many zones are named in the box of an enforcement point.
const ZONES_NAMED: usize = 14;

/// The drawing of enforcement points: the one with the most links first, and each below the one that it is reached by.
pub(super) fn enforcement(site: &Site) -> Drawing {
    let rows = device_rows(site);
    let mut places: BTreeMap<&str, (i64, i64, i64)> = BTreeMap::new();
    let mut nodes = Vec::new();
    let mut y = 16;
    for row in &rows {
        let count = i64::try_from(row.len()).unwrap_or(1).max(1);
        let wide = ((WIDTH - 20) / count - 24).clamp(90, 240);
        let mut tallest = 0;
        for (number, name) in (0..).zip(row) {
            let drawn = device_box(
                site,
                name,
                (20 + (2 * number + 1) * (WIDTH - 40) / (2 * count) - wide / 2, y),
                wide,
            );
            tallest = tallest.max(drawn.height);
            places.insert(name, (drawn.x + wide / 2, y, drawn.height));
            nodes.push(drawn);
        }
        y += tallest + 64;
    }
    let links = site.policy.devices.iter().flat_map(|device| {
        device
            .interfaces
            .iter()
            .filter_map(|interface| Some((device.name.as_str(), interface.link.as_ref()?)))
    });
    let mut drawn: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut lines = Vec::new();
    for (one, link) in links {
        let (first, second) = (one.min(&link.to), one.max(&link.to));
        let (Some(from), Some(to)) = (places.get(first), places.get(second)) else { continue };
        if drawn.insert((first, second)) {
            lines.push(device_line((first, *from), (second, *to), link.backup));
        }
    }
    Drawing {
        file: "map-enforcement",
        title: "Enforcement points, the links between them, and the zones behind them".to_owned(),
        description: format!(
            "{} and {} between them. The tables below the drawing say the same.",
            words::count(site.policy.devices.len(), "enforcement point"),
            words::count(lines.len(), "link"),
        ),
        width: WIDTH,
        height: y - 40,
        bands: Vec::new(),
        lines,
        nodes,
        legend: Vec::new(),
    }
}

/// Enforcement points by how many links they are away from the one with the most; those that no link reaches come last.
fn device_rows<'p>(site: &Site<'p>) -> Vec<Vec<&'p str>> {
    let policy = site.policy;
    let near = |name: &str| -> BTreeSet<&'p str> {
        let device = policy.devices.iter().find(|device| device.name == name);
        let interfaces = device.into_iter().flat_map(|device| &device.interfaces);
        interfaces.filter_map(|interface| interface.link.as_ref().map(|link| link.to.as_str())).collect()
    };
    let mut left: Vec<&str> = policy.devices.iter().map(|device| device.name.as_str()).collect();
    left.sort_by_key(|name| std::cmp::Reverse(near(name).len()));
    let mut rows: Vec<Vec<&str>> = left.first().map(|first| vec![vec![*first]]).unwrap_or_default();
    left = left.split_off(left.len().min(1));
    while !left.is_empty() {
        let reached: BTreeSet<&str> = rows.last().into_iter().flatten().flat_map(|name| near(name)).collect();
        let (mut row, rest): (Vec<&str>, Vec<&str>) = left.iter().partition(|name| reached.contains(*name));
        left = rest;
        if row.is_empty() {
            row = std::mem::take(&mut left);
        }
        row.sort_unstable();
        rows.extend(row.chunks(6).map(<[&str]>::to_vec));
    }
    rows
}

fn device_box(site: &Site, name: &str, (x, y): (i64, i64), width: i64) -> Node {
    let device = site.policy.devices.iter().find(|device| device.name == name);
    let target = device.map_or("", |device| device.target.as_str());
    let zones: Vec<&str> = device
        .into_iter()
        .flat_map(|device| device.interfaces.iter().flat_map(|interface| &interface.zones))
        .map(|zone| site.policy[*zone].name.as_str())
        .collect();
    let mut lines: Vec<String> = vec![target.to_owned()];
    lines.extend(zones.iter().take(ZONES_NAMED).map(|zone| (*zone).to_owned()));
    if zones.len() > ZONES_NAMED {
        lines.push(format!("and {} more", zones.len() - ZONES_NAMED));
    }
    let squeezed = |text: &str, per: i64| {
        let length = i64::try_from(text.chars().count()).unwrap_or(0) * per;
        if length > width - 24 { width - 24 } else { 0 }
    };
    let mut texts = vec![Text { class: "name", y: 20, text: name.to_owned(), length: squeezed(name, 8) }];
    for (line, offset) in lines.iter().zip((38..).step_by(16)) {
        texts.push(Text { class: "", y: offset, text: line.clone(), length: squeezed(line, 6) });
    }
    let height = 34 + 16 * i64::try_from(lines.len()).unwrap_or(0);
    Node {
        name: name.to_owned(),
        title: format!("{name}, {target}"),
        class: "device",
        to: Link::to("enforcement", format!("device-{name}")),
        x,
        y,
        width,
        height,
        stripe: "",
        is_double: false,
        texts,
    }
}

fn device_line(
    (one, from): (&str, (i64, i64, i64)),
    (other, to): (&str, (i64, i64, i64)),
    backup: bool,
) -> Line {
    let (upper, lower) = if from.1 <= to.1 { (from, to) } else { (to, from) };
    let (x1, x2) = (upper.0, lower.0);
    let path = if upper.1 == lower.1 {
        format!(
            "M{x1} {} C{x1} {} {x2} {} {x2} {}",
            upper.1 + upper.2,
            upper.1 + upper.2 + 40,
            lower.1 + lower.2 + 40,
            lower.1 + lower.2
        )
    } else {
        let (y1, y2) = (upper.1 + upper.2, lower.1);
        format!("M{x1} {y1} C{x1} {} {x2} {} {x2} {y2}", y1 + 30, y2 - 30)
    };
    Line {
        class: if backup { "phi-clear" } else { "link" },
        title: format!("{one} and {other}{}", if backup { ", backup" } else { "" }),
        one: one.to_owned(),
        other: other.to_owned(),
        to_one: false,
        to_other: false,
        path,
        width: "1.6".to_owned(),
    }
}
