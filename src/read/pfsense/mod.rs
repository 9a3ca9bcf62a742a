//! The reader of pfSense configs.
//!
//! In: the text of a whole `config.xml`, or those of areas of "Backup & Restore" (`<filter>`, `<aliases>`, `<schedules>`).
//! Out: what pfSense makes of them: its generator (`filter_rules_generate`, `filter_generate_user_rule` in
//! `src/etc/inc/filter.inc`, branches `RELENG_2_7_2` and `master`) writes rules of pf, which pf.conf(5) gives a meaning.
//!
//! - **Interfaces** have the ids of the config: `wan`, `lan`, `opt1`; tunnels and the like those that rules use.
//! - **Filters.** Packets meet rules where they arrive and again where they leave. If rules look for the device's own
//!   addresses, `(self)`, packets through it and packets to it have chains of their own: the former are never addressed to
//!   it, the latter always, unless they are for many hosts (multicast, 255.255.255.255). Directed broadcasts are taken for
//!   addresses of the device. A source `(self)` is opaque.
//! - **States.** Packets of a known state pass before all rules, and so do errors about it. All others meet the rules,
//!   whether pf would call them new or not; a TCP packet that is no SYN passes only by a rule that asks for no flags.
//! - **Areas.** What other parts of a config decide is not in the model then: blocks of 169.254.0.0/16, of bogon and of
//!   private networks, of hosts that guess passwords and of NAT64, rules for DHCP, CARP and against being locked out, and
//!   address translation. IPv6 counts as allowed, since without `ipv6allow` pfSense blocks it whatever rules say. Names of
//!   interfaces as addresses, groups, rules with a gateway, and rules for packets that leave that look at sources are
//!   mistakes.
//! - **Not in the model**: packets with IP options, which need `allow-opts`; what pf's reassembly drops; addresses that
//!   tables get while the device runs, which are opaque (`from <virusprot>`); anchors that services fill.

mod alias;
mod device;
mod generated;
mod matching;
mod order;
mod packet;
mod report;
mod rule;
mod schedule;
mod section;
mod xml;

use super::model::{Model, Reading};
use alias::Aliases;
use generated::Own;
use report::Report;
use rule::{Names, PfRule, Rank};
use schedule::Schedules;
use xml::{Element, File};

/// Reads a config: one whole `config.xml`, or any of the areas `<filter>`, `<aliases>` and `<schedules>`, each once and in any
/// order.
///
/// Lines are those of the text that a thing stands in. A mistake says by its words which that is.
pub fn read(texts: &[&str]) -> Reading {
    let mut report = Report::default();
    let files: Vec<File> = texts.iter().filter_map(|text| xml::parse(text, &mut report)).collect();
    // Each text that is no XML counts as one part.
    report.lines.mistaken += texts.len() - files.len();
    let model = match parts(&files, &mut report) {
        Some(parts) => lower(&parts, &mut report),
        None => Model::default(),
    };
    let Report { mut mistakes, lines } = report;
    // A rule for two families can be wrong in both in the same way.
    mistakes.sort();
    mistakes.dedup();
    Reading { model, mistakes, lines }
}

/// What was given.
#[derive(Default)]
struct Parts<'e> {
    whole: Option<&'e Element>,
    filter: Option<&'e Element>,
    aliases: Option<&'e Element>,
    schedules: Option<&'e Element>,
}

/// Sorts the texts by what they are.
fn parts<'e>(files: &'e [File], report: &mut Report) -> Option<Parts<'e>> {
    let mut parts = Parts::default();
    for File { root, mistakes } in files {
        let slot = match root.name.as_str() {
            "pfsense" => &mut parts.whole,
            "filter" => &mut parts.filter,
            "aliases" => &mut parts.aliases,
            "schedules" => &mut parts.schedules,
            "opnsense" => {
                report.refuse(
                    root.line,
                    "this is a config of OPNsense, which pfSense does not read".to_owned(),
                );
                continue;
            }
            name => {
                let what = "is neither a config of pfSense nor an area with rules, aliases or schedules";
                report.refuse(root.line, format!("`{name}` {what}"));
                continue;
            }
        };
        // What is wrong with the form of a file counts as a part each.
        mistakes.iter().for_each(|mistake| report.refuse(mistake.line, mistake.what.clone()));
        if slot.replace(root).is_some() {
            report.refuse(root.line, format!("there are two texts with `{}`", root.name));
        }
    }
    let areas = [parts.filter, parts.aliases, parts.schedules];
    if let Some(whole) = parts.whole {
        for area in areas.into_iter().flatten() {
            report.refuse(area.line, format!("area `{}` stands beside a whole config", area.name));
        }
        let area = |name| whole.child(name);
        let (filter, aliases, schedules) = (area("filter"), area("aliases"), area("schedules"));
        return Some(Parts { whole: Some(whole), filter, aliases, schedules });
    }
    if parts.filter.is_none() && report.mistakes.is_empty() {
        let what = "there are no rules: neither a whole config nor the area `filter` was given";
        report.refuse(1, what.to_owned());
    }
    parts.filter.is_some().then_some(parts)
}

fn lower(parts: &Parts<'_>, report: &mut Report) -> Model {
    let line = parts.whole.or(parts.filter).map_or(1, |root| root.line);
    let whole = parts.whole.map(|root| section::read(root, report));
    let mut aliases = match parts.aliases {
        Some(section) => alias::read(section, report),
        None => Aliases::default(),
    };
    let schedules: Option<Schedules> = parts.schedules.map(|section| schedule::read(section, report));
    let own = match &whole {
        Some(whole) => generated::rules(&whole.own),
        None => generated::rules(&Own { line, ipv6: true, ..Own::default() }),
    };
    let mut names = Names {
        aliases: &mut aliases,
        schedules: schedules.as_ref(),
        device: whole.as_ref().map(|whole| &whole.device),
        skips_down_gateways: whole.as_ref().is_some_and(|whole| whole.skips_down_gateways),
    };
    let mut rules = own;
    rules.extend(parts.filter.map(|filter| users(filter, &mut names, report)).unwrap_or_default());
    match order::model(&rules, line) {
        Some(model) => model,
        None => {
            report.mistake(line, "there are too many rules on too many interfaces".to_owned());
            Model::default()
        }
    }
}

/// The rules of users, in the order of pf.
fn users(filter: &Element, names: &mut Names<'_>, report: &mut Report) -> Vec<PfRule> {
    let mut ranked: Vec<(Rank, Vec<PfRule>)> = Vec::new();
    for child in &filter.children {
        match child.name.as_str() {
            // Lines between rules on the screen; empty elements of a list, which pfSense drops; rules that are off.
            "separator" => report.ignore(),
            "rule" if child.is_empty() || child.has("disabled") => report.ignore(),
            "rule" => ranked.extend(report.part(|report| rule::read(child, names, report))),
            name => report.refuse(child.line, format!("`{name}` among rules is not understood")),
        }
    }
    // Rules of a rank stay in the order of the config.
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().flat_map(|(_, rules)| rules).collect()
}
