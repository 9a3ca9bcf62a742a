//! Time ranges.
//!
//! `periodic` and `absolute`: Cisco IOS Basic System Management Command Reference. All times are those of the device's
//! own clock. No document says whether IOS counts the minute that a period ends in (that of ASA does: "because the end
//! time is inclusive", ASA 5500 Configuration Guide, Configuring Objects), nor the one that dates end in, so these minutes
//! are kept apart.

use jiff::civil::{Date, date};

use super::super::model::PacketBox;
use super::words::{Fault, Words};

/// The first and the last of some seconds, of a week or since 1970.
pub(super) type Seconds = (u32, u32);

const MINUTE: u32 = 60;
const DAY: u32 = 24 * 60 * MINUTE;
const WEEK: u32 = 7 * DAY;

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A time range.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct TimeRange {
    /// Its periods: from a second to the start of the minute that it ends in, which is earlier if it runs over Sunday.
    periods: Vec<(u32, u32)>,
    /// Its dates: the second that they start with, and that of the minute that they end in, if they do.
    dates: Option<(u32, Option<u32>)>,
}

/// When a time range is active.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Active {
    /// Seconds at which it is for certain.
    pub(super) certain: Vec<Seconds>,
    /// Seconds of minutes that a period ends in.
    pub(super) ending: Vec<Seconds>,
    /// Its dates, as far as it is active on them for certain.
    pub(super) dates: Seconds,
    /// The minute that they end in.
    pub(super) last_minute: Option<Seconds>,
}

impl TimeRange {
    /// Reads a line of its section.
    pub(super) fn read(&mut self, words: &mut Words) -> Result<(), Fault> {
        match words.required("`periodic` or `absolute`")? {
            "periodic" => self.periodic(words),
            "absolute" => self.absolute(words),
            word => {
                Err(format!("`{word}` is not understood here; a time range has `periodic` and `absolute`"))
            }
        }
    }

    fn periodic(&mut self, words: &mut Words) -> Result<(), Fault> {
        let mut starts = Vec::new();
        while let Some(days) = words.peek().and_then(days) {
            words.next();
            starts.extend_from_slice(days);
        }
        let from = clock(words.required("a day or a time")?)?;
        if !words.take("to") {
            return Err("a period is written `periodic weekdays 8:00 to 17:00`".to_owned());
        }
        let end_day = words.peek().and_then(days);
        if end_day.is_some() {
            words.next();
        }
        let to = clock(words.required("a time")?)?;
        words.finish()?;
        let day_of = |day: u32, seconds: u32| day * DAY + seconds;
        match (starts.as_slice(), end_day) {
            ([], _) => Err("a period names the days that it starts on".to_owned()),
            (starts, None) if from < to => {
                self.periods.extend(starts.iter().map(|day| (day_of(*day, from), day_of(*day, to))));
                Ok(())
            }
            ([day], Some([last])) if day_of(*day, from) != day_of(*last, to) => {
                self.periods.push((day_of(*day, from), day_of(*last, to)));
                Ok(())
            }
            (_, None) => Err("the period ends before it begins; name the day that it ends on".to_owned()),
            (_, Some(_)) => Err("a period over several days has one first and one other last day".to_owned()),
        }
    }

    fn absolute(&mut self, words: &mut Words) -> Result<(), Fault> {
        let (mut start, mut end) = (None, None);
        while let Some(bound) = words.next() {
            if !matches!(bound, "start" | "end") {
                return Err(format!("`{bound}` is not understood here; write `start` or `end`"));
            }
            let time = clock(words.required("a time")?)?;
            let day = days_since_1970(
                words.required("a day")?,
                words.required("a month")?,
                words.required("a year")?,
            )?;
            let place = if bound == "start" { &mut start } else { &mut end };
            if place.replace(day * DAY + time).is_some() {
                return Err(format!("`absolute` has one `{bound}`"));
            }
        }
        if start.is_none() && end.is_none() {
            return Err("`absolute` names a `start` or an `end`".to_owned());
        }
        let start = start.unwrap_or(0);
        if end.is_some_and(|end| end <= start) {
            return Err("the dates end before they start".to_owned());
        }
        match self.dates.replace((start, end)) {
            None => Ok(()),
            Some(_) => Err("a time range has one `absolute`".to_owned()),
        }
    }

