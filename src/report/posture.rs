//! What a posture takes away, in words.

use crate::ir::{Criticality, Effect, Policy, Posture, Rule};
use crate::set::{AddressSet, Set, union_all};

/// The text that stands beside the configs of a posture: what is cut off, which rules lose what, what stays, and what to
/// do with the files.
pub fn posture_summary(policy: &Policy, posture: &Posture) -> String {
    let under = policy.under(posture);
    let mut text = format!("posture {}", posture.name);
    if let Some(reason) = &posture.about.reason {
        text.push_str(&format!(": {}", one_line(reason)));
    }
    text.push_str("\n\ncut off, from everything outside of their zones:\n");
    for cut in &posture.cuts {
        let ranges: Vec<String> = cut.addresses.ranges().map(|range| range.to_string()).collect();
        text.push_str(&format!("  {} ({})\n", cut.text, ranges.join(", ")));
    }
    let mut rules: Vec<(&Rule, &Rule)> = policy.rules.iter().zip(&under.rules).collect();
    rules.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
    let (lost, rest): (Vec<_>, Vec<_>) =
        rules.into_iter().partition(|(rule, left)| left.packets() != rule.packets());
    let (wholly, partly): (Vec<_>, Vec<_>) =
        lost.into_iter().partition(|(_, left)| left.packets().is_empty());
    text.push_str(&section("allowed no more", wholly.iter().map(|(rule, _)| in_words(rule))));
    let parts = partly.iter().map(|(rule, left)| format!("{}; left: {}", in_words(rule), between(left)));
    text.push_str(&section("allowed in part", parts));
    let cut: AddressSet = union_all(posture.cuts.iter().map(|cut| cut.addresses.clone()));
    let touches = |rule: &Rule| {
        let sides = [&rule.from.addresses, &rule.to.addresses];
        rule.effect == Effect::Allow && sides.into_iter().any(|side| !side.is_disjoint(&cut))
    };
    let stays = rest.iter().filter(|(rule, _)| touches(rule)).map(|(rule, _)| in_words(rule));
    text.push_str(&section("stays allowed, from or to what is cut off", stays));
    text.push_str(&section("lives depend on", lives(policy, &cut)));
    text.push_str(
        "\nEach device has its whole config in DEVICE/postures/NAME, proved like the one without the posture. It is loaded in \
         the\nsame way; behind it, `end-sessions.sh` beside it ends connections that are known, which a firewall lets go on.\n\
         A load of the config without the posture takes it back.\n",
    );
    text
}

/// Free text on one line, so that it cannot look like a line of its own; what hides other text becomes a space.
fn one_line(text: &str) -> String {
    let clean = |c: char| if crate::source::is_forbidden(c) { ' ' } else { c };
    let clean: String = text.chars().map(clean).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn section(title: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: String = lines.map(|line| format!("  {line}\n")).collect();
    if lines.is_empty() { String::new() } else { format!("\n{title}:\n{lines}") }
}

/// Zones and classes with `criticality life` of which something is cut off.
fn lives(policy: &Policy, cut: &AddressSet) -> impl Iterator<Item = String> {
    let zones = policy.zones.iter().map(|zone| (zone.criticality, &zone.addresses, &zone.name, &zone.about));
    let endpoints =
        policy.endpoints.iter().map(|one| (one.criticality, &one.addresses, &one.name, &one.about));
    zones
        .chain(endpoints)
        .filter(move |(criticality, addresses, ..)| {
            *criticality == Some(Criticality::Life) && !addresses.is_disjoint(cut)
        })
        .map(|(_, _, name, about)| match &about.owner {
            Some(owner) => format!("{name}, owner {}", one_line(owner)),
            None => name.clone(),
        })
}

fn in_words(rule: &Rule) -> String {
    let mut text = format!("{}: from {} to {} via {}", rule.id, rule.from.text, rule.to.text, rule.via);
    if let Some(owner) = &rule.about.owner {
        text.push_str(&format!(", owner {}", one_line(owner)));
    }
    if let Some(reason) = &rule.about.reason {
        text.push_str(&format!(" ({})", one_line(reason)));
    }
    text
}

fn between(rule: &Rule) -> String {
    let side = |addresses: &AddressSet| {
        let ranges: Vec<String> = addresses.ranges().map(|range| range.to_string()).collect();
        match &ranges[..] {
            few if few.len() <= 8 => few.join(", "),
            [first, .., last] => format!("{} ranges, from {first} to {last}", ranges.len()),
            _ => String::new(),
        }
    };
    format!("from {} to {}", side(&rule.from.addresses), side(&rule.to.addresses))
}
