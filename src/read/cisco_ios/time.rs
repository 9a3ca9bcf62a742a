//! Time ranges.
//!
//! `periodic` and `absolute`: Cisco IOS Basic System Management Command Reference. All times are those of the device's
//! own clock. No document says whether IOS counts the minute that a period ends in (that of ASA does: "because the end
//! time is inclusive", ASA 5500 Configuration Guide, Configuring Objects), so that minute is kept apart.

use super::super::model::PacketBox;
use super::words::{Fault, Words};

/// The first and the last of some seconds of a week.
pub(super) type Seconds = (u32, u32);

const MINUTE: u32 = 60;
const DAY: u32 = 24 * 60 * MINUTE;
const WEEK: u32 = 7 * DAY;

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A time range.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct TimeRange {
    /// Its periods: from a second to the start of the minute that it ends in, which is earlier if it runs over Sunday.
    periods: Vec<(u32, u32)>,
    /// Its dates, word for word.
    dates: Option<String>,
}

/// When a time range is active.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Active {
    /// Seconds at which it is for certain.
    pub(super) certain: Vec<Seconds>,
    /// Seconds of minutes that a period ends in.
    pub(super) ending: Vec<Seconds>,
    /// Its dates, of which the model knows nothing.
    pub(super) dates: Option<String>,
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
        let mut dates = String::from("absolute");
        while let Some(bound) = words.next() {
            if !matches!(bound, "start" | "end") {
                return Err(format!("`{bound}` is not understood here; write `start` or `end`"));
            }
            let time = words.required("a time")?;
            clock(time)?;
            let (day, month, year) =
                (words.required("a day")?, words.required("a month")?, words.required("a year")?);
            dates.push_str(&format!(" {bound} {time} {day} {} {year}", month.to_ascii_lowercase()));
        }
        match self.dates.replace(dates) {
            None => Ok(()),
            Some(_) => Err("a time range has one `absolute`".to_owned()),
        }
    }

    /// When it is active; nothing for one without a line, of which no document says what it means.
    pub(super) fn active(&self) -> Option<Active> {
        let dates = self.dates.clone();
        if self.periods.is_empty() {
            let certain = vec![(0, PacketBox::LAST_SECOND)];
            return dates.is_some().then_some(Active { certain, ending: Vec::new(), dates });
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
        Some(Active { certain, ending, dates })
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
