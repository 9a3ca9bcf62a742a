//! What a config holds besides cordon's own: what stands against a splice, and what a reader of the policy must know.

use std::collections::BTreeSet;

use roxmltree::Node;

use super::made::Made;
use super::schedule::{shows, timezone_of};
use super::splice::{Ours, SpliceError, elements, names, printable, section, text};

/// The versions of configs that the output was made for: of pfSense 2.7.2, and of the development branch.
const VERSIONS: (f64, f64) = (23.3, 24.5);

/// Refuses what a splice would break, and gives warnings for people.
pub(super) fn check(root: Node, ours: &Ours, made: &Made) -> Result<Vec<String>, SpliceError> {
    let interfaces: BTreeSet<&str> = made.rules.iter().map(|rule| text(*rule, "interface")).collect();
    let assigned = section(root, "interfaces")?.ok_or(SpliceError::Missing("interfaces"))?;
    for interface in &interfaces {
        if section(assigned, interface)?.is_none() {
            return Err(SpliceError::NoInterface((*interface).to_owned()));
        }
    }
    check_taken(root, assigned, ours, made)?;
    check_used(root, ours, made)?;
    check_clock(root, made.clock)?;
    let mut warnings = Vec::new();
    let version = text(root, "version");
    if !version.parse::<f64>().is_ok_and(|version| (VERSIONS.0..=VERSIONS.1).contains(&version)) {
        warnings.push(format!(
            "the config has the version `{}`; cordon knows {} (pfSense 2.7.2) to {}",
            printable(version),
            VERSIONS.0,
            VERSIONS.1
        ));
    }
    for interface in assigned.children().filter(Node::is_element) {
        let name = interface.tag_name().name();
        let shown = printable(name);
        match (interfaces.contains(name), has(interface, "enable")) {
            (true, false) => {
                warnings.push(format!("the interface `{shown}` is switched off, and the policy for it too"));
            }
            (false, true) => warnings.push(format!(
                "the policy does not name the interface `{shown}`; what its own rules let pass, passes"
            )),
            (true, true) | (false, false) => {}
        }
    }
    if let Some(filter) = section(root, "filter")? {
        let foreign = elements(filter, "rule").filter(|rule| !ours.rules.contains(rule));
        warnings.extend(foreign.filter_map(|rule| warning(root, rule, &interfaces)));
    }
    Ok(warnings)
}

/// Refuses names that others have.
fn check_taken(root: Node, assigned: Node, ours: &Ours, made: &Made) -> Result<(), SpliceError> {
    let aliases = others(root, "aliases", "alias", ours)?;
    let groups = others(root, "ifgroups", "ifgroupentry", ours)?;
    let schedules = others(root, "schedules", "schedule", ours)?;
    let aliases = aliases.iter().map(|alias| text(*alias, "name"));
    let groups = groups.iter().map(|group| text(*group, "ifname"));
    let described = assigned.children().filter(Node::is_element).map(|interface| text(interface, "descr"));
    refuse_any_of(&names(&made.aliases), aliases.chain(groups).chain(described))?;
    // The states of rules are ended by the label of their schedule, so that must not be somebody's either.
    let schedules = schedules.iter().flat_map(|found| [text(*found, "name"), text(*found, "schedlabel")]);
    refuse_any_of(&names(&made.schedules), schedules)
}

/// What a section holds that is not cordon's.
fn others<'d, 'i>(
    root: Node<'d, 'i>,
    name: &str,
    entry: &str,
    ours: &Ours,
) -> Result<Vec<Node<'d, 'i>>, SpliceError> {
    let Some(section) = section(root, name)? else { return Ok(Vec::new()) };
    Ok(elements(section, entry).filter(|node| !ours.contains(node)).collect())
}

fn refuse_any_of<'t>(
    new: &BTreeSet<&str>,
    mut taken: impl Iterator<Item = &'t str>,
) -> Result<(), SpliceError> {
    let found = taken.find_map(|name| new.iter().find(|known| known.eq_ignore_ascii_case(name)));
    found.map_or(Ok(()), |name| Err(SpliceError::Taken((*name).to_owned())))
}

/// Refuses the loss of aliases and schedules that others use.
fn check_used(root: Node, ours: &Ours, made: &Made) -> Result<(), SpliceError> {
    let gone = |old: &[Node], new: &[Node]| -> BTreeSet<String> {
        names(old).difference(&names(new)).map(|name| (*name).to_owned()).collect()
    };
    let gone =
        [("alias", gone(&ours.aliases, &made.aliases)), ("schedule", gone(&ours.schedules, &made.schedules))];
    let mut waiting = vec![root];
    while let Some(node) = waiting.pop() {
        if node.is_text() {
            for word in node.text().unwrap_or_default().split([' ', ',', '\n', '\t', '\r']) {
                if let Some((kind, _)) = gone.iter().find(|(_, names)| names.contains(word)) {
                    return Err(SpliceError::StillUsed { kind, name: word.to_owned() });
                }
            }
        }
        waiting.extend(node.children().filter(|child| !ours.contains(child)));
    }
    Ok(())
}

/// Refuses a device that goes by another clock than the schedules.
fn check_clock(root: Node, clock: Option<&str>) -> Result<(), SpliceError> {
    let Some(clock) = clock else { return Ok(()) };
    let timezone = section(root, "system")?.map(|system| text(system, "timezone")).unwrap_or_default();
    if shows(timezone, clock) {
        return Ok(());
    }
    let help = match timezone_of(clock) {
        Some(needed) => format!("set System > General Setup > Timezone to `{needed}`, or change the policy"),
        None => "no time zone of pfSense is always that, so name another in the policy".to_owned(),
    };
    Err(SpliceError::OtherClock { timezone: printable(timezone), clock: clock.to_owned(), help })
}

fn has(node: Node, name: &str) -> bool {
    elements(node, name).next().is_some()
}

/// What is to be known of a rule that is not cordon's.
fn warning(root: Node, rule: Node, interfaces: &BTreeSet<&str>) -> Option<String> {
    if has(rule, "disabled") {
        return None;
    }
    let (interface, descr) = (text(rule, "interface"), printable(text(rule, "descr")));
    let opens = !matches!(text(rule, "type"), "block" | "reject");
    let ours = |list: &str| list.split([',', ' ']).any(|name| interfaces.contains(name));
    if has(rule, "floating") {
        let meant = interface.is_empty() || interface == "any" || ours(interface);
        return (meant && opens).then(|| {
            format!("the floating rule `{descr}` comes before the policy and can let more pass than it does")
        });
    }
    if interfaces.contains(interface) {
        return Some(format!(
            "the rule `{descr}` on `{interface}` is never reached, since the policy decides before it"
        ));
    }
    let groups = elements(root, "ifgroups").flat_map(|groups| elements(groups, "ifgroupentry"));
    let mut groups = groups.filter(|group| text(*group, "ifname") == interface);
    let meant = groups.any(|group| ours(text(group, "members")));
    (meant && opens).then(|| {
        format!(
            "the rule `{descr}` of the group `{}` comes before the policy and can let more pass than it does",
            printable(interface)
        )
    })
}
