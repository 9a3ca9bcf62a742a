//! The overview: numbers, findings, and where to look.

use super::{exceptions, first, phi};
use crate::diag::Record;
use crate::ir::{Criticality, Effect, Phi};
use crate::report::site::document::{
    Block, Inline, Inlines, Link, Number, Page, Row, Style, code, link, plain,
};
use crate::report::site::html::policy_name;
use crate::report::site::view::{Carries, Encryption, Site};
use crate::report::site::words;

pub(super) const FILE: &str = "index";

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let mut blocks = vec![Block::Search, Block::Numbers { items: numbers(site) }];
    blocks.push(Block::heading("attention", "What wants attention"));
    blocks.push(Block::List { items: attention(site) });
    blocks.push(Block::heading("findings", "Findings of the check"));
    blocks.extend(findings(site));
    blocks.push(Block::heading("where", "Where to look"));
    blocks.push(Block::table("By what one wants to know", &["Question", "Page"], where_to_look()));
    blocks.push(Block::heading("totals", "Totals"));
    blocks.push(totals(site));
    let lead = format!(
        "Who may talk to whom in this network, as its policy says it on {}; what enforces it, who answers for it, and what is \
         not known. Every number and table is computed from the policy.",
        site.policy.as_of
    );
    vec![first(FILE, &policy_name(site), &lead, blocks)]
}

fn numbers(site: &Site) -> Vec<Number> {
    let policy = site.policy;
    let number = |value: usize, one: &str, page: &str| {
        let label = if value == 1 { one.to_owned() } else { plural(one) };
        Number { value, label, to: Link::page(page) }
    };
    let classes = policy.endpoints.iter().filter(|one| one.is_class).count();
    let of = |effect: Effect| policy.rules.iter().filter(|rule| rule.effect == effect).count();
    vec![
        number(policy.zones.len(), "zone", "zones"),
        number(classes, "device class", "classes"),
        number(policy.endpoints.len() - classes, "server", "servers"),
        number(of(Effect::Allow), "allow", "rules"),
        number(of(Effect::Forbid), "forbid", "rules"),
        number(site.openings.count(), "conduit", "matrix"),
        number(policy.assertions.len(), "assertion", "assertions"),
        number(policy.devices.len(), "enforcement point", "enforcement"),
        number(policy.guards.len(), "guard", "guards"),
        number(policy.postures.len(), "posture", "guards"),
    ]
}

fn plural(word: &str) -> String {
    if word.ends_with('s') { format!("{word}es") } else { format!("{word}s") }
}

/// What a reader should not overlook, each with where it stands.
fn attention(site: &Site) -> Vec<Inlines> {
    let support = exceptions::support(site);
    let past = support.iter().filter(|ending| site.days_to(ending.date) < 0).count();
    let soon = |days: i32| (0..=words::SOON).contains(&days);
    let near = support.iter().filter(|ending| soon(site.days_to(ending.date))).count();
    let ending = exceptions::openings(site);
    let ending_soon = ending.iter().filter(|ending| soon(site.days_to(ending.date))).count();
    let flows = phi::flows(site, Carries::Phi);
    let clear = flows.iter().filter(|(_, opening)| site.encryption(opening) != Encryption::Whole).count();
    let unenforced =
        site.openings.iter().filter(|((from, to), _)| site.crossed(*from, *to).is_empty()).count();
    let unowned = site.policy.rules.iter().filter(|rule| rule.about.owner.is_none()).count();
    let to = |anchor: &str| Link::to("exceptions", anchor);
    let unclassified = site.unclassified.len();
    let inventory = Link::to("inventory", "unclassified");
    let devices = match site.policy.assets.is_empty() {
        true => vec![link("No inventory is named, so no single device is known", Link::page("inventory"))],
        false => {
            counted(unclassified, "device of an inventory", "is unclassified", "are unclassified", inventory)
        }
    };
    vec![
        devices,
        counted(
            past,
            "class or server",
            "is past the end of the vendor's support",
            "are past the end of the vendor's support",
            to("support"),
        ),
        counted(
            near,
            "class or server",
            "loses the vendor's support within 90 days",
            "lose the vendor's support within 90 days",
            to("support"),
        ),
        counted(ending_soon, "opening", "ends within 90 days", "end within 90 days", to("openings")),
        counted(
            clear,
            "flow that can carry PHI",
            "is not said to be encrypted as a whole",
            "are not said to be encrypted as a whole",
            Link::to("phi", "clear"),
        ),
        counted(
            unenforced,
            "conduit",
            "crosses no enforcement point, so nothing filters it",
            "cross no enforcement point, so nothing filters them",
            Link::page("matrix"),
        ),
        counted(unowned, "rule", "has no owner", "have no owner", Link::page("rules")),
    ]
}

