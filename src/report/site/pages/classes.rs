//! Device classes: a table of all, and a page for each, with what a technician does at the next maintenance visit.

use super::access::{End, PORT_COLUMNS, by_rule, port_row, sentence};
use super::{first, further, inventory, probes};
use crate::ir::Opening;
use crate::ir::{Criticality, Decider, Endpoint, RuleIndex, ZoneId};
use crate::report::site::document::{Block, Fact, Inlines, Page, Row, code, plain, small};
use crate::report::site::view::Site;
use crate::report::site::words;
use crate::set::{AddressRange, Packet};

pub(super) const FILE: &str = "classes";

/// The protocol number of UDP (RFC 768).
const UDP: u8 = 17;

/// What rules open, a group for each rule.
type ByRule = Vec<(RuleIndex, Vec<(ZoneId, Opening)>)>;

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let classes: Vec<&Endpoint> = site.policy.endpoints.iter().filter(|one| one.is_class).collect();
    let rows = classes.iter().map(|class| {
        Row::new([
            vec![words::endpoint(site, class)],
            vec![words::or_unsaid(class.about.note.as_ref())],
            vec![words::zone(site, class.zone)],
            vec![words::risk(class.risk)],
            vec![words::phi(class.phi)],
            vec![words::or_unsaid(class.about.owner.as_ref())],
            support(site, class),
        ])
    });
    let columns = ["Class", "What it is", "Zone", "Risk", "PHI", "Owner", "Vendor's support"];
    let lead = "Kinds of devices. The page of each says whom its devices may talk to, and what to check at the next visit.";
    let blocks = vec![Block::table("All classes of devices", &columns, rows)];
    let decider = Decider::new(site.policy);
    let list = first(FILE, "Device classes", lead, blocks);
    std::iter::once(list).chain(classes.iter().map(|class| page(site, &decider, class))).collect()
}

/// When the vendor's support of a class ends.
fn support(site: &Site, class: &Endpoint) -> Inlines {
    vec![class.supported_until.map_or_else(|| small("no end stated"), |until| words::until_tag(site, until))]
}

fn page(site: &Site, decider: &Decider, class: &Endpoint) -> Page {
    let leaving = by_rule(site.leaving(class.zone, &class.addresses));
    let entering = by_rule(site.entering(class.zone, &class.addresses));
    let mut blocks = vec![Block::Facts { items: facts(site, class) }];
    blocks.extend(inventory::of_class(site, class));
    blocks.push(Block::heading("access", "Who it may talk to"));
    blocks.push(talks(site, End::Destination, &leaving, "It may open no connection to another zone."));
    blocks.push(talks(site, End::Source, &entering, "It accepts no connection from another zone."));
    blocks.push(Block::says(
        "Replies to these connections pass. Everything else to and from other zones is denied; what passes inside its own zone \
         is not filtered.",
    ));
    blocks.push(Block::heading("visit", "At the next maintenance visit"));
    blocks.push(Block::Checklist { items: checklist(site, class, &leaving, &entering) });
    let ports = leaving.iter().filter_map(|(_, openings)| port_row(site, End::Destination, openings));
    let ports =
        ports.chain(entering.iter().filter_map(|(_, openings)| port_row(site, End::Source, openings)));
    let ports: Vec<Row> = ports.collect();
    if !ports.is_empty() {
        blocks.push(Block::subheading("ports", vec![plain("Ports to verify")]));
        blocks.push(Block::table(
            "What the device uses, as far as the policy lets it pass",
            &PORT_COLUMNS,
            ports,
        ));
    }
    blocks.extend(commands(site, decider, class, &leaving, &entering));
    let lead = class.about.note.as_ref().map(|note| vec![plain(note)]).unwrap_or_default();
    further(FILE, "Device class", site.endpoint_page(class).page, &class.name, lead, blocks)
}

fn facts(site: &Site, class: &Endpoint) -> Vec<Fact> {
    let fact = |label, parts| Fact { label, parts };
    vec![
        fact("Zone", vec![words::zone(site, class.zone)]),
        fact("Addresses", words::all_ranges(&class.addresses)),
        fact("Risk", vec![words::risk(class.risk)]),
        fact("If it fails", vec![words::criticality(criticality(site, class))]),
        fact("PHI", vec![words::phi(class.phi.or(site.policy[class.zone].phi))]),
        fact("Owner", vec![words::or_unsaid(class.about.owner.as_ref())]),
        fact("Vendor's support", support(site, class)),
        fact("Written in", vec![code(site.place(class.span))]),
    ]
}

/// What its loss would touch: what the class says, or else its zone.
fn criticality(site: &Site, class: &Endpoint) -> Option<Criticality> {
    class.criticality.or(site.policy[class.zone].criticality)
}

fn talks(site: &Site, end: End, rules: &ByRule, none: &str) -> Block {
    if rules.is_empty() {
        return Block::says(none);
    }
    Block::List { items: rules.iter().map(|(_, openings)| sentence(site, end, openings)).collect() }
}