    /// When it is active; nothing for one without a line, of which no document says what it means.
    pub(super) fn active(&self) -> Option<Active> {
        let (start, end) = self.dates.unwrap_or((0, None));
        let dates = (start, end.map_or(u32::MAX, |end| end - 1));
        let last_minute = end.map(|end| (end, end.saturating_add(MINUTE - 1)));
        if self.periods.is_empty() {
            let (certain, ending) = (vec![(0, PacketBox::LAST_SECOND)], Vec::new());
            return self.dates.is_some().then_some(Active { certain, ending, dates, last_minute });
        }
        let (mut certain, mut ending) = (Vec::new(), Vec::new());
        for (from, to) in &self.periods {
            if from < to {
                certain.push((*from, to - 1));
            } else {
                certain.push((*from, WEEK - 1));
                certain.extend(to.checked_sub(1).map(|last| (0, last)));
            }
            ending.push((*to, to + MINUTE - 1));
        }
        let certain = joined(certain);
        let ending = without(&joined(ending), &certain);
        Some(Active { certain, ending, dates, last_minute })
    }
}

/// The days that a word stands for, from Monday on.
fn days(word: &str) -> Option<&'static [u32]> {
    static ALL: [u32; 7] = [0, 1, 2, 3, 4, 5, 6];
    let word = word.to_ascii_lowercase();
    match word.as_str() {
        "daily" => Some(&ALL),
        "weekdays" => ALL.get(..5),
        "weekend" => ALL.get(5..),
        _ => {
            let day = DAYS.iter().position(|day| *day == word)?;
            ALL.get(day..=day)
        }
    }
}

/// The days from 1970-01-01 to a date. Months may be cut, as all words of IOS.
fn days_since_1970(day: &str, month: &str, year: &str) -> Result<u32, Fault> {
    let fault =
        || format!("`{day} {month} {year}` is no date between 1970 and 2105; one is written `30 June 2027`");
    let number = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i16>().ok()).flatten()
    };
    let word = month.to_ascii_lowercase();
    let mut months = (1_i8..).zip(MONTHS).filter(|(_, name)| word.len() >= 3 && name.starts_with(&word));
    let (month, _) = months.next().ok_or_else(fault)?;
    let day = number(day).and_then(|day| i8::try_from(day).ok()).ok_or_else(fault)?;
    let year = number(year).filter(|year| (1970..2106).contains(year)).ok_or_else(fault)?;
    let found = Date::new(year, month, day).map_err(|_| fault())?;
    u32::try_from((found - date(1970, 1, 1)).get_days()).map_err(|_| fault())
}

/// The seconds from midnight to a time of day.
fn clock(word: &str) -> Result<u32, Fault> {
    let fault = || format!("`{word}` is no time of day; one is written `8:00`");
    let (hours, minutes) = word.split_once(':').ok_or_else(fault)?;
    let number = |text: &str, below: u32| {
        let digits = text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|number| digits && *number < below)
    };
    let (hours, minutes) = number(hours, 24).zip(number(minutes, 60)).ok_or_else(fault)?;
    Ok((hours * 60 + minutes) * MINUTE)
}

fn joined(mut intervals: Vec<Seconds>) -> Vec<Seconds> {
    intervals.sort_unstable();
    let mut joined: Vec<Seconds> = Vec::with_capacity(intervals.len());
    for (first, last) in intervals {
        match joined.last_mut() {
            Some(before) if first <= before.1 + 1 => before.1 = before.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    joined
}

/// The seconds of some intervals that are in none of others; both are sorted and apart.
fn without(intervals: &[Seconds], others: &[Seconds]) -> Vec<Seconds> {
    let mut rest = Vec::new();
    for (first, last) in intervals {
        let mut next = *first;
        for (from, to) in others.iter().filter(|(from, to)| from <= last && first <= to) {
            rest.extend(from.checked_sub(1).filter(|before| next <= *before).map(|before| (next, before)));
            next = to + 1;
        }
        if next <= *last {
            rest.push((next, *last));
        }
    }
    rest
}
