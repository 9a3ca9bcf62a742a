//! Schedules: days, hours and a time zone as written, turned into minutes of the week.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZoneDatabase;

use super::error::CheckError;
use super::names::Declared;
use crate::diag::{Diagnostics, suggestion};
use crate::ir::{Clock, MINUTES_OF_DAY, Schedule, ScheduleId, Week};
use crate::syntax::ast::{self, Word};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The word for the time that has no summer.
const UTC: &str = "utc";

/// Minutes that a clock can be ahead of or behind UTC: those of the IANA database lie within.
const LARGEST_OFFSET: i16 = 14 * 60;

/// The schedules of a policy by name, and which of them a rule names.
#[derive(Default)]
pub(super) struct Schedules {
    /// `None` for one that has an error.
    known: BTreeMap<String, Option<Schedule>>,
    used: BTreeSet<String>,
}

impl Schedules {
    /// Reads all schedule statements.
    pub(super) fn declare(statements: &[&ast::Schedule], diagnostics: &mut Diagnostics) -> Self {
        let (mut schedules, mut declared) = (Schedules::default(), Declared::default());
        for statement in statements {
            let schedule = schedule(statement, diagnostics);
            if declared.enter(&statement.name, "schedules", diagnostics) {
                schedules.known.insert(statement.name.node.clone(), schedule);
            }
        }
        schedules
    }

    /// The schedule that a `during` names; `None` if there is none, which is reported, or if it has an error.
    pub(super) fn resolve(&mut self, word: &Word, diagnostics: &mut Diagnostics) -> Option<ScheduleId> {
        if !self.known.contains_key(&word.node) {
            let help = suggestion(&word.node, self.known.keys().map(String::as_str));
            let (name, span) = (word.node.clone(), word.span);
            diagnostics.push(CheckError::UnknownName { kind: "schedule", name, span, help });
            return None;
        }
        self.used.insert(word.node.clone());
        let mut sound = self.known.values().flatten();
        sound.position(|schedule| schedule.name == word.node).map(ScheduleId)
    }

    /// Reports schedules that nothing named, where nothing is wrong so far. Gives all without an error, by name.
    pub(super) fn finish(self, diagnostics: &mut Diagnostics) -> Vec<Schedule> {
        let judged = !diagnostics.has_errors();
        let schedules: Vec<Schedule> = self.known.into_values().flatten().collect();
        for schedule in schedules.iter().filter(|schedule| judged && !self.used.contains(&schedule.name)) {
            let (name, span) = (schedule.name.clone(), schedule.span);
            diagnostics.push(CheckError::Unused { kind: "schedule", name, span });
        }
        schedules
    }
}

/// Reads a schedule; `None` if it has an error, which is reported.
fn schedule(statement: &ast::Schedule, diagnostics: &mut Diagnostics) -> Option<Schedule> {
    let errors = diagnostics.errors();
    let (name, span) = (statement.name.node.clone(), statement.name.span);
    let weeks: Vec<Week> = statement.windows.iter().filter_map(|window| week(window, diagnostics)).collect();
    let clock = statement.timezone.as_ref().and_then(|word| clock(word, diagnostics));
    if !statement.broken {
        let missing = [
            (statement.windows.is_empty(), "when it holds", "days and hours"),
            (statement.timezone.is_none(), "by which clock", "`timezone`"),
        ];
        for (_, what, clauses) in missing.into_iter().filter(|(missing, ..)| *missing) {
            diagnostics.push(CheckError::IncompleteSchedule { name: name.clone(), what, span, clauses });
        }
    }
    let week = weeks.into_iter().reduce(Week::union)?;
    if week.is_whole() {
        diagnostics.push(CheckError::AlwaysScheduled { name: name.clone(), span });
    }
    if statement.broken || diagnostics.errors() > errors {
        return None;
    }
    Some(Schedule { name, clock: clock?, week, span })
}

/// The time that a window stands for.
fn week(window: &ast::Window, diagnostics: &mut Diagnostics) -> Option<Week> {
    let errors = diagnostics.errors();
    let days: Vec<u8> = window.days.iter().flat_map(|word| days(word, diagnostics)).collect();
    let hours: Vec<(u16, u16)> = window.hours.iter().filter_map(|word| hours(word, diagnostics)).collect();
    let weeks = hours.into_iter().map(|(start, end)| Week::of_days(days.iter().copied(), start, end));
    weeks.reduce(Week::union).filter(|_| diagnostics.errors() == errors)
}

/// The days of `mon` or `mon..fri`; `sat..mon` goes over the end of the week.
fn days(word: &Word, diagnostics: &mut Diagnostics) -> Vec<u8> {
    let (first, last) = word.node.split_once("..").unwrap_or((&word.node, &word.node));
    let number = |day: &str| (0..7_u8).zip(DAYS).find(|(_, name)| *name == day).map(|(number, _)| number);
    let (Some(start), Some(end)) = (number(first), number(last)) else {
        let unknown = if number(first).is_none() { first } else { last };
        diagnostics.push(CheckError::UnknownValue {
            attribute: "schedule",
            value: word.node.clone(),
            span: word.span,
            known: format!(
                "days are {}, and ranges like `mon..fri`",
                DAYS.map(|day| format!("`{day}`")).join(", ")
            ),
            help: suggestion(unknown, DAYS),
        });
        return Vec::new();
    };
    (0..=(end + 7 - start) % 7).map(|offset| (start + offset) % 7).collect()
}

/// The minutes of `18:00-22:00`, from the first until before the second.
fn hours(word: &Word, diagnostics: &mut Diagnostics) -> Option<(u16, u16)> {
    let problem = match word.node.split_once('-').map(|(start, end)| (minute(start), minute(end))) {
        Some((Some(start), Some(end))) if start == MINUTES_OF_DAY || start == end => {
            "it starts where it ends, or at the end of the day"
        }
        Some((Some(start), Some(end))) => return Some((start, end)),
        Some(_) => "one of the two is no time",
        None => "two times and `-` between them are expected",
    };
    let (text, problem) = (word.node.clone(), problem.to_owned());
    diagnostics.push(CheckError::BadHours { text, span: word.span, problem });
    None
}

/// The minutes from midnight to `HH:MM`.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| text.parse::<u16>().ok().filter(|_| text.len() == 2 && !text.starts_with('+'));
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= MINUTES_OF_DAY).then_some(total)
}

/// The clock of `utc`, `+01:00` or `Europe/Berlin`.
fn clock(word: &Word, diagnostics: &mut Diagnostics) -> Option<Clock> {
    let text = word.node.as_str();
    if text.eq_ignore_ascii_case(UTC) {
        return Some(Clock::Offset(0));
    }
    let offset =
        text.strip_prefix('+').map(|rest| (1, rest)).or(text.strip_prefix('-').map(|rest| (-1, rest)));
    if let Some((sign, rest)) = offset
        && let Some(minutes) = minute(rest).and_then(|minutes| i16::try_from(minutes).ok())
        && minutes <= LARGEST_OFFSET
    {
        return Some(Clock::Offset(sign * minutes));
    }
    let database = TimeZoneDatabase::bundled();
    let known: Vec<String> = database.available().map(|name| name.to_string()).collect();
    if known.iter().any(|name| name == text) {
        return Some(Clock::Place(text.to_owned()));
    }
    diagnostics.push(CheckError::UnknownValue {
        attribute: "timezone",
        value: text.to_owned(),
        span: word.span,
        known: "`utc`, an offset like `+01:00`, or a place like `Europe/Berlin`".to_owned(),
        help: suggestion(text, known.iter().map(String::as_str)),
    });
    None
}
