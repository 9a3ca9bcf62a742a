//! Guards and postures: what is watched, and what is ready to be cut off.

use std::collections::BTreeMap;

use super::first;
use crate::ir::{Action, Device, Guard, Metric, Policy, Posture, RuleIndex, Subject};
use crate::report::site::document::{
    Block, Fact, Inline, Inlines, Link, Page, Row, Style, code, joined, line_end, plain, small,
};
use crate::report::site::view::Site;
use crate::report::site::words;
use crate::set::{AddressSet, Set, union_all};

pub(super) const FILE: &str = "guards";

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let mut blocks = vec![Block::heading("guards", "Guards")];
    if site.policy.guards.is_empty() {
        blocks.push(Block::says("The policy has no guard."));
    } else {
        let columns = [
            "Guard",
            "Whose new connections",
            "Too many are",
            "Then",
            "Who approves",
            "Kept by",
            "Cannot be kept by",
            "Why",
        ];
        let rows = site.policy.guards.iter().map(|guard| guard_row(site, guard));
        blocks.push(Block::table("Guards count new connections", &columns, rows));
    }
    blocks.push(Block::heading("postures", "Postures"));
    if site.policy.postures.is_empty() {
        blocks.push(Block::says("The policy has no posture."));
    }
    for posture in &site.policy.postures {
        blocks.extend(posture_blocks(site, posture));
    }
    let lead = "What is noticed when something opens too many connections, and which parts of the network can be cut off with one \
                reviewed load.";
    vec![first(FILE, "Guards and postures", lead, blocks)]
}

fn guard_row(site: &Site, guard: &Guard) -> Row {
    let name = |device: &Device| {
        code(&device.name).leading(Link::to("enforcement", format!("device-{}", device.name)))
    };
    let kept = site.policy.devices.iter().filter(|device| site.keeps(device, guard));
    let kept = joined(kept.map(|device| vec![name(device)]), &plain(", "));
    let mut reasons: BTreeMap<&str, Vec<Inlines>> = BTreeMap::new();
    for device in &site.policy.devices {
        if let Err(why) = site.policy.keeps(&device.target, guard) {
            reasons.entry(why).or_default().push(vec![name(device)]);
        }
    }
    let not_kept = reasons.into_iter().map(|(why, devices)| {
        let mut parts = joined(devices, &plain(", "));
        parts.push(small(format!(": {why}")));
        parts
    });
    let not_kept = joined(not_kept, &line_end());
    let each = if guard.per_source { "each source" } else { "all together" };
    let rate = guard.rate;
    let bucket =
        |counted: String| format!("{counted} a {}, {} at once; {each}", rate.unit.word(), rate.burst);
    let counted = match guard.metric {
        Metric::SessionTime => format!("sessions of {} {}s; each by itself", rate.count, rate.unit.word()),
        Metric::Bandwidth => bucket(format!("{} kbit", rate.count)),
        Metric::NewConnections | Metric::Packets | Metric::Destinations => {
            bucket(format!("{} {}", rate.count, guard.metric.word().replace('-', " ")))
        }
    };
    Row::named(
        format!("guard-{}", guard.id),
        [
            vec![code(&guard.id)],
            subject(site, guard),
            vec![plain(counted)],
            action(site, guard),
            vec![words::or_unsaid(guard.approval.as_ref())],
            if kept.is_empty() { vec![Inline::new(Style::Attention, "none")] } else { kept },
            not_kept,
            words::about(site, &guard.about, None),
        ],
    )
}

fn subject(site: &Site, guard: &Guard) -> Inlines {
    match &guard.subject {
        Subject::Rule(rule) => vec![plain("of the rule "), words::rule(site, *rule)],
        Subject::Sources(addresses) => joined(
            site.zones().filter_map(|(id, zone)| {
                let inside = zone.addresses.intersection(addresses);
                (!inside.is_empty()).then(|| words::members(site, id, &inside))
            }),
            &plain(", "),
        ),
    }
}

