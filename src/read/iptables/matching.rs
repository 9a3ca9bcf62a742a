//! What a rule's options mean.
//!
//! In: the rule's words, read. Out: a draft of the rule of the model.
//!
//! A match that looks at ports, flags or the type of a message never holds for later fragments of a packet, negated or
//! not (`tcp_match`, `udp_match`, `icmp_match` in net/netfilter/xt_tcpudp.c; net/netfilter/xt_multiport.c, xt_sctp.c,
//! xt_dccp.c).

use std::sync::Arc;

use super::super::model::{Family, PacketBox, States};
use super::address::{Range, address};
use super::draft::{Destiny, Draft, Lookup, from_or_to, of_protocol};
use super::modules::{Fields, Kind};
use super::names::{DCCP, EXTENSION_HEADERS, ICMP, ICMPV6, SCTP, TCP, UDP, has_ports};
use super::ports;
use super::rule::{Choice, Given, Goal, Instance, Specification};
use super::targets::{Effect, Target, is_rejection};
use super::{opaque, time};

/// Where a rule stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'c> {
    pub(super) family: Family,
    /// The table's name.
    pub(super) table: &'c str,
}

/// The draft of a rule. `place_of` gives the place of a chain in the table.
///
/// # Errors
/// What is wrong with it.
pub(super) fn draft(
    rule: &Specification,
    context: Context,
    place_of: &dyn Fn(&str) -> Option<usize>,
) -> Result<Draft, String> {
    let family = context.family;
    let mut draft = Draft::new(family);
    draft.arrives = rule.arrives.clone();
    draft.leaves = rule.leaves.clone();
    draft.later_fragments = rule.fragments;
    for (addresses, is_source) in [(&rule.source, true), (&rule.destination, false)] {
        if let Some(addresses) = addresses {
            require_addresses(&mut draft, addresses, is_source, family)?;
        }
    }
    if let Some(protocol) = &rule.protocol {
        // No packet has a protocol that is looked for behind it.
        let never = family == Family::V6 && EXTENSION_HEADERS.contains(&protocol.value);
        let boxes = if never { Vec::new() } else { vec![of_protocol(family, protocol.value)] };
        draft.require(boxes, protocol.negated);
    }
    for (place, instance) in rule.instances.iter().enumerate() {
        let earlier = rule.instances.get(..place).unwrap_or_default();
        require_match(&mut draft, instance, earlier, rule, context)?;
    }
    match &rule.goal {
        None => {}
        Some(Goal::Jump(chain)) => draft.destiny = Destiny::Jump(place_of(chain).ok_or("no such chain")?),
        Some(Goal::Goto(chain)) => draft.destiny = Destiny::Goto(place_of(chain).ok_or("no such chain")?),
        Some(Goal::Target(target, choices)) => set_target(&mut draft, target, choices, rule, context)?,
    }
    Ok(draft)
}

fn require_addresses(
    draft: &mut Draft,
    given: &Given<Vec<Range>>,
    is_source: bool,
    family: Family,
) -> Result<(), String> {
    draft.copies = draft.copies.saturating_mul(given.value.len());
    if given.negated && given.value.contains(&(0, family.last_address())) {
        return Err("`!` before all addresses is refused by a variant of iptables".to_owned());
    }
    let boxes = given.value.iter().map(|range| from_or_to(family, *range, is_source));
    draft.require(boxes.collect(), given.negated);
    Ok(())
}

