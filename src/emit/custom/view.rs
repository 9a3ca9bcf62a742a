//! The generic view: what any stateful firewall needs to know, in a form that a newcomer can lay out.
//!
//! Every text is quoted already by the rule that the capability file names; all else is names, numbers and prefixes of a
//! closed alphabet. Rules are disjoint, so their order decides nothing. The fields are described in `docs/templates.md`;
//! whoever changes their meaning, or takes one away, raises [`VIEW_VERSION`].

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::entries::{self, Entry, Traffic, are_all, prefixes};
use super::error::CustomError;
use super::escape;
use crate::diag::Diagnostics;
use crate::emit::capability::{Capabilities, Family, Quote, is_common_protocol};
use crate::emit::error::EmitError;
use crate::emit::unsupported;
use crate::ir::{About, DeviceKind, Effect, Management, Rule};
use crate::plan::{DevicePlan, Pair};
use crate::set::{AddressRange, AddressSet, Interval, PacketSet, protocol_name};

/// The version of the generic view.
pub const VIEW_VERSION: u32 = 1;

/// The most prefixes and rules that a view holds together.
const MAX_SIZE: usize = 2_000_000;

/// All that a template gets.
#[derive(Debug, Serialize)]
pub(super) struct View {
    policy: String,
    device: DeviceView,
    interfaces: Vec<InterfaceView>,
    lists: Vec<ListView>,
    rules: Vec<RuleView>,
    inputs: Vec<RuleView>,
}

#[derive(Debug, Serialize)]
struct DeviceView {
    name: String,
    kind: &'static str,
    target: String,
}

#[derive(Debug, Serialize)]
struct InterfaceView {
    name: String,
    zones: Vec<String>,
    leads_to: String,
    sources_v4: SideView,
    sources_v6: SideView,
}

/// A named list of prefixes.
#[derive(Debug, Serialize)]
struct ListView {
    name: String,
    family: &'static str,
    addresses: Vec<String>,
}

/// Sources or destinations: all, or those of a list.
#[derive(Debug, Serialize)]
struct SideView {
    any: bool,
    list: String,
    addresses: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RuleView {
    name: String,
    action: &'static str,
    log: bool,
    log_prefix: String,
    comment: String,
    owner: String,
    reason: String,
    ticket: String,
    family: &'static str,
    from_interface: String,
    to_interface: String,
    sources: SideView,
    destinations: SideView,
    protocol: ProtocolView,
    source_ports: Vec<PortsView>,
    destination_ports: Vec<PortsView>,
    icmp: IcmpView,
}

#[derive(Debug, Serialize)]
struct ProtocolView {
    any: bool,
    name: String,
    number: u8,
}

#[derive(Debug, Serialize)]
struct PortsView {
    first: u16,
    last: u16,
    single: bool,
}

/// A message of ICMP; `any` stands for all.
#[derive(Debug, Serialize)]
struct IcmpView {
    any: bool,
    r#type: u8,
    any_code: bool,
    code: u8,
}

/// What is being put together.
struct Ctx<'a> {
    plan: &'a DevicePlan<'a>,
    target: &'a Capabilities,
    quote: Quote,
    /// The lists by what they are for and what they hold.
    names: BTreeMap<(String, Vec<AddressRange>), String>,
    /// How many lists there are for each rule, side and family.
    counts: BTreeMap<String, usize>,
    lists: Vec<ListView>,
    size: usize,
    /// What was reported already: a rule and what cannot be expressed of it.
    reported: BTreeSet<(String, String)>,
}

