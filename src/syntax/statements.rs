//! One function for each kind of statement: from what the grammar matched to its place in the tree.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the rules of the grammar are a generated enum, not one of ours"
)]

use pest::iterators::Pair;

use super::ast::{
    Action, Assertion, Class, Device, DeviceKind, Effect, Expectation, Group, Guard, Interface, Inventory,
    Leads, Manage, Peer, Ports, Posture, Require, Rule as RuleStatement, Schedule, Service, Storm, Threshold,
    Window, Word, Zone,
};
use super::block::{Block, Ctx, Form};
use super::error::SyntaxError;
use super::grammar::Rule;
use super::lexical::absent;
use crate::source::Spanned;

const OWNER: (&str, &str) = ("owner", "owner NAME");
const NOTE: (&str, &str) = ("note", "note \"TEXT\"");
const PHI: (&str, &str) = ("phi", "phi none|transit|store");
const RISK: (&str, &str) = ("risk", "risk low|medium|high|critical");
const CRITICALITY: (&str, &str) = ("criticality", "criticality life|care|ops");
const ROLE: (&str, &str) = ("role", "role admin|infrastructure");
const SUPPORTED: (&str, &str) = ("supported", "supported until YYYY-MM-DD");
const HOSTS: (&str, &str) = ("hosts", "hosts ADDRESS, PREFIX, FIRST-LAST except ADDRESS");
const FROM: (&str, &str) = ("from", "from NAME, NAME except NAME");
const TO: (&str, &str) = ("to", "to NAME, NAME except NAME");
const VIA: (&str, &str) = ("via", "via SERVICE, tcp PORT");
const LOG: (&str, &str) = ("log", "log");
const DURING: (&str, &str) = ("during", "during SCHEDULE");
const UNTIL: (&str, &str) = ("until", "until YYYY-MM-DD");
const REASON: (&str, &str) = ("reason", "reason \"TEXT\"");
const TICKET: (&str, &str) = ("ticket", "ticket NAME");
const ACCEPTED: (&str, &str) = ("accepted", "accepted CODE because \"TEXT\" until YYYY-MM-DD");
const UNSUPPORTED: (&str, &str) = ("unsupported", "unsupported leave-out");

const ZONE: Form = Form {
    context: "zone",
    also: "",
    usages: &[
        ("net", "net PREFIX, PREFIX"),
        ("rest", "rest"),
        PHI,
        CRITICALITY,
        ("trust", "trust internal|partner|guest|external"),
        ROLE,
        OWNER,
        ("tier", "tier NAME"),
        ("vlan", "vlan NUMBER"),
        NOTE,
        ACCEPTED,
    ],
};
const SERVICE: Form = Form {
    context: "service",
    also: "",
    usages: &[
        ("tcp", "tcp PORT, FIRST-LAST"),
        ("udp", "udp PORT, FIRST-LAST"),
        ("icmp", "icmp TYPE"),
        ("icmpv6", "icmpv6 TYPE"),
        ("protocol", "protocol NUMBER"),
        ("encrypted", "encrypted"),
        ("phi", "phi none"),
        OWNER,
        NOTE,
        ACCEPTED,
    ],
};
const CLASS: Form = Form {
    context: "class",
    also: "",
    usages: &[
        HOSTS,
        (
            "members",
            "members all`, `members unclassified` or `members from inventory where COLUMN == \"VALUE\"",
        ),
        ("reaches", "reaches NAME via SERVICE"),
        ("reached", "reached by NAME via SERVICE"),
        RISK,
        PHI,
        CRITICALITY,
        ROLE,
        OWNER,
        SUPPORTED,
        NOTE,
        ACCEPTED,
    ],
};
const PEER: Form = Form {
    context: "peer",
    also: "",
    usages: &[("hosts", "hosts ADDRESS, ADDRESS"), PHI, CRITICALITY, ROLE, OWNER, NOTE, ACCEPTED],
};
const GROUP: Form = Form { context: "group", also: "names, ", usages: &[OWNER, NOTE, ACCEPTED] };
const RULE: Form = Form {
    context: "rule",
    also: "",
    usages: &[FROM, TO, VIA, LOG, DURING, UNTIL, UNSUPPORTED, OWNER, REASON, TICKET, NOTE, ACCEPTED],
};
const ASSERTION: Form =
    Form { context: "assertion", also: "", usages: &[FROM, TO, VIA, OWNER, REASON, TICKET, NOTE, ACCEPTED] };
