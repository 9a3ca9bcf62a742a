//! Sets, days and grades in words, with links to what they are of.

use super::document::{Inline, Inlines, Link, Style, code, joined, line_end, link, plain, small};
use super::view::{Carries, Encryption, Site};
use crate::ir::Opening;
use crate::ir::{About, Criticality, DeviceId, Endpoint, Phi, Risk, RuleIndex, Schedule, ZoneId};
use crate::set::{AddressSet, Set};

/// How many ranges of addresses are written out where a page has all of them elsewhere.
const RANGES_SHOWN: usize = 6;

/// The name of a zone, leading to its page.
pub(super) fn zone(site: &Site, id: ZoneId) -> Inline {
    code(&site.policy[id].name).leading(site.zone_page(id))
}

/// The name of a class or peer, leading to its page.
pub(super) fn endpoint(site: &Site, endpoint: &Endpoint) -> Inline {
    code(&endpoint.name).leading(site.endpoint_page(endpoint))
}

/// The name of a rule, leading to where all of it is said.
pub(super) fn rule(site: &Site, index: RuleIndex) -> Inline {
    let id = &site.policy[index].id;
    code(id).leading(Link::to("rules", format!("rule-{id}")))
}

/// The name of an enforcement point, leading to what is said of it.
pub(super) fn device(site: &Site, id: DeviceId) -> Inline {
    let name = &site.policy[id].name;
    code(name).leading(Link::to("enforcement", format!("device-{name}")))
}

/// The enforcement points between two zones.
pub(super) fn crossed(site: &Site, from: ZoneId, to: ZoneId) -> Inlines {
    let devices = site.crossed(from, to);
    if devices.is_empty() {
        return vec![Inline::new(Style::Attention, "no enforcement point")];
    }
    joined(devices.iter().map(|id| vec![device(site, *id)]), &plain(", then "))
}

/// Addresses of a zone: the zone, or its classes and peers that are wholly among them, and ranges for the others.
pub(super) fn members(site: &Site, id: ZoneId, addresses: &AddressSet) -> Inlines {
    let mut left = site.policy[id].addresses.difference(addresses);
    if left.is_empty() {
        return vec![zone(site, id)];
    }
    left = addresses.clone();
    let mut parts: Vec<Inlines> = Vec::new();
    for one in site.held(id) {
        let fits = !one.addresses.is_empty() && one.addresses.is_subset(addresses);
        if fits && !one.addresses.is_disjoint(&left) {
            left = left.difference(&one.addresses);
            parts.push(vec![endpoint(site, one)]);
        }
    }
    if !left.is_empty() {
        parts.push(ranges(&left, RANGES_SHOWN, &site.zone_page(id)));
        let mut all = joined(parts, &plain(", "));
        all.extend([plain(" in "), zone(site, id)]);
        return all;
    }
    joined(parts, &plain(", "))
}

/// Ranges of addresses, up to a number of them, with a link to where the others are.
fn ranges(addresses: &AddressSet, most: usize, rest: &Link) -> Inlines {
    let all: Vec<String> = addresses.ranges().map(|range| range.to_string()).collect();
    let mut parts = joined(all.iter().take(most).map(|range| vec![code(range)]), &plain(", "));
    if all.len() > most {
        parts.push(link(format!(" and {} more ranges", all.len() - most), rest.clone()));
    }
    parts
}

/// All ranges of addresses.
pub(super) fn all_ranges(addresses: &AddressSet) -> Inlines {
    joined(addresses.ranges().map(|range| vec![code(range.to_string())]), &plain(", "))
}

/// Ranges of addresses, the first few where another page has all of them.
pub(super) fn some_ranges(addresses: &AddressSet, rest: &Link) -> Inlines {
    ranges(addresses, RANGES_SHOWN, rest)
}

/// What an opening goes over: services as written, and what they are.
pub(super) fn services(site: &Site, opening: &Opening) -> Inlines {
    via(&site.policy[opening.rule].via, &opening.services.to_string())
}

/// Services as written, and what they are where that says more.
pub(super) fn via(written: &str, meant: &str) -> Inlines {
    let mut parts = vec![code(written)];
    if written != meant {
        parts.extend([line_end(), small(meant)]);
    }
    parts
}

/// Whether an opening can be read on the way.
pub(super) fn encryption(site: &Site, opening: &Opening) -> Inlines {
    vec![match site.encryption(opening) {
        Encryption::Whole => Inline::new(Style::Good, "encrypted"),
        Encryption::Partial => Inline::new(Style::Attention, "in part"),
        Encryption::Absent => Inline::new(Style::Neutral, "not said"),
    }]
}