impl View {
    /// What a template gets for one enforcement point. What the target cannot express goes to the diagnostics.
    pub(super) fn new(plan: &DevicePlan, target: &Capabilities, diagnostics: &mut Diagnostics) -> Self {
        let mut ctx = Ctx {
            plan,
            target,
            quote: target.quote.unwrap_or(Quote::Plain),
            names: BTreeMap::new(),
            counts: BTreeMap::new(),
            lists: Vec::new(),
            size: 0,
            reported: BTreeSet::new(),
        };
        ctx.check_interfaces(diagnostics);
        let interfaces = ctx.interfaces();
        let mut rules = Vec::new();
        for pair in &plan.pairs {
            rules.extend(ctx.pair(pair, diagnostics));
        }
        let inputs = ctx.inputs(diagnostics);
        if ctx.size > MAX_SIZE {
            diagnostics.push(CustomError::TooMuch {
                device: plan.device.name.clone(),
                target: target.name.clone(),
                limit: MAX_SIZE,
                span: plan.device.span,
            });
        }
        let title = plan.policy.name.as_deref().unwrap_or("cordon");
        let kind = match plan.device.kind {
            DeviceKind::Firewall => "firewall",
            DeviceKind::Switch => "switch",
        };
        let (name, target) = (plan.device.name.clone(), plan.device.target.clone());
        let mut lists = ctx.lists;
        lists.sort_by(|one, other| one.name.cmp(&other.name));
        View {
            policy: escape::quoted(title, ctx.quote, ctx.target.limits.comment_bytes),
            device: DeviceView { name, kind, target },
            interfaces,
            lists,
            rules,
            inputs,
        }
    }
}