fn require_match(
    draft: &mut Draft,
    instance: &Instance,
    earlier: &[Instance],
    rule: &Specification,
    context: Context,
) -> Result<(), String> {
    let name = instance.module.name;
    draft.reads = draft.reads.union(instance.module.reads);
    match instance.module.kind {
        Kind::Ports | Kind::Icmp => {
            let protocol = needed_protocol(name);
            if matches!((name, context.family), ("icmp", Family::V6) | ("icmp6", Family::V4)) {
                return Err(format!("`-m {name}` is for the other family"));
            }
            if !is_protocol(rule, protocol) {
                let wanted = if name == "icmp6" { "icmpv6" } else { name };
                return Err(format!("`-m {name}` needs `-p {wanted}`"));
            }
            if earlier.iter().any(|other| other.module.name == name) {
                return Err(format!(
                    "`-m {name}` stands twice, which the variants of iptables take differently"
                ));
            }
            if instance.choices.is_empty() {
                return Err(format!(
                    "`-m {name}` has no option, and then the variants of iptables take later fragments differently; \
                     leave it out"
                ));
            }
            draft.require_ports();
            for choice in &instance.choices {
                ports::require(draft, choice, protocol, context.family)?;
            }
        }
        Kind::Multiport => {
            let protocol = rule.protocol.as_ref().filter(|given| !given.negated && has_ports(given.value));
            let protocol = protocol.ok_or("`-m multiport` needs `-p` with a protocol that has ports")?;
            let [choice] = instance.choices.as_slice() else {
                return Err("`-m multiport` takes one of `--sports`, `--dports` and `--ports`".to_owned());
            };
            draft.require_ports();
            ports::require_several(draft, choice, protocol.value, context.family)?;
        }
        Kind::State => require_state(draft, instance, context)?,
        Kind::Set => draft.lookups.push(lookup(instance)?),
        Kind::Comment => label(draft, instance),
        Kind::IpRange => {
            for choice in &instance.choices {
                let range = address_range(value(choice), context.family)?;
                let boxes =
                    range.map(|range| from_or_to(context.family, range, choice.name == "--src-range"));
                draft.require(boxes.into_iter().collect(), choice.negated);
            }
        }
        Kind::Time => {
            if let Some(hours) = time::hours(&instance.choices)? {
                let all = PacketBox { moment: hours.dates, ..PacketBox::all(context.family) };
                draft.require(
                    hours.weekly.into_iter().map(|second| PacketBox { second, ..all }).collect(),
                    false,
                );
            }
        }
        Kind::Opaque => draft.opaque.push(opaque::text(instance)?),
    }
    Ok(())
}

/// The protocol that a match is for.
fn needed_protocol(module: &str) -> u8 {
    match module {
        "udp" => UDP,
        "sctp" => SCTP,
        "dccp" => DCCP,
        "icmp" => ICMP,
        "icmp6" => ICMPV6,
        _ => TCP,
    }
}

/// True if a rule is for this protocol alone.
fn is_protocol(rule: &Specification, wanted: u8) -> bool {
    rule.protocol.as_ref().is_some_and(|given| !given.negated && given.value == wanted)
}

/// The first value of an option.
pub(super) fn value<'w>(choice: &Choice<'w>) -> &'w str {
    choice.values.first().copied().unwrap_or_default()
}

fn label(draft: &mut Draft, instance: &Instance) {
    for choice in &instance.choices {
        let text = value(choice);
        draft.label = Some(match &draft.label {
            Some(known) => Arc::from(format!("{known} {text}")),
            None => Arc::from(text),
        });
    }
}

fn require_state(draft: &mut Draft, instance: &Instance, context: Context) -> Result<(), String> {
    if context.table == "raw" {
        return Err("packets meet the table `raw` before their state is known".to_owned());
    }
    let mut rest = Vec::new();
    for choice in &instance.choices {
        if matches!(choice.name, "--state" | "--ctstate") {
            let states = states(value(choice))?;
            let states = if choice.negated { states.complement() } else { states };
            draft.states = draft.states.intersection(states);
        } else {
            rest.push(choice.clone());
        }
    }
    if instance.choices.is_empty() {
        return Err(format!("`-m {}` has no option", instance.module.name));
    }
    if !rest.is_empty() {
        draft.opaque.push(opaque::text(&Instance { module: instance.module, choices: rest })?);
    }
    Ok(())
}