/// Whether an opening can carry protected health information.
pub(super) fn carries(site: &Site, zones: (ZoneId, ZoneId), opening: &Opening) -> Inlines {
    vec![match site.carries(zones, opening) {
        Carries::Phi => Inline::new(Style::Attention, "at both ends"),
        Carries::OneEnd => Inline::new(Style::Neutral, "at one end"),
        Carries::Nothing => plain("none"),
        Carries::Unsaid => Inline::new(Style::Neutral, "not said"),
    }]
}

/// Owner, reason, ticket, schedule and end of a statement.
pub(super) fn about(site: &Site, about: &About, during: Option<&Schedule>) -> Inlines {
    let mut lines: Vec<Inlines> = Vec::new();
    let owner = about.owner.as_ref().map(|owner| Inline::new(Style::Strong, owner));
    let reason = about.reason.as_ref().map(plain);
    match (owner, reason) {
        (Some(owner), Some(reason)) => lines.push(vec![owner, plain(": "), reason]),
        (Some(one), None) | (None, Some(one)) => lines.push(vec![one]),
        (None, None) => {}
    }
    lines.extend(about.note.as_ref().map(|note| vec![small(note)]));
    lines.extend(about.ticket.as_ref().map(|ticket| vec![small(format!("ticket {ticket}"))]));
    if let Some(schedule) = during {
        let to = Link::to("rules", format!("schedule-{}", schedule.name));
        lines.push(vec![small("only during "), code(&schedule.name).leading(to)]);
    }
    if let Some(until) = about.until {
        lines.push(vec![until_tag(site, until)]);
    }
    joined(lines, &line_end())
}

/// How near an end is to be worth a mark, in days.
pub(super) const SOON: i32 = 90;

/// The last day of something, marked if it is near or past.
pub(super) fn until_tag(site: &Site, date: jiff::civil::Date) -> Inline {
    let days = site.days_to(date);
    let style = match days {
        ..0 => Style::Serious,
        0..=SOON => Style::Attention,
        _ => Style::Neutral,
    };
    Inline::new(style, format!("until {date}, {}", away(days)))
}

/// A number of days from the date of the report, in words.
pub(super) fn away(days: i32) -> String {
    let (count, unit) = match days.unsigned_abs() {
        0 => return "today".to_owned(),
        1 => (1, "day"),
        count @ 2..730 => (count, "days"),
        count => (count / 365, "years"),
    };
    if days < 0 { format!("{count} {unit} ago") } else { format!("in {count} {unit}") }
}

/// What something has of protected health information.
pub(super) fn phi(phi: Option<Phi>) -> Inline {
    match phi {
        Some(Phi::Store) => Inline::new(Style::Attention, "keeps PHI"),
        Some(Phi::Transit) => Inline::new(Style::Neutral, "passes PHI"),
        Some(Phi::None) => plain("no PHI"),
        None => small("not said"),
    }
}

/// What the loss of something would touch.
pub(super) fn criticality(criticality: Option<Criticality>) -> Inline {
    match criticality {
        Some(Criticality::Life) => Inline::new(Style::Serious, "life"),
        Some(Criticality::Care) => Inline::new(Style::Neutral, "care"),
        Some(Criticality::Ops) => plain("operations"),
        None => small("not said"),
    }
}

/// How exposed a class is.
pub(super) fn risk(risk: Option<Risk>) -> Inline {
    match risk {
        Some(Risk::Critical) => Inline::new(Style::Serious, "critical"),
        Some(Risk::High) => Inline::new(Style::Attention, "high"),
        Some(Risk::Medium) => plain("medium"),
        Some(Risk::Low) => plain("low"),
        None => small("not said"),
    }
}

/// Text that may be missing.
pub(super) fn or_unsaid(text: Option<&String>) -> Inline {
    text.map_or_else(|| small("not said"), plain)
}

/// A message, with the words of the policy in it set as such.
pub(super) fn message(text: &str) -> Inlines {
    let parts = text.split('`').zip([false, true].into_iter().cycle());
    let parts = parts.filter(|(part, _)| !part.is_empty());
    parts.map(|(part, is_code)| if is_code { code(part) } else { plain(part) }).collect()
}

/// A number of things, in words.
pub(super) fn count(number: usize, word: &str) -> String {
    match number {
        1 => format!("1 {word}"),
        number => format!("{} {word}s", grouped(number)),
    }
}

/// A number with a comma between thousands.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{away, grouped};

    #[test]
    fn numbers_and_days_are_read_as_people_say_them() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let days = [0, 1, 60, -1, -729, -4_300];
        assert_eq!(
            days.map(away),
            ["today", "in 1 day", "in 60 days", "1 day ago", "729 days ago", "11 years ago"]
        );
    }
}