fn checklist(site: &Site, class: &Endpoint, leaving: &ByRule, entering: &ByRule) -> Vec<Inlines> {
    let mut items = Vec::new();
    if criticality(site, class) == Some(Criticality::Life) {
        items.push(vec![plain(
            "No patient depends on the device while it is tested. Lives depend on this zone; tests wait until the device is out \
             of use.",
        )]);
    }
    items.push(match class.supported_until {
        Some(until) if site.days_to(until) < 0 => vec![
            plain("The vendor's support has ended: "),
            words::until_tag(site, until),
            plain(". Ask what replaces the device, and what protects it until then."),
        ],
        Some(until) => vec![
            plain("The vendor's support ends: "),
            words::until_tag(site, until),
            plain(". The device still has the last updates of its vendor."),
        ],
        None => vec![
            plain(
                "No end of the vendor's support is stated. Ask the vendor, and write it into the policy as ",
            ),
            code("supported until"),
            plain("."),
        ],
    });
    let mut vlan = vec![plain("The device has an address in ")];
    vlan.extend(words::some_ranges(&class.addresses, &site.endpoint_page(class)));
    if let Some(number) = site.policy[class.zone].vlan {
        vlan.push(plain(format!(", and its port is in VLAN {number}")));
    }
    vlan.push(plain("."));
    items.push(vlan);
    if !site.devices_of(class).is_empty() {
        items.push(vec![plain("Its model and software are among those that the inventory knows, above; else the inventory is corrected.")]);
    }
    items.extend(open_exceptions(site, leaving, entering));
    items.push(vec![plain(
        "Each port below is used for what its rule says. A service of the device that no rule speaks of is switched off, or \
         reported to its owner.",
    )]);
    items.push(vec![plain("The commands below give what stands behind them.")]);
    items
}

/// The rules with an end that touch a class, each to be asked for.
fn open_exceptions(site: &Site, leaving: &ByRule, entering: &ByRule) -> Vec<Inlines> {
    let rules = leaving.iter().chain(entering).map(|(index, _)| *index);
    let with_end: Vec<Inlines> = rules
        .filter_map(|index| {
            let until = site.policy[index].about.until?;
            Some(vec![
                plain("Open exception: "),
                words::rule(site, index),
                plain(" "),
                words::until_tag(site, until),
                plain(". It is still needed, or its owner lets it end."),
            ])
        })
        .collect();
    if with_end.is_empty() {
        vec![vec![plain("No open exception: no rule of this class has an end.")]]
    } else {
        with_end
    }
}

/// What to type, and what it has to give.
fn commands(
    site: &Site,
    decider: &Decider,
    class: &Endpoint,
    leaving: &ByRule,
    entering: &ByRule,
) -> Vec<Block> {
    let (mut asked, mut sent, mut received) = (Vec::new(), Vec::new(), Vec::new());
    for (rules, is_own) in [(leaving, true), (entering, false)] {
        for (index, openings) in rules {
            let packet = openings.iter().find_map(|(_, opening)| probes::passing(opening));
            let Some(packet) = packet else { continue };
            let Some(decided) = verdict(site, decider, &packet) else { continue };
            asked.push((probes::explain(&packet), decided));
            let Some(command) = probes::send(&packet) else { continue };
            let says = outcome(site, *index, &packet, openings);
            if is_own {
                sent.push((command, says));
            } else {
                received.push((command, format!("from {}: {says}", packet.source)));
            }
        }
    }
    if let Some(packet) = probes::denied(site, decider, class) {
        asked.push((probes::explain(&packet), "deny".to_owned()));
        sent.extend(probes::send(&packet).map(|command| (command, "is not answered".to_owned())));
    }
    let mut blocks = vec![Block::subheading("commands", vec![plain("Commands to test with")])];
    let sections = [
        (asked, "What the policy says, asked in its directory, for an address of the class:"),
        (sent, "What passes, tried from the network of the device:"),
        (received, "What the device accepts, tried from the other end:"),
    ];
    for (lines, says) in sections {
        if !lines.is_empty() {
            blocks.push(Block::says(says));
            blocks.push(Block::Commands { lines: aligned(&lines) });
        }
    }
    blocks
}

/// The verdict on a packet, and the rule that gives it.
fn verdict(site: &Site, decider: &Decider, packet: &Packet) -> Option<String> {
    let decision = decider.decide(packet);
    let rule = decision.rule()?;
    Some(format!("{}, {}", decision.verdict(), site.policy[rule].id))
}

/// What comes of sending a packet that a rule lets through.
fn outcome(site: &Site, index: RuleIndex, packet: &Packet, openings: &[(ZoneId, Opening)]) -> String {
    let rule = &site.policy[index];
    if packet.protocol == UDP {
        return format!("says nothing of the other end; compare the counter of {}", rule.id);
    }
    let server = |one: &Endpoint| !one.is_class && one.addresses.contains(packet.destination);
    let single =
        |range: AddressRange| range.first() == packet.destination && range.last() == packet.destination;
    let is_one = site.policy.endpoints.iter().any(server)
        || openings.iter().any(|(_, opening)| opening.destinations.ranges().any(single));
    let during = site.policy.schedule_of(rule).map(|schedule| format!(", during {}", schedule.name));
    let maybe = if is_one { "" } else { ", where a host is there" };
    format!("is answered{}{maybe}", during.unwrap_or_default())
}

/// Commands with what they give behind them.
fn aligned(lines: &[(String, String)]) -> Vec<String> {
    let width = lines.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    lines.iter().map(|(command, says)| format!("{command:width$}  # {says}")).collect()
}