impl Ctx<'_> {
    fn check_interfaces(&self, diagnostics: &mut Diagnostics) {
        let names = &self.target.interface;
        for interface in self.plan.device.interfaces.iter().filter(|i| !names.hold(&i.name)) {
            diagnostics.push(CustomError::BadInterface {
                name: interface.name.clone(),
                target: self.target.name.clone(),
                max_bytes: names.max_bytes,
                characters: names.characters.clone(),
                span: interface.span,
            });
        }
    }

    fn interfaces(&mut self) -> Vec<InterfaceView> {
        let (plan, device) = (self.plan, self.plan.device);
        let views = device.interfaces.iter().map(|interface| {
            let sources: &AddressSet = plan.sources_at(interface);
            let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
            let stem = format!("interface.{}", interface.name.chars().map(safe).collect::<String>());
            let v4: Vec<AddressRange> = sources.v4.intervals().map(AddressRange::V4).collect();
            let v6: Vec<AddressRange> = sources.v6.intervals().map(AddressRange::V6).collect();
            InterfaceView {
                name: interface.name.clone(),
                zones: interface.zones.iter().map(|zone| plan.policy[*zone].name.clone()).collect(),
                leads_to: interface.link.as_ref().map(|link| link.to.clone()).unwrap_or_default(),
                sources_v4: self.side(&format!("{stem}.v4"), "ipv4", &v4),
                sources_v6: self.side(&format!("{stem}.v6"), "ipv6", &v6),
            }
        });
        views.collect()
    }

    fn pair(&mut self, pair: &Pair, diagnostics: &mut Diagnostics) -> Vec<RuleView> {
        let policy = self.plan.policy;
        let mut entries: Vec<_> = pair.entries.iter().map(|entry| (&policy[entry.rule], entry)).collect();
        entries.sort_by_key(|(rule, _)| &rule.id);
        let mut views = Vec::new();
        for (rule, entry) in entries {
            for part in self.entries(&entry.packets, diagnostics) {
                let refused = self.what_is_missing(&part, rule.log);
                if let Some(what) = refused {
                    if self.reported.insert((rule.id.clone(), what.clone())) {
                        unsupported(rule, self.plan, &what, diagnostics);
                    }
                    continue;
                }
                let head = Head::of_rule(rule);
                let between = (pair.from.name.as_str(), pair.to.name.as_str());
                views.push(self.rule(&head, between, &part));
            }
        }
        views
    }

    fn inputs(&mut self, diagnostics: &mut Diagnostics) -> Vec<RuleView> {
        let mut inputs: Vec<_> = self.plan.inputs.iter().collect();
        inputs.sort_by_key(|input| &input.management.id);
        let mut views = Vec::new();
        for input in inputs {
            let management = input.management;
            for part in self.entries(&input.packets, diagnostics) {
                let refused = if self.target.can.input.is_full() {
                    self.what_is_missing(&part, management.log)
                } else {
                    Some("it does not filter connections to itself".to_owned())
                };
                match refused {
                    Some(what) => self.refuse_management(management, what, diagnostics),
                    None => views.push(self.rule(&Head::of_management(management), ("", ""), &part)),
                }
            }
        }
        views
    }

    fn refuse_management(&mut self, management: &Management, what: String, diagnostics: &mut Diagnostics) {
        if self.reported.insert((management.id.clone(), what.clone())) {
            let (name, span) = (management.id.clone(), management.span);
            let device = self.plan.device.name.clone();
            diagnostics.push(EmitError::UnsupportedManagement { name, what, device, span });
        }
    }

    fn entries(&mut self, packets: &PacketSet, diagnostics: &mut Diagnostics) -> Vec<Entry> {
        if self.size > MAX_SIZE {
            return Vec::new();
        }
        match entries::entries(packets, self.target.limits.ports_per_rule.unwrap_or(1)) {
            Ok(entries) => entries,
            Err(what) => {
                diagnostics.push(EmitError::Bug { what: what.to_owned(), span: self.plan.device.span });
                Vec::new()
            }
        }
    }

    /// What of an entry the target has no way to say.
    fn what_is_missing(&self, entry: &Entry, log: bool) -> Option<String> {
        let can = &self.target.can;
        let family = if entry.is_v6 { Family::Ipv6 } else { Family::Ipv4 };
        if !self.target.families.contains(&family) {
            return Some(
                if entry.is_v6 { "it does not filter IPv6" } else { "it does not filter IPv4" }.to_owned(),
            );
        }
        if log && !can.logging.is_full() {
            return Some("it does not log".to_owned());
        }
        let named = |protocol: u8| can.protocol_numbers.is_full() || is_common_protocol(protocol);
        let all_single = |ports: &[Interval<u16>]| ports.iter().all(|range| range.is_single());
        match &entry.traffic {
            Traffic::All => {
                (!can.any_protocol.is_full()).then(|| "it has no rule for all protocols at once".to_owned())
            }
            Traffic::Protocol(protocol) | Traffic::Ports { protocol, .. } if !named(*protocol) => {
                Some(format!("it has no rule for the protocol {}", protocol_name(*protocol)))
            }
            Traffic::Protocol(_) => None,
            Traffic::Ports { sources, .. } if !sources.is_empty() && !can.source_ports.is_full() => {
                Some("it has no rule for source ports".to_owned())
            }
            Traffic::Ports { sources, destinations, .. } => {
                let fits = can.port_ranges.is_full() || all_single(sources) && all_single(destinations);
                (!fits).then(|| "it has no ranges of ports".to_owned())
            }
            Traffic::Message { .. } if !can.icmp_types.is_full() => {
                Some("it has no rule for single ICMP types".to_owned())
            }
            Traffic::Message { code, .. } => (code.is_some() && !can.icmp_codes.is_full())
                .then(|| "it has no rule for single ICMP codes".to_owned()),
        }
    }

    fn rule(&mut self, head: &Head, (from, to): (&str, &str), entry: &Entry) -> RuleView {
        self.size += 1;
        let (family, short) = if entry.is_v6 { ("ipv6", "v6") } else { ("ipv4", "v4") };
        let limits = self.target.limits;
        let stem = |side: &str| format!("{}.{side}.{short}", head.name);
        let side = if head.is_input { "manage" } else { "from" };
        let sources = self.side(&stem(side), family, &entry.sources);
        let destinations = self.side(&stem("to"), family, &entry.destinations);
        let text = |text: Option<&String>| {
            escape::quoted(text.map_or("", String::as_str), self.quote, limits.comment_bytes)
        };
        let (protocol, source_ports, destination_ports, icmp) = traffic_views(&entry.traffic);
        RuleView {
            name: head.name.to_owned(),
            action: head.action,
            log: head.log,
            log_prefix: escape::quoted(&head.log_prefix(), self.quote, limits.log_prefix_bytes),
            comment: text(Some(&head.comment())),
            owner: text(head.about.owner.as_ref()),
            reason: text(head.about.reason.as_ref()),
            ticket: text(head.about.ticket.as_ref()),
            family,
            from_interface: from.to_owned(),
            to_interface: to.to_owned(),
            sources,
            destinations,
            protocol,
            source_ports,
            destination_ports,
            icmp,
        }
    }

    /// A side of a rule; its list is made if there is none yet that holds the same for the same purpose.
    fn side(&mut self, purpose: &str, family: &'static str, ranges: &[AddressRange]) -> SideView {
        let addresses: Vec<String> = prefixes(ranges)
            .take(MAX_SIZE.saturating_sub(self.size) + 1)
            .map(|prefix| prefix.to_string())
            .collect();
        self.size += addresses.len();
        if are_all(ranges) {
            return SideView { any: true, list: String::new(), addresses };
        }
        let key = (purpose.to_owned(), ranges.to_vec());
        if let Some(list) = self.names.get(&key) {
            return SideView { any: false, list: list.clone(), addresses };
        }
        let count = self.counts.entry(purpose.to_owned()).or_default();
        *count += 1;
        let number = if *count > 1 { format!(".{count}") } else { String::new() };
        let name = escape::name(&format!("{purpose}{number}"), self.target.limits.name_bytes);
        self.names.insert(key, name.clone());
        self.lists.push(ListView { name: name.clone(), family, addresses: addresses.clone() });
        SideView { any: false, list: name, addresses }
    }
}

