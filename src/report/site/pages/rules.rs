//! All rules, as the policy writes them, with what each comes to; and the schedules that they name.

use super::first;
use crate::ir::{Effect, Rule, RuleIndex, ZoneId};
use crate::report::site::document::{
    Block, Inline, Inlines, Page, Row, Style, code, joined, line_end, link, plain, small,
};
use crate::report::site::view::Site;
use crate::report::site::words;

pub(super) const FILE: &str = "rules";

/// How many pairs of zones are named in a row.
const PAIRS_SHOWN: usize = 3;

pub(super) fn pages(site: &Site) -> Vec<Page> {
    let mut pairs: Vec<Vec<(ZoneId, ZoneId)>> = vec![Vec::new(); site.policy.rules.len()];
    for (zones, openings) in site.openings.iter() {
        for opening in openings {
            if let Some(list) = pairs.get_mut(opening.rule.0) {
                list.push(zones);
            }
        }
    }
    let row_of = |index: RuleIndex, rule: &Rule| {
        let opens = pairs.get(index.0).map_or(&[][..], Vec::as_slice);
        row(site, index, rule, opens)
    };
    let rules = site.rules_by_id();
    let of = |effect: Effect| rules.iter().filter(move |(_, rule)| rule.effect == effect);
    let allows: Vec<Row> = of(Effect::Allow).map(|(index, rule)| row_of(*index, rule)).collect();
    let forbids: Vec<Row> = of(Effect::Forbid).map(|(index, rule)| row_of(*index, rule)).collect();
    let mut blocks = vec![
        Block::heading("allows", "What is allowed"),
        Block::table(
            words::count(allows.len(), "allow"),
            &["Rule", "From", "To", "Over", "Opens between", "Who answers, and why", "Where"],
            allows,
        ),
        Block::heading("forbids", "What is forbidden, whatever else is said"),
    ];
    blocks.push(if forbids.is_empty() {
        Block::says("Nothing is forbidden by name. What is not allowed is denied.")
    } else {
        let caption = words::count(forbids.len(), "forbid");
        Block::table(caption, &["Rule", "From", "To", "Over", "Who answers, and why", "Where"], forbids)
    });
    blocks.extend(schedules(site));
    let lead = "Every rule as it is written, by name. What no rule allows is denied, and a forbid wins over every allow.";
    vec![first(FILE, "Rules", lead, blocks)]
}

fn row(site: &Site, index: RuleIndex, rule: &Rule, pairs: &[(ZoneId, ZoneId)]) -> Row {
    let mut name = vec![words::rule(site, index)];
    if rule.log {
        name.extend([line_end(), small("logged")]);
    }
    let mut cells = vec![
        name,
        vec![code(&rule.from.text)],
        vec![code(&rule.to.text)],
        words::via(&rule.via, &rule.services.to_string()),
    ];
    if rule.effect == Effect::Allow {
        cells.push(opens(site, pairs));
    }
    cells.push(words::about(site, &rule.about, site.policy.schedule_of(rule)));
    cells.push(vec![code(site.place(rule.span))]);
    Row::named(format!("rule-{}", rule.id), cells)
}

/// The pairs of zones that an allow opens anything between.
fn opens(site: &Site, pairs: &[(ZoneId, ZoneId)]) -> Inlines {
    let Some((first, _)) = pairs.first() else {
        return vec![Inline::new(Style::Attention, "nothing")];
    };
    let shown = pairs.iter().take(PAIRS_SHOWN).map(|(from, to)| {
        let text = format!("{} to {}", site.policy[*from].name, site.policy[*to].name).replace(' ', "\u{a0}");
        vec![link(text, site.conduit(*from, *to))]
    });
    let mut parts = joined(shown, &line_end());
    if pairs.len() > PAIRS_SHOWN {
        let more = format!("and {} more", pairs.len() - PAIRS_SHOWN);
        parts.extend([line_end(), link(more, site.zone_page(*first))]);
    }
    parts
}

fn schedules(site: &Site) -> Vec<Block> {
    let rows: Vec<Row> = site
        .policy
        .schedules
        .iter()
        .map(|schedule| {
            let windows = schedule.week.windows();
            let hours = windows.iter().map(|window| {
                let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
                let days: Vec<&str> = window.days.iter().map(|day| day_name(*day)).collect();
                let days = if window.is_daily() { "every day".to_owned() } else { days.join(", ") };
                vec![plain(format!("{days} {} to {}", clock(window.first), clock(window.last + 1)))]
            });
            let name = format!("schedule-{}", schedule.name);
            let hours = joined(hours, &line_end());
            Row::named(name, [vec![code(&schedule.name)], hours, vec![plain(schedule.clock.to_string())]])
        })
        .collect();
    if rows.is_empty() {
        return Vec::new();
    }
    vec![
        Block::heading("schedules", "Schedules"),
        Block::table("When rules hold that name one", &["Schedule", "Hours", "Clock"], rows),
    ]
}

fn day_name(day: u8) -> &'static str {
    match day {
        0 => "Monday",
        1 => "Tuesday",
        2 => "Wednesday",
        3 => "Thursday",
        4 => "Friday",
        5 => "Saturday",
        _ => "Sunday",
    }
}