fn action(site: &Site, guard: &Guard) -> Inlines {
    if guard.session_seconds().is_some() {
        return vec![plain(match guard.action {
            Action::Alert => "one that lasts longer is logged, once in each such time, and goes on",
            Action::Limit | Action::Quarantine { .. } | Action::Isolate { .. } => {
                "one that lasts longer is logged, and ended in both directions"
            }
        })];
    }
    match &guard.action {
        Action::Alert => vec![plain("what is too much is logged, and passes")],
        Action::Limit => vec![plain("what is too much is logged and dropped, until there is less")],
        Action::Quarantine { seconds } => {
            let time = duration(*seconds);
            vec![plain(format!("it is logged and dropped, with all that its source sends for {time}"))]
        }
        Action::Isolate { seconds, except } => {
            let time = duration(*seconds);
            let mut parts = vec![plain(format!(
                "it is logged, and for {time} everything from and to the subject is dropped"
            ))];
            if !except.is_empty() {
                parts.push(plain(", but for what these allow: "));
                parts.extend(joined(except.iter().map(|rule| vec![words::rule(site, *rule)]), &plain(", ")));
            }
            parts
        }
    }
}

fn duration(seconds: u32) -> String {
    match seconds {
        whole if whole % 60 == 0 => words::count((whole / 60) as usize, "minute"),
        seconds => words::count(seconds as usize, "second"),
    }
}

fn posture_blocks(site: &Site, posture: &Posture) -> Vec<Block> {
    let policy = site.policy;
    let under = policy.under(posture);
    let cut: AddressSet = union_all(posture.cuts.iter().map(|cut| cut.addresses.clone()));
    let (mut whole, mut part, mut stays) = (Vec::new(), Vec::new(), Vec::new());
    for (index, rule) in site.rules_by_id() {
        let left = under[index].packets();
        if left == rule.packets() {
            let touches =
                [&rule.from.addresses, &rule.to.addresses].iter().any(|side| !side.is_disjoint(&cut));
            if touches && rule.effect == crate::ir::Effect::Allow {
                stays.push(index);
            }
        } else if left.is_empty() {
            whole.push(index);
        } else {
            part.push(index);
        }
    }
    let fact = |label, parts| Fact { label, parts };
    let cuts = posture.cuts.iter().map(|cut| vec![code(&cut.text)]);
    let mut items = vec![
        fact("Cut off", joined(cuts, &plain(", "))),
        fact("No longer allowed", list(site, &whole)),
        fact("Allowed in part", list(site, &part)),
        fact("Stays allowed", list(site, &stays)),
        fact("Lives depend on", lives(site, policy, &cut)),
        fact("Written in", vec![code(site.place(posture.span))]),
    ];
    let why = words::about(site, &posture.about, None);
    if !why.is_empty() {
        items.insert(1, fact("Who answers, and why", why));
    }
    vec![
        Block::subheading(format!("posture-{}", posture.name), vec![code(&posture.name)]),
        Block::Facts { items },
    ]
}

fn list(site: &Site, rules: &[RuleIndex]) -> Inlines {
    if rules.is_empty() {
        return vec![plain("none")];
    }
    joined(rules.iter().map(|rule| vec![words::rule(site, *rule)]), &plain(", "))
}

/// Zones of which something is cut off and on which lives depend.
fn lives(site: &Site, policy: &Policy, cut: &AddressSet) -> Inlines {
    let life = policy.zone_ids().filter(|id| {
        let zone = &policy[*id];
        zone.criticality == Some(crate::ir::Criticality::Life) && !zone.addresses.is_disjoint(cut)
    });
    let parts = joined(life.map(|id| vec![words::zone(site, id)]), &plain(", "));
    if parts.is_empty() { vec![plain("nothing that it cuts off")] } else { parts }
}