fn states(text: &str) -> Result<States, String> {
    let mut states = States::NONE;
    for word in text.split(',') {
        states = states.union(match word.to_ascii_uppercase().as_str() {
            "NEW" => States::NEW,
            "ESTABLISHED" => States::ESTABLISHED,
            "RELATED" => States::RELATED,
            "INVALID" => States::INVALID,
            "UNTRACKED" => States::UNTRACKED,
            "SNAT" | "DNAT" => {
                return Err(format!("`{word}` depends on address translation, which is not understood"));
            }
            _ => return Err(format!("`{word}` is not a state")),
        });
    }
    Ok(states)
}

/// The most parts that a lookup gives directions for (`IPSET_DIM_MAX`).
const MAX_PARTS: usize = 6;

fn lookup(instance: &Instance) -> Result<Lookup, String> {
    let is_match = |choice: &&Choice| matches!(choice.name, "--match-set" | "--set");
    let mut matches = instance.choices.iter().filter(is_match);
    let (Some(choice), None) = (matches.next(), matches.next()) else {
        return Err("`-m set` is written `-m set --match-set NAME src,dst`".to_owned());
    };
    let [set, parts] = choice.values.as_slice() else {
        return Err("`--match-set` takes a name and directions".to_owned());
    };
    let from_source = directions(parts)?;
    Ok(Lookup { set: (*set).to_owned(), from_source, negated: choice.negated })
}

fn directions(text: &str) -> Result<Vec<bool>, String> {
    let direction = |word: &str| match word {
        "src" => Ok(true),
        "dst" => Ok(false),
        _ => Err(format!("`{word}` is neither `src` nor `dst`")),
    };
    let found = text.split(',').map(direction).collect::<Result<Vec<_>, _>>()?;
    if found.len() > MAX_PARTS {
        return Err(format!("`{text}` has more than {MAX_PARTS} directions"));
    }
    Ok(found)
}

/// Addresses from the first to the last; nothing if they stand the wrong way round, and no address is between them.
fn address_range(text: &str, family: Family) -> Result<Option<Range>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (address(first, family)?, address(last, family)?);
    Ok((first <= last).then_some((first, last)))
}

fn set_target(
    draft: &mut Draft,
    target: &Target,
    choices: &[Choice],
    rule: &Specification,
    context: Context,
) -> Result<(), String> {
    let name = target.name;
    if !target.tables.is_empty() && !target.tables.contains(&context.table) {
        let tables = target.tables.join("` and `");
        return Err(format!("`{name}` stands in the table `{tables}` only"));
    }
    draft.writes = target.writes;
    match target.effect {
        Effect::Accept => draft.destiny = Destiny::Accept,
        Effect::Drop => {
            if context.table == "nat" {
                return Err("`DROP` is refused in the table `nat`".to_owned());
            }
            draft.destiny = Destiny::Drop;
        }
        Effect::Return => draft.destiny = Destiny::Return,
        Effect::Continue => {}
        Effect::Reject => {
            reject(choices, rule, context.family)?;
            draft.destiny = Destiny::Drop;
        }
        Effect::ChangeSets => {
            for choice in choices.iter().filter(|choice| matches!(choice.name, "--add-set" | "--del-set")) {
                directions(choice.values.get(1).copied().unwrap_or_default())?;
                draft.changes.push(value(choice).to_owned());
            }
        }
        Effect::Track => {
            if choices.iter().any(|choice| choice.name == "--notrack") {
                draft.writes = Fields::STATE;
            }
        }
    }
    Ok(())
}

fn reject(choices: &[Choice], rule: &Specification, family: Family) -> Result<(), String> {
    for choice in choices {
        let kind = value(choice);
        if !is_rejection(kind, family == Family::V6) {
            return Err(format!("`{kind}` is not a way to reject packets of this family"));
        }
        if matches!(kind, "tcp-reset" | "tcp-rst") && !is_protocol(rule, TCP) {
            return Err(format!("`--reject-with {kind}` needs `-p tcp`"));
        }
    }
    Ok(())
}