/// What all rules of one statement have in common.
struct Head<'a> {
    name: &'a str,
    action: &'static str,
    log: bool,
    is_input: bool,
    about: &'a About,
}

impl<'a> Head<'a> {
    fn of_rule(rule: &'a Rule) -> Self {
        let action = match rule.effect {
            Effect::Allow => "allow",
            Effect::Forbid => "deny",
        };
        Head { name: &rule.id, action, log: rule.log, is_input: false, about: &rule.about }
    }

    fn of_management(management: &'a Management) -> Self {
        let (name, log) = (&management.id, management.log);
        Head { name, action: "allow", log, is_input: true, about: &management.about }
    }

    fn log_prefix(&self) -> String {
        format!("cordon {} {}", self.action, self.name)
    }

    fn comment(&self) -> String {
        match &self.about.reason {
            Some(reason) => format!("{}: {reason}", self.name),
            None => self.name.to_owned(),
        }
    }
}

/// The fields for protocol, source ports, destination ports and ICMP.
fn traffic_views(traffic: &Traffic) -> (ProtocolView, Vec<PortsView>, Vec<PortsView>, IcmpView) {
    let protocol = |number: u8| ProtocolView { any: false, name: protocol_name(number), number };
    let ports = |ranges: &[Interval<u16>]| -> Vec<PortsView> {
        let view = |r: &Interval<u16>| PortsView { first: r.first(), last: r.last(), single: r.is_single() };
        ranges.iter().map(view).collect()
    };
    let no_icmp = IcmpView { any: true, r#type: 0, any_code: true, code: 0 };
    match traffic {
        Traffic::All => {
            let all = ProtocolView { any: true, name: "any".to_owned(), number: 0 };
            (all, Vec::new(), Vec::new(), no_icmp)
        }
        Traffic::Protocol(number) => (protocol(*number), Vec::new(), Vec::new(), no_icmp),
        Traffic::Ports { protocol: number, sources, destinations } => {
            (protocol(*number), ports(sources), ports(destinations), no_icmp)
        }
        Traffic::Message { protocol: number, message, code } => {
            let icmp = IcmpView {
                any: false,
                r#type: *message,
                any_code: code.is_none(),
                code: code.unwrap_or_default(),
            };
            (protocol(*number), Vec::new(), Vec::new(), icmp)
        }
    }
}
