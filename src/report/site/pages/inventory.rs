//! What inventories know: devices that are in no class, and what each class is made of.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::first;
use crate::ir::{Asset, Endpoint};
use crate::report::site::document::{
    Block, Inline, Inlines, Link, Number, Page, Row, Style, code, joined, line_end, plain, small,
};
use crate::report::site::view::{Site, Unclassified};
use crate::report::site::words;

pub(super) const FILE: &str = "inventory";

/// How many unclassified devices are listed; `cordon inventory` lists all.
const LISTED: usize = 2_000;

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let lead = "The devices that inventories know, those of them that nobody has given a class, and what each class is made of.";
    if site.policy.assets.is_empty() {
        let says = "The policy names no inventory, so this report knows classes by their addresses alone: not which devices are \
                    there, of what model and with what software, nor which are in no class.";
        return vec![first(FILE, "Inventory", lead, vec![Block::Notice { parts: vec![plain(says)] }])];
    }
    let mut blocks = vec![Block::Numbers { items: numbers(site) }];
    blocks.push(Block::heading("unclassified", "Unclassified devices"));
    blocks.extend(unclassified(site));
    blocks.push(Block::heading("classes", "What classes are made of"));
    blocks.push(classes(site));
    blocks.push(Block::says(
        "A device is where its addresses are. One that has several may stand in several classes, and is counted in each.",
    ));
    vec![first(FILE, "Inventory", lead, blocks)]
}

fn numbers(site: &Site) -> Vec<Number> {
    let caught = site.unclassified.iter().filter(|device| device.class.is_some()).count();
    let past = site.policy.assets.iter().filter(|asset| asset.is_past_support(site.policy.as_of)).count();
    let number =
        |value, label: &str, anchor| Number { value, label: label.to_owned(), to: Link::to(FILE, anchor) };
    vec![
        number(site.policy.assets.len(), "devices in inventories", "classes"),
        number(site.unclassified.len(), "unclassified", "unclassified"),
        number(caught, "of these in a class for what has none", "unclassified"),
        number(past, "past the end of the vendor's support", "classes"),
    ]
}

fn unclassified(site: &Site) -> Vec<Block> {
    if site.unclassified.is_empty() {
        return vec![Block::says(
            "None: somebody has given a class to each device of the inventories, or it is a server.",
        )];
    }
    let rows = site.unclassified.iter().take(LISTED).map(|device| row(site, device));
    let columns = ["Device", "Addresses", "What it is", "Zone", "Class", "Risk", "Owner", "Where"];
    let caption = words::count(site.unclassified.len(), "device")
        + " that nobody has given a class: in none, or in one that takes what has no other";
    let mut blocks = vec![Block::table(caption, &columns, rows)];
    if site.unclassified.len() > LISTED {
        let left = words::grouped(site.unclassified.len() - LISTED);
        blocks.push(Block::Paragraph {
            parts: vec![
                plain(format!("And {left} more, which this command lists: ")),
                code("cordon inventory ."),
            ],
        });
    }
    blocks
}

fn row(site: &Site, device: &Unclassified) -> Row {
    let Unclassified { asset, zones, class } = device;
    let addresses = asset.addresses.iter().map(|address| vec![code(address.to_string())]);
    let addresses = joined(addresses, &plain(", "));
    let here = joined(zones.iter().map(|zone| vec![words::zone(site, *zone)]), &plain(", "));
    Row::new([
        vec![plain(&*asset.name)],
        if addresses.is_empty() { vec![small("none")] } else { addresses },
        vec![plain(what(asset))],
        if here.is_empty() { vec![Inline::new(Style::Attention, "no zone")] } else { here },
        vec![class.map_or_else(|| small("none"), |class| words::endpoint(site, class))],
        vec![words::risk(asset.risk)],
        vec![said(&asset.owner)],
        vec![code(site.place(asset.span))],
    ])
}