const MANAGE: Form = Form {
    context: "manage statement",
    also: "",
    usages: &[FROM, TO, VIA, LOG, OWNER, REASON, TICKET, NOTE, ACCEPTED],
};
const SCHEDULE: Form = Form {
    context: "schedule",
    also: "",
    usages: &[("mon", "mon..fri 18:00-22:00"), ("timezone", "timezone \"Europe/Berlin\""), NOTE, ACCEPTED],
};
const GUARD: Form = Form {
    context: "guard",
    also: "",
    usages: &[
        ("new-connections", "new-connections 20/second burst 60 per source"),
        ("packets", "packets 1000/second"),
        ("bandwidth", "bandwidth 40mbit/second"),
        ("destinations", "destinations 200/minute per source"),
        ("session-time", "session-time 60minutes"),
        ("then", "then quarantine 10 minutes"),
        ("approval", "approval \"WHO\""),
        REASON,
        NOTE,
    ],
};
const POSTURE: Form = Form {
    context: "posture",
    also: "",
    usages: &[("isolate", "isolate NAME, NAME except RULE"), REASON, OWNER, NOTE, ACCEPTED],
};
const INVENTORY: Form = Form {
    context: "inventory",
    also: "",
    usages: &[
        ("file", "file \"PATH\""),
        ("format", "format netbox|nrx|xdome|armis|nmap"),
        ("mapping", "mapping \"PATH\""),
        OWNER,
        NOTE,
    ],
};
const FIREWALL: Form = Form {
    context: "firewall",
    also: "",
    usages: &[
        ("target", "target NAME"),
        ("interface", "interface NAME zone ZONE, ZONE` or `interface NAME to DEVICE"),
        ("uplink", "uplink NAME to DEVICE cost NUMBER backup"),
        ("ports", "ports NAME, NAME zone ZONE storm-control broadcast RATE, multicast RATE then limit"),
        ("tcam", "tcam NUMBER"),
        ("fragments", "fragments deny"),
        OWNER,
        NOTE,
        ACCEPTED,
    ],
};

/// The name of a statement that must have one. Where it is missing that was reported, and no statement can refer to
/// the empty name.
fn named(ctx: &Ctx, pair: &Pair<Rule>, block: &Block) -> Word {
    block.name.clone().unwrap_or_else(|| absent(ctx.span(pair)))
}

pub(super) fn zone(ctx: &mut Ctx, pair: &Pair<Rule>) -> Zone {
    let block = ctx.block(pair, &ZONE, true);
    let nets = block.clauses.iter().filter(|clause| clause.as_rule() == Rule::net);
    Zone {
        name: named(ctx, pair, &block),
        nets: nets.map(|clause| ctx.names(clause)).collect(),
        rest: ctx.flag(&block.clauses, Rule::rest, "rest"),
        acceptances: ctx.acceptances(pair, &block.clauses),
        attributes: block.attributes,
        broken: block.broken,
    }
}

pub(super) fn service(ctx: &mut Ctx, pair: &Pair<Rule>) -> Service {
    let block = ctx.block(pair, &SERVICE, true);
    let protocols = block.clauses.iter().filter(|clause| clause.as_rule() == Rule::protocol_ports);
    Service {
        name: named(ctx, pair, &block),
        protocols: protocols.map(|clause| ctx.protocol_ports(clause)).collect(),
        encrypted: ctx.flag(&block.clauses, Rule::encrypted, "encrypted"),
        acceptances: ctx.acceptances(pair, &block.clauses),
        attributes: block.attributes,
        broken: block.broken,
    }
}

