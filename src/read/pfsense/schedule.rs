//! Schedules: times of the week at which rules are there.
//!
//! In: the section `<schedules>`. Out: for each name its times. Facts are from `filter_get_time_based_rule_status` and
//! what it calls (`filter.inc`): a schedule holds at a time if one of its ranges does; in a range month, day, weekday
//! (`position`, Monday is 1) and hour must all hold, and what is empty always holds; the hour `H:MM-H:MM` ends before its
//! second time, and does not go over midnight. Rules of any type are there while their schedule holds.
//!
//! pfSense looks at the clock every quarter of an hour (`filter_tdr_install_cron`), so a rule may come or go up to fifteen
//! minutes later than what is said here.

use std::collections::BTreeMap;

use super::packet::plain_number;
use super::report::Report;
use super::xml::Element;

const DAY: u32 = 24 * 60 * 60;

/// The times of each schedule, in seconds since Monday 00:00; `None` for one that was not understood.
pub(super) type Schedules = BTreeMap<String, Option<Vec<(u32, u32)>>>;

/// Reads the schedules.
pub(super) fn read(section: &Element, report: &mut Report) -> Schedules {
    let mut schedules = Schedules::new();
    for child in &section.children {
        if child.name != "schedule" {
            report.refuse(child.line, format!("`{}` is unknown among schedules", child.name));
            continue;
        }
        if child.is_empty() {
            report.ignore();
            continue;
        }
        report.part(|report| {
            let before = report.mistakes.len();
            let name = child.value("name");
            let times = times(child, report);
            if schedules.contains_key(name) {
                report.mistake(child.line, format!("schedule `{name}` stands here a second time"));
            }
            let times = (report.mistakes.len() == before).then_some(times);
            schedules.entry(name.to_owned()).and_modify(|known| *known = None).or_insert(times);
        });
    }
    schedules
}

fn times(schedule: &Element, report: &mut Report) -> Vec<(u32, u32)> {
    let mut times = Vec::new();
    for child in &schedule.children {
        match child.name.as_str() {
            "name" | "descr" | "schedlabel" => {}
            // pfSense drops an empty element of a list (`endElement`, xmlparse.inc).
            "timerange" if child.is_empty() => {}
            "timerange" => match range(child) {
                Ok(found) => times.extend(found),
                Err(what) => report.mistake(child.line, what),
            },
            other => report.mistake(child.line, format!("`{other}` is unknown in a schedule")),
        }
    }
    times.sort_unstable();
    times
}

fn range(range: &Element) -> Result<Vec<(u32, u32)>, String> {
    for child in &range.children {
        match child.name.as_str() {
            "position" | "hour" | "rangedescr" | "descr" => {}
            "month" | "day" if child.is_empty() => {}
            "month" | "day" => {
                return Err(format!("`{}` names dates, and only days of the week recur", child.name));
            }
            other => return Err(format!("`{other}` is unknown in a time range")),
        }
    }
    let (start, end) = hours(range.value("hour"))?;
    let days = days(range.value("position"))?;
    if start >= end {
        return Ok(Vec::new());
    }
    Ok(days.into_iter().map(|day| (day * DAY + start, day * DAY + end - 1)).collect())
}

/// The days that a list names, Monday first.
fn days(text: &str) -> Result<Vec<u32>, String> {
    if text.is_empty() {
        return Ok((0..7).collect());
    }
    let mut days = Vec::new();
    for word in text.split(',') {
        match plain_number(word).and_then(|day| u32::try_from(day).ok()) {
            Some(day @ 1..=7) if !days.contains(&(day - 1)) => days.push(day - 1),
            Some(1..=7) => {}
            Some(_) | None => return Err(format!("`{word}` is not a day of the week from 1 to 7")),
        }
    }
    Ok(days)
}

/// When a range of hours starts and ends, in seconds since midnight; the end is not part of it.
fn hours(text: &str) -> Result<(u32, u32), String> {
    if text.is_empty() {
        return Ok((0, DAY));
    }
    let time = |text: &str| {
        let (hour, minute) = text.split_once(':')?;
        let number = |text: &str| {
            let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u32>().ok()).flatten()
        };
        let (hour, minute) = (number(hour)?, number(minute)?);
        let is_time = (hour < 24 && minute < 60) || (hour == 24 && minute == 0);
        is_time.then_some((hour * 60 + minute) * 60)
    };
    let times = text.split_once('-').and_then(|(start, end)| Some((time(start)?, time(end)?)));
    times.ok_or_else(|| format!("`{text}` is not a range of hours as `8:00-17:30`"))
}
