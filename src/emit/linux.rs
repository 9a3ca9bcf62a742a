//! What the targets of Linux firewalls share: names of interfaces, free text on a line, and packets said in fewer boxes.

use super::reply::replies;
use crate::ir::{MINUTES_OF_DAY, Policy, RuleIndex, When};
use crate::set::{
    AddressSet, FlowsOf, ICMP, ICMPV6, IntervalSet, PacketSet, Point, ServiceSet, Set, Traffic,
};

/// True for names that the kernel takes for an interface (`dev_valid_name`, net/core/dev.c: under 16 bytes, no `/`,
/// `:` or space) and that have no meaning in a ruleset, as a trailing `*` or `+` would have.
pub(super) fn valid_interface(name: &str) -> bool {
    (1..16).contains(&name.len())
        && !matches!(name, "." | "..")
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// Free text on one line of at most `max_bytes`: line ends and characters that hide others become spaces; what is too
/// long is cut and ends in `...`.
pub(super) fn one_line(text: &str, max_bytes: usize) -> String {
    let clean = |c: char| if crate::source::is_forbidden(c) || c.is_whitespace() { ' ' } else { c };
    let cleaned: String = text.chars().map(clean).collect();
    if cleaned.len() <= max_bytes {
        return cleaned;
    }
    let mut kept = String::new();
    for c in cleaned.chars() {
        if kept.len() + c.len_utf8() > max_bytes.saturating_sub("...".len()) {
            break;
        }
        kept.push(c);
    }
    kept + "..."
}

/// Seconds of some days of the week, both ends included, until an end, in UTC.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Moments {
    /// Seconds of the day; `None` for the whole day.
    pub(super) seconds: Option<(u32, u32)>,
    /// The days, 0 being Monday; `None` for all.
    pub(super) days: Option<Vec<u8>>,
    /// The last second, counted from 1970-01-01 00:00; `None` if they go on for ever.
    pub(super) last: Option<u32>,
}

/// When something holds, in pieces that the kernel can match.
pub(super) fn moments(policy: &Policy, when: When) -> Result<Vec<Moments>, &'static str> {
    let last = when.last_second();
    let Some(schedule) = when.during.map(|id| &policy[id]) else {
        return Ok(vec![Moments { seconds: None, days: None, last }]);
    };
    let week = schedule.week_in_utc().ok_or("a schedule without a fixed distance from UTC")?;
    let windows = week.windows().into_iter().map(|window| {
        let whole_day = window.first == 0 && window.last + 1 == MINUTES_OF_DAY;
        let seconds = (u32::from(window.first) * 60, u32::from(window.last) * 60 + 59);
        let days = (!window.is_daily()).then_some(window.days);
        Moments { seconds: (!whole_day).then_some(seconds), days, last }
    });
    Ok(windows.collect())
}

/// A set that is equal to `packets` for packets from `sources` to `destinations`, in fewer boxes where it can be.
///
/// Each packet is known to come from `sources` and to go to `destinations`, since anything else is dropped before. So
/// where an element speaks of all of these, it may as well speak of all addresses that there are; that is shorter
/// wherever the addresses are many ranges, as those of a rest zone are.
pub(super) fn shortened(packets: &PacketSet, sources: &AddressSet, destinations: &AddressSet) -> PacketSet {
    PacketSet {
        v4: shortened_flows(&packets.v4, &sources.v4, &destinations.v4),
        v6: shortened_flows(&packets.v6, &sources.v6, &destinations.v6),
    }
}

fn shortened_flows<A: Point>(
    flows: &FlowsOf<A>,
    sources: &IntervalSet<A>,
    destinations: &IntervalSet<A>,
) -> FlowsOf<A> {
    let scattered = |set: &IntervalSet<A>| set.intervals().len() > 1;
    let shorter = flows.map_members(|to| {
        let uniform = if scattered(destinations) { to.uniform_over(destinations) } else { None };
        uniform.unwrap_or_else(|| to.clone())
    });
    let uniform = if scattered(sources) { shorter.uniform_over(sources) } else { None };
    uniform.unwrap_or(shorter)
}

/// What an isolation leaves to a rule that stays, by what it looks like.
pub(super) struct Spared {
    pub(super) rule: RuleIndex,
    /// Packets from who opens connections.
    pub(super) forth: PacketSet,
    /// Packets that answer.
    pub(super) back: PacketSet,
}

/// What an isolation leaves to the rules that stay. Of two rules that say the same of a packet, the first has it, so that
/// the packets of one direction are disjoint.
pub(super) fn spared(policy: &Policy, except: &[RuleIndex]) -> Vec<Spared> {
    let (mut forth, mut back) = (PacketSet::empty(), PacketSet::empty());
    let mut spared = Vec::new();
    for index in except {
        let rule = &policy[*index];
        let services = &rule.services;
        let answers = |traffic: &Traffic, icmp| {
            let (tcp, others) = replies(traffic, icmp);
            tcp.union(&others)
        };
        let services = ServiceSet { v4: answers(&services.v4, ICMP), v6: answers(&services.v6, ICMPV6) };
        let answers = PacketSet::product(&rule.to.addresses, &rule.from.addresses, &services);
        spared.push(Spared {
            rule: *index,
            forth: rule.packets().difference(&forth),
            back: answers.difference(&back),
        });
        (forth, back) = (forth.union(&rule.packets()), back.union(&answers));
    }
    spared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_name_is_one_for_the_kernel_and_no_pattern() {
        for good in ["vlan230", "eth0.230", "br-lan", "a"] {
            assert!(valid_interface(good), "{good}");
        }
        for bad in ["", ".", "eth*", "eth+", "Te1/1/1", "a:b", "0123456789abcdef", "a b", "a\""] {
            assert!(!valid_interface(bad), "{bad}");
        }
    }

    #[test]
    fn free_text_stays_on_its_line_and_within_its_bytes() {
        assert_eq!(one_line("a\nb\r\u{2028}c\u{202e}d", 80), "a b  c d");
        let long = one_line(&"ü".repeat(100), 128);
        assert!(long.len() <= 128 && long.ends_with("ü..."), "{long}");
    }
}