/// The zone behind `in`, in the head of a class or peer. Where something else stands there, that was reported, and
/// the zone is the empty word.
fn zone_of(ctx: &Ctx, block: &Block) -> Option<Word> {
    let part = |rule| block.head.iter().find(|part| part.as_rule() == rule);
    match part(Rule::in_zone) {
        Some(clause) => ctx.first(clause, &[Rule::name]),
        None => part(Rule::extra).map(|extra| absent(ctx.span(extra))),
    }
}

pub(super) fn class(ctx: &mut Ctx, pair: &Pair<Rule>) -> Class {
    let block = ctx.block(pair, &CLASS, true);
    Class {
        name: named(ctx, pair, &block),
        zone: zone_of(ctx, &block),
        members: block.clauses.iter().filter_map(|clause| ctx.members(clause)).collect(),
        reaches: block.clauses.iter().filter_map(|clause| ctx.reach(clause)).collect(),
        acceptances: ctx.acceptances(pair, &block.clauses),
        attributes: block.attributes,
        broken: block.broken,
    }
}

pub(super) fn peer(ctx: &mut Ctx, pair: &Pair<Rule>) -> Peer {
    let block = ctx.block(pair, &PEER, true);
    Peer {
        name: named(ctx, pair, &block),
        zone: zone_of(ctx, &block),
        members: block.clauses.iter().filter_map(|clause| ctx.members(clause)).collect(),
        acceptances: ctx.acceptances(pair, &block.clauses),
        attributes: block.attributes,
        broken: block.broken,
    }
}

pub(super) fn group(ctx: &mut Ctx, pair: &Pair<Rule>) -> Group {
    let block = ctx.block(pair, &GROUP, true);
    let members = block.clauses.iter().filter(|clause| clause.as_rule() == Rule::names);
    Group {
        name: named(ctx, pair, &block),
        members: members.map(|clause| ctx.names(clause)).collect(),
        acceptances: ctx.acceptances(pair, &block.clauses),
        attributes: block.attributes,
        broken: block.broken,
    }
}

pub(super) fn rule(ctx: &mut Ctx, pair: &Pair<Rule>) -> RuleStatement {
    let block = ctx.block(pair, &RULE, false);
    let keyword = block.head.first().map_or_else(|| absent(ctx.span(pair)), |head| ctx.word(head));
    let effect = if keyword.node == Effect::Forbid.keyword() { Effect::Forbid } else { Effect::Allow };
    RuleStatement {
        effect: Spanned { node: effect, span: keyword.span },
        name: block.name,
        flow: ctx.flow(&block.clauses),
        log: ctx.flag(&block.clauses, Rule::log, "log"),
        during: ctx.during(&block.clauses),
        leave_out: ctx.flag(&block.clauses, Rule::unsupported, "unsupported leave-out"),
        acceptances: ctx.acceptances(pair, &block.clauses),
        attributes: block.attributes,
        span: ctx.span(pair),
        broken: block.broken,
    }
}

pub(super) fn assertion(ctx: &mut Ctx, pair: &Pair<Rule>) -> Assertion {
    let block = ctx.block(pair, &ASSERTION, false);
    let expectation = block.head.iter().find(|part| part.as_rule() == Rule::expectation);
    if expectation.is_none() {
        let span = ctx.span(block.head.first().unwrap_or(pair));
        ctx.diagnostics.push(SyntaxError::NoExpectation { span });
    }
    let keyword = ctx.span(block.head.first().unwrap_or(pair));
    let keywords = expectation.map_or(keyword, |expectation| keyword.to(ctx.span(expectation)));
    let allowed = expectation.is_some_and(|part| part.as_str() == "allowed");
    Assertion {
        expectation: if allowed { Expectation::Allowed } else { Expectation::Denied },
        name: block.name,
        flow: ctx.flow(&block.clauses),
        acceptances: ctx.acceptances(pair, &block.clauses),
        attributes: block.attributes,
        span: keywords,
        broken: block.broken || expectation.is_none(),
    }
}

