//! Commands that cannot affect which packets pass, and commands that can in ways that the model does not have.
//!
//! What stands in neither table is not understood either. A command is looked up by the longest run of words that it
//! starts with. Most commands belong to the Cisco IOS Configuration Fundamentals, IP Routing, Network Management and
//! Interface Command References.

mod inner;
mod top;

pub(super) use inner::{INTERFACE, INTERFACE_REFUSED, TERMINAL, TERMINAL_REFUSED};
pub(super) use top::{TOP, TOP_REFUSED};

/// What a table says of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It cannot affect filtering; nor can the lines of its section.
    Ignored,
    /// It can, for this reason.
    Refused(&'static str),
}

/// Why commands can be ignored: each group says why none of it affects what packets a device lets pass.
pub(super) type Group = (&'static str, &'static [&'static str]);

/// Words at the start of commands that affect filtering. Where one stands inside of a section that is ignored, IOS would
/// leave the section and obey it.
const TELLING: [&str; 21] = [
    "access-class",
    "access-list",
    "end",
    "interface",
    "ip access-group",
    "ip access-list",
    "ip inspect",
    "ip nat",
    "ip policy",
    "ip verify",
    "ipv6 access-class",
    "ipv6 access-list",
    "ipv6 traffic-filter",
    "line",
    "mac access-group",
    "object-group",
    "time-range",
    "vlan access-map",
    "vlan filter",
    "zone-member",
    "zone-pair",
];

/// How many words of a command a run of words covers, if it starts with them.
fn covers(run: &str, words: &[&str]) -> Option<usize> {
    let mut rest = words.iter();
    let mut count = 0;
    for word in run.split(' ') {
        if rest.next() != Some(&word) {
            return None;
        }
        count += 1;
    }
    Some(count)
}

/// True if a command affects filtering wherever it stands.
pub(super) fn is_telling(words: &[&str]) -> bool {
    let words = words.strip_prefix(&["no"]).unwrap_or(words);
    let refused = TOP_REFUSED.iter().map(|(run, _)| run);
    TELLING.iter().chain(refused).any(|run| covers(run, words).is_some())
}

/// What two tables say of a command. Behind `no`, a command is off, which is no more than its absence.
pub(super) fn look_up(
    words: &[&str],
    ignored: &[Group],
    refused: &[(&str, &'static str)],
) -> Option<Verdict> {
    let (words, is_off) = match words {
        ["no", rest @ ..] => (rest, true),
        _ => (words, false),
    };
    let ignored = ignored.iter().flat_map(|(_, runs)| runs.iter()).filter_map(|run| covers(run, words)).max();
    let refused = refused.iter().filter_map(|(run, why)| covers(run, words).map(|count| (count, *why)));
    let refused = refused.max_by_key(|(count, _)| *count);
    match (ignored, refused) {
        (None, None) => None,
        (_, Some(_)) if is_off => Some(Verdict::Ignored),
        (ignored, Some((count, why))) if ignored.is_none_or(|other| count >= other) => {
            Some(Verdict::Refused(why))
        }
        _ => Some(Verdict::Ignored),
    }
}