/// How many things are in some way, marked where there is any.
fn counted(number: usize, thing: &str, one: &str, many: &str, to: Link) -> Inlines {
    let things = match (number, thing) {
        (1, thing) => thing.to_owned(),
        (_, "device of an inventory") => "devices of inventories".to_owned(),
        (_, "class or server") => "classes and servers".to_owned(),
        (_, "flow that can carry PHI") => "flows that can carry PHI".to_owned(),
        (_, thing) => format!("{thing}s"),
    };
    let style = if number == 0 { Style::Good } else { Style::Attention };
    let says = if number == 1 { one } else { many };
    vec![Inline::new(style, words::grouped(number)), plain(" "), link(format!("{things} {says}"), to)]
}

fn findings(site: &Site) -> Vec<Block> {
    let warnings: Vec<&Record> = site.findings.iter().collect();
    if warnings.is_empty() {
        return vec![Block::says("Errors: none. Warnings: none.")];
    }
    let rows = warnings.iter().map(|finding| {
        let place = finding.labels.first().map(|label| format!("{}:{}", label.file, label.line));
        Row::new([
            vec![code(&finding.code)],
            words::message(&finding.message),
            words::message(finding.help.as_deref().unwrap_or_default()),
            vec![place.map_or_else(|| plain(""), code)],
        ])
    });
    let says = format!("Errors: none. {}.", words::count(warnings.len(), "warning"));
    let columns = ["Code", "Finding", "What to do", "Where"];
    vec![Block::says(says), Block::table("What the check says of the policy", &columns, rows)]
}

fn where_to_look() -> Vec<Row> {
    let pages = [
        ("May this zone talk to that one, and why?", "matrix", "Access matrix"),
        ("How does the network hang together?", "map", "Zone map"),
        ("What do I check at a device at the next visit?", "classes", "Device classes"),
        ("Which devices has nobody classified?", "inventory", "Inventory"),
        ("Who may reach this server?", "servers", "Servers"),
        ("Where can information on patients go, and is it encrypted?", "phi", "PHI flows"),
        ("What was allowed for a time, and who decides on it next?", "exceptions", "Exceptions"),
        ("What is ready to be cut off?", "guards", "Guards and postures"),
        ("Which firewall enforces what?", "enforcement", "Enforcement points"),
        ("What must never be possible?", "assertions", "Assertions"),
        ("What does this show of HICP, HIPAA, IEC 62443 and CIS, and what not?", "evidence", "Evidence"),
        ("What is all this, in plain words?", "community", "For everyone"),
    ];
    pages
        .into_iter()
        .map(|(question, page, title)| Row::new([vec![plain(question)], vec![link(title, Link::page(page))]]))
        .collect()
}

/// Zones and device classes by what they have of PHI and what their loss would touch.
fn totals(site: &Site) -> Block {
    let grades = [Some(Criticality::Life), Some(Criticality::Care), Some(Criticality::Ops), None];
    let places = [Some(Phi::Store), Some(Phi::Transit), Some(Phi::None), None];
    let rows = grades.into_iter().map(|grade| {
        let of = |phi: Option<Phi>| {
            let zones = site.policy.zones.iter();
            zones.filter(|zone| zone.criticality == grade && zone.phi == phi).count()
        };
        let counts = places.map(|phi| vec![plain(of(phi).to_string())]);
        Row::new(std::iter::once(vec![words::criticality(grade)]).chain(counts))
    });
    let columns = ["If it fails", "Keeps PHI", "Passes PHI", "No PHI", "PHI not said"];
    Block::table("Zones by what their loss would touch, and by PHI", &columns, rows)
}