pub(super) fn manage(ctx: &mut Ctx, pair: &Pair<Rule>) -> Manage {
    let block = ctx.block(pair, &MANAGE, false);
    Manage {
        name: block.name,
        flow: ctx.flow(&block.clauses),
        log: ctx.flag(&block.clauses, Rule::log, "log"),
        acceptances: ctx.acceptances(pair, &block.clauses),
        attributes: block.attributes,
        span: ctx.span(block.head.first().unwrap_or(pair)),
        broken: block.broken,
    }
}

pub(super) fn schedule(ctx: &mut Ctx, pair: &Pair<Rule>) -> Schedule {
    let block = ctx.block(pair, &SCHEDULE, true);
    let of = |rule: Rule| block.clauses.iter().filter(move |clause| clause.as_rule() == rule);
    let windows = of(Rule::window)
        .map(|clause| Window { days: ctx.words(clause, Rule::day), hours: ctx.words(clause, Rule::hours) });
    let windows = windows.collect();
    ctx.flag(&block.clauses, Rule::timezone, "timezone");
    let timezone = of(Rule::timezone).map(|clause| ctx.text(clause)).next();
    let name = named(ctx, pair, &block);
    let acceptances = ctx.acceptances(pair, &block.clauses);
    Schedule { name, windows, timezone, acceptances, attributes: block.attributes, broken: block.broken }
}

pub(super) fn guard(ctx: &mut Ctx, pair: &Pair<Rule>) -> Guard {
    let block = ctx.block(pair, &GUARD, true);
    let of = |rule: Rule| block.clauses.iter().filter(move |clause| clause.as_rule() == rule);
    let thresholds = of(Rule::threshold).map(|clause| threshold(ctx, clause)).collect();
    let actions = of(Rule::action).map(|clause| action(ctx, clause)).collect();
    let (subject, broken) = (named(ctx, pair, &block), block.broken);
    Guard { subject, thresholds, actions, attributes: block.attributes, broken }
}

fn threshold(ctx: &Ctx, clause: &Pair<Rule>) -> Threshold {
    let or_absent = |word: Option<Word>| word.unwrap_or_else(|| absent(ctx.span(clause)));
    let mut words = ctx.words(clause, Rule::word).into_iter();
    let mut rate = or_absent(words.next());
    if let Some(unit) = ctx.first(clause, &[Rule::unit]) {
        rate = Spanned { node: format!("{} {}", rate.node, unit.node), span: rate.span.to(unit.span) };
    }
    Threshold {
        metric: or_absent(ctx.first(clause, &[Rule::metric])),
        rate,
        burst: words.next(),
        per: ctx.first(clause, &[Rule::name]),
    }
}

fn action(ctx: &Ctx, clause: &Pair<Rule>) -> Action {
    let verb = ctx.first(clause, &[Rule::name, Rule::kw_isolate]);
    let part = |rule| clause.clone().into_inner().find(|inner| inner.as_rule() == rule);
    let duration = part(Rule::duration).and_then(|duration| {
        Some((ctx.first(&duration, &[Rule::hours])?, ctx.first(&duration, &[Rule::name])?))
    });
    Action {
        verb: verb.unwrap_or_else(|| absent(ctx.span(clause))),
        duration,
        except: part(Rule::except).map(|except| ctx.words(&except, Rule::name)).unwrap_or_default(),
    }
}

pub(super) fn posture(ctx: &mut Ctx, pair: &Pair<Rule>) -> Posture {
    let block = ctx.block(pair, &POSTURE, true);
    let isolate = block.clauses.iter().filter(|clause| clause.as_rule() == Rule::isolate);
    Posture {
        name: named(ctx, pair, &block),
        isolate: isolate.map(|clause| ctx.names(clause)).collect(),
        acceptances: ctx.acceptances(pair, &block.clauses),
        attributes: block.attributes,
        broken: block.broken,
    }
}

pub(super) fn require(ctx: &mut Ctx, pair: &Pair<Rule>) -> Require {
    let words = |rule| {
        let part = pair.clone().into_inner().find(|inner| inner.as_rule() == rule);
        part.map(|part| ctx.words(&part, Rule::word)).unwrap_or_default()
    };
    let (attributes, kinds) = (words(Rule::required), words(Rule::kinds));
    if attributes.is_empty() || kinds.is_empty() {
        ctx.diagnostics.push(SyntaxError::NoRequirement { span: ctx.span(pair) });
    }
    Require { attributes, kinds }
}

