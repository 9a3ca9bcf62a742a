//! The targets side by side: the table of `docs/targets.md`, and the same for the terminal.

use std::fmt::Write;

use super::capability::{Capabilities, Family, Kind};

/// A row: what it is about, and what holds for each target.
type Row = (&'static str, Vec<String>);

/// What stands above the table of the docs.
const INTRODUCTION: &str = "\
# Targets

What each target can express. What it cannot is an error at the statement that asks for it, unless the statement says
`unsupported leave-out`; nothing is left out in silence. The facts behind each column, with their sources, stand in
`targets/NAME/NOTES.md`. How to change the layout of an output, or to add a target, stands in [templates.md](templates.md).

This page is made from `targets/*/target.yaml`; after a change there, make it again:

    cargo run -- targets --format markdown > docs/targets.md

";

/// The page of the docs.
pub fn markdown(targets: &[Capabilities]) -> String {
    let mut page = INTRODUCTION.to_owned();
    let header: Vec<String> = targets.iter().map(|target| format!("`{}`", target.name)).collect();
    let line = |first: &str, cells: &[String]| format!("| {first} | {} |\n", cells.join(" | "));
    page += &line("", &header);
    page += &line("---", &vec!["---".to_owned(); targets.len()]);
    for (name, cells) in rows(targets) {
        page += &line(name, &cells);
    }
    page.push('\n');
    for target in targets {
        // Writing into a string cannot fail.
        let _ = writeln!(page, "- `{}`: {}.", target.name, target.summary);
    }
    page
}

/// One paragraph for each target, for people at a terminal.
pub fn human(targets: &[Capabilities]) -> String {
    let mut text = String::new();
    for (place, target) in targets.iter().enumerate() {
        let _ = writeln!(text, "{}{}: {}", if place == 0 { "" } else { "\n" }, target.name, target.summary);
        for (name, cells) in rows(std::slice::from_ref(target)) {
            let _ = writeln!(text, "  {name:<34}{}", cells.join(" "));
        }
    }
    text
}

fn rows(targets: &[Capabilities]) -> Vec<Row> {
    let row = |name, cell: &dyn Fn(&Capabilities) -> String| (name, targets.iter().map(cell).collect());
    let mut rows = vec![
        row("kind", &|target| kind(target.kind).to_owned()),
        row("keeps track of connections", &|target| yes_or_no(target.stateful)),
        row("families", &|target| families(&target.families)),
    ];
    for (place, (_, name, _)) in targets.first().iter().flat_map(|target| target.can.rows()).enumerate() {
        let ability = |target: &Capabilities| {
            target.can.rows().get(place).map(|(_, _, ability)| ability.text().to_owned()).unwrap_or_default()
        };
        rows.push(row(name, &ability));
    }
    rows.push(row("longest comment, in bytes", &|target| length(target.limits.comment_bytes)));
    rows.push(row("longest name, in bytes", &|target| length(target.limits.name_bytes)));
    rows.push(row("longest log prefix, in bytes", &|target| length(target.limits.log_prefix_bytes)));
    rows.push(row("longest interface name, in bytes", &|target| target.interface.max_bytes.to_string()));
    rows.push(row("characters of interface names", &|target| target.interface.characters.clone()));
    rows.push(row("files", &files));
    rows.push(row("version of its view", &|target| target.view.to_string()));
    rows
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Firewall => "firewall",
        Kind::Switch => "switch",
    }
}

fn yes_or_no(holds: bool) -> String {
    if holds { "yes" } else { "no" }.to_owned()
}

fn families(families: &[Family]) -> String {
    let names = families.iter().map(|family| match family {
        Family::Ipv4 => "IPv4",
        Family::Ipv6 => "IPv6",
    });
    names.collect::<Vec<_>>().join(", ")
}

fn length(bytes: usize) -> String {
    if bytes == 0 { "none".to_owned() } else { bytes.to_string() }
}

fn files(target: &Capabilities) -> String {
    let names: Vec<&str> = target.files.iter().map(|file| file.output.as_str()).collect();
    names.join(", ")
}