/// What a device is: kind, vendor and model, as far as they are known.
fn what(asset: &Asset) -> String {
    let parts = [&asset.kind, &asset.vendor, &asset.model, &asset.os];
    parts.into_iter().filter(|part| !part.is_empty()).map(|part| &**part).collect::<Vec<_>>().join(", ")
}

fn said(text: &str) -> Inline {
    if text.is_empty() { small("not said") } else { plain(text) }
}

fn classes(site: &Site) -> Block {
    let rows = site.policy.endpoints.iter().filter(|one| one.is_class).map(|class| {
        let devices = site.devices_of(class);
        let past = devices.iter().filter(|asset| asset.is_past_support(site.policy.as_of)).count();
        let ends = devices.iter().filter_map(|asset| asset.supported_until).min();
        Row::new([
            vec![words::endpoint(site, class)],
            vec![plain(words::grouped(devices.len()))],
            vec![plain(words::grouped(kinds(devices).len()))],
            vec![plain(words::grouped(past))],
            vec![ends.map_or_else(|| small("not said"), |date| words::until_tag(site, date))],
        ])
    });
    let columns = ["Class", "Devices", "Models", "Past support", "First end of support"];
    Block::table("What inventories know of each class", &columns, rows)
}

/// Devices that are alike: vendor, model and software.
type Kind<'a> = (&'a str, &'a str, &'a str);

/// The kinds of devices among some, each with how many there are and the first end of their support.
fn kinds<'a>(devices: &[&'a Asset]) -> BTreeMap<Kind<'a>, (usize, Option<Date>)> {
    let mut kinds: BTreeMap<Kind, (usize, Option<Date>)> = BTreeMap::new();
    for asset in devices {
        let (count, end) = kinds.entry((&asset.vendor, &asset.model, &asset.os)).or_default();
        *count += 1;
        *end = match (*end, asset.supported_until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    kinds
}

/// How many kinds of devices the page of a class lists.
const KINDS_LISTED: usize = 50;

/// What a class is made of, for its page; nothing where the policy names no inventory.
pub(super) fn of_class(site: &Site, class: &Endpoint) -> Vec<Block> {
    if site.policy.assets.is_empty() {
        return Vec::new();
    }
    let devices = site.devices_of(class);
    let mut blocks = vec![Block::heading("devices", "What inventories know of it")];
    if devices.is_empty() {
        blocks.push(Block::says("No device of the inventories is in this class."));
        return blocks;
    }
    let mut kinds: Vec<(Kind, (usize, Option<Date>))> = kinds(devices).into_iter().collect();
    kinds.sort_by_key(|(kind, (count, _))| (std::cmp::Reverse(*count), *kind));
    let rows = kinds.iter().take(KINDS_LISTED).map(|((vendor, model, os), (count, end))| {
        Row::new([
            model_of(vendor, model),
            vec![said(os)],
            vec![plain(words::grouped(*count))],
            vec![end.map_or_else(|| small("not said"), |date| words::until_tag(site, date))],
        ])
    });
    let columns = ["Model", "Software", "Devices", "First end of support"];
    let caption = format!("{} in this class, by model and software", words::count(devices.len(), "device"));
    blocks.push(Block::table(caption, &columns, rows));
    if kinds.len() > KINDS_LISTED {
        let left = words::grouped(kinds.len() - KINDS_LISTED);
        blocks.push(Block::Paragraph {
            parts: vec![
                plain(format!("And {left} more kinds, in fewer devices; this command lists all devices: ")),
                code("cordon inventory ."),
            ],
        });
    }
    blocks
}

fn model_of(vendor: &str, model: &str) -> Inlines {
    match (vendor, model) {
        ("", "") => vec![small("not said")],
        ("", model) => vec![plain(model)],
        (vendor, "") => vec![plain(vendor)],
        (vendor, model) => vec![plain(model), line_end(), small(vendor)],
    }
}