pub(super) fn inventory(ctx: &mut Ctx, pair: &Pair<Rule>) -> Inventory {
    let block = ctx.block(pair, &INVENTORY, true);
    let mut once = |rule, keyword: &'static str| {
        ctx.flag(&block.clauses, rule, keyword);
        let clause = block.clauses.iter().find(|clause| clause.as_rule() == rule)?;
        Some(ctx.text(clause))
    };
    let (file, format) = (once(Rule::table_file, "file"), once(Rule::table_format, "format"));
    let mapping = once(Rule::mapping_file, "mapping");
    Inventory {
        name: named(ctx, pair, &block),
        file,
        format,
        mapping,
        attributes: block.attributes,
        broken: block.broken,
    }
}

pub(super) fn device(ctx: &mut Ctx, pair: &Pair<Rule>) -> Device {
    let is_switch = pair.as_str().starts_with("switch");
    let context = if is_switch { "switch" } else { "firewall" };
    let block = ctx.block(pair, &Form { context, ..FIREWALL }, true);
    let targets = block.clauses.iter().filter(|clause| clause.as_rule() == Rule::target);
    ctx.flag(&block.clauses, Rule::tcam, "tcam");
    let tcam = block.clauses.iter().find(|clause| clause.as_rule() == Rule::tcam);
    Device {
        kind: if is_switch { DeviceKind::Switch } else { DeviceKind::Firewall },
        name: named(ctx, pair, &block),
        targets: targets.filter_map(|clause| ctx.first(clause, &[Rule::name])).collect(),
        interfaces: block.clauses.iter().filter_map(|clause| interface(ctx, clause)).collect(),
        ports: block.clauses.iter().filter_map(|clause| ports(ctx, clause)).collect(),
        tcam: tcam.and_then(|clause| ctx.first(clause, &[Rule::word])),
        denies_fragments: ctx.flag(&block.clauses, Rule::fragments, "fragments deny"),
        acceptances: ctx.acceptances(pair, &block.clauses),
        attributes: block.attributes,
        broken: block.broken,
    }
}

fn ports(ctx: &Ctx, clause: &Pair<Rule>) -> Option<Ports> {
    if clause.as_rule() != Rule::ports_of_zone {
        return None;
    }
    let mut names = ctx.words(clause, Rule::name);
    let zone = names.pop()?;
    let storm = clause.clone().into_inner().find(|inner| inner.as_rule() == Rule::storm);
    let storm = storm.and_then(|storm| {
        let levels = storm.clone().into_inner().filter(|inner| inner.as_rule() == Rule::storm_level);
        let level =
            |level: Pair<Rule>| Some((ctx.first(&level, &[Rule::name])?, ctx.first(&level, &[Rule::word])?));
        let (levels, action) = (levels.filter_map(level).collect(), ctx.first(&storm, &[Rule::name])?);
        Some(Storm { levels, action, span: ctx.span(&storm) })
    });
    Some(Ports { names, zone, storm })
}

fn interface(ctx: &Ctx, clause: &Pair<Rule>) -> Option<Interface> {
    if !matches!(clause.as_rule(), Rule::interface | Rule::uplink) {
        return None;
    }
    let part = |rule| clause.clone().into_inner().find(|inner| inner.as_rule() == rule);
    let name = ctx.first(clause, &[Rule::name])?;
    let leads = match part(Rule::attached) {
        Some(attached) => Leads::Zones(ctx.names(&attached)),
        None => {
            let leading = part(Rule::leading)?;
            let backup = leading.clone().into_inner().find(|inner| inner.as_rule() == Rule::kw_backup);
            Leads::Device {
                to: ctx.first(&leading, &[Rule::name])?,
                cost: ctx.first(&leading, &[Rule::word]),
                backup: backup.map(|backup| ctx.span(&backup)),
            }
        }
    };
    Some(Interface { name, leads })
}
