//! Hours and days, as seconds of a week, and dates, as seconds since 1970.
//!
//! The facts are those of `time_mt` (net/netfilter/xt_time.c) and iptables-extensions(8), time. Hours count in UTC. The
//! second of `--timestop` still matches. If it comes before `--timestart`, the time wraps around midnight; if both are
//! equal, every hour matches. The day is that of the packet, unless there is `--contiguous`: then the hours after
//! midnight belong to the day before. Dates count in UTC, and that of `--datestop` still matches.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::super::model::PacketBox;
use super::matching::value;
use super::rule::Choice;

const DAY: u32 = 24 * 60 * 60;

const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

/// What the tool itself writes for no first and no last date: the ends of the numbers that it keeps. Clocks that go on
/// beyond them are not looked at.
const NO_DATES: [(&str, &[&str]); 2] = [
    ("--datestart", &["1970-01-01T00:00:00"]),
    ("--datestop", &["2038-01-19T03:14:07", "2106-02-07T06:28:15"]),
];

/// When a match of time holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Hours {
    /// The seconds of a week, as intervals in order.
    pub(super) weekly: Vec<(u32, u32)>,
    /// The first and the last second, counted from 1970-01-01 00:00.
    pub(super) dates: (u32, u32),
}

/// When a match of time holds; nothing if it always does.
///
/// # Errors
/// What is wrong with its options, or cannot be said in weeks.
pub(super) fn hours(choices: &[Choice]) -> Result<Option<Hours>, String> {
    let mut dates = (0, u32::MAX);
    let (mut start, mut stop, mut days, mut contiguous) = (0, DAY - 1, [true; 7], false);
    for choice in choices {
        let text = value(choice);
        if choice.negated && choice.name != "--weekdays" {
            return Err(format!("`{}` is not understood with `!`", choice.name));
        }
        match choice.name {
            "--timestart" => start = second_of_day(text)?,
            "--timestop" => stop = second_of_day(text)?,
            "--weekdays" => days = weekdays(text)?.map(|day| day != choice.negated),
            "--contiguous" => contiguous = true,
            "--utc" => {}
            "--kerneltz" => {
                return Err(
                    "hours in the kernel's time zone are not understood, since the file does not name it; \
                            leave out `--kerneltz` and write them in UTC"
                        .to_owned(),
                );
            }
            name if NO_DATES.iter().any(|(option, dates)| *option == name && dates.contains(&text)) => {}
            "--datestart" => dates.0 = second_of_date(text)?,
            "--datestop" => dates.1 = second_of_date(text)?,
            name => return Err(format!("`{name}` is not understood")),
        }
    }
    if contiguous && start < stop {
        return Err("`--contiguous` needs a `--timestop` before its `--timestart`".to_owned());
    }
    let found = week(start, stop, days, contiguous);
    if dates.0 > dates.1 {
        return Err("the dates end before they start".to_owned());
    }
    let always = found == [(0, PacketBox::LAST_SECOND)] && dates == (0, u32::MAX);
    Ok((!always).then_some(Hours { weekly: found, dates }))
}

fn week(start: u32, stop: u32, days: [bool; 7], contiguous: bool) -> Vec<(u32, u32)> {
    let mut found: Vec<(u32, u32)> = Vec::new();
    let mut add = |interval: (u32, u32)| match found.last_mut() {
        Some((_, last)) if *last + 1 >= interval.0 => *last = interval.1.max(*last),
        _ => found.push(interval),
    };
    let before = days.iter().cycle().skip(days.len() - 1);
    for ((today, yesterday), midnight) in days.iter().zip(before).zip((0..).step_by(DAY as usize)) {
        if start < stop {
            if *today {
                add((midnight + start, midnight + stop));
            }
            continue;
        }
        if *(if contiguous { yesterday } else { today }) {
            add((midnight, midnight + stop));
        }
        // From here on the packet's own day counts.
        let evening = start.max(stop + 1);
        if *today && evening < DAY {
            add((midnight + evening, midnight + DAY - 1));
        }
    }
    found
}

/// `8:00` or `08:00:00`, as a second of the day.
fn second_of_day(text: &str) -> Result<u32, String> {
    let wrong = || format!("`{text}` is not a time of day like `08:00` or `08:00:00`");
    let limits = [24, 60, 60];
    let mut parts = [0; 3];
    let words: Vec<&str> = text.split(':').collect();
    if !matches!(words.len(), 2 | 3) {
        return Err(wrong());
    }
    for ((part, limit), word) in parts.iter_mut().zip(limits).zip(&words) {
        let digits = matches!(word.len(), 1 | 2) && word.bytes().all(|byte| byte.is_ascii_digit());
        let number = word.parse().ok().filter(|number| digits && *number < limit);
        *part = number.ok_or_else(wrong)?;
    }
    let [hour, minute, second] = parts;
    Ok((hour * 60 + minute) * 60 + second)
}

/// `YYYY[-MM[-DD[Thh[:mm[:ss]]]]]` as seconds since 1970; what is left out is the first of its kind
/// (iptables-extensions(8), time).
fn second_of_date(text: &str) -> Result<u32, String> {
    let wrong = || format!("`{text}` is not a date like `2027-06-30T23:59:59`");
    let (date, time) = text.split_once('T').unwrap_or((text, "0"));
    let number = |word: &str| {
        let digits = matches!(word.len(), 1 | 2 | 4) && word.bytes().all(|byte| byte.is_ascii_digit());
        word.parse::<i16>().ok().filter(|_| digits).ok_or_else(wrong)
    };
    let parts = |text: &str, separator: char, least: i16| {
        let mut found = [least; 3];
        let words: Vec<&str> = text.split(separator).collect();
        if words.len() > found.len() {
            return Err(wrong());
        }
        for (part, word) in found.iter_mut().zip(words) {
            *part = number(word)?;
        }
        Ok(found)
    };
    let ([year, month, day], [hour, minute, second]) = (parts(date, '-', 1)?, parts(time, ':', 0)?);
    let byte = |number: i16| i8::try_from(number).map_err(|_| wrong());
    let date = Date::new(year, byte(month)?, byte(day)?).map_err(|_| wrong())?;
    let time = Time::new(byte(hour)?, byte(minute)?, byte(second)?, 0).map_err(|_| wrong())?;
    let moment = TimeZone::UTC.to_timestamp(date.to_datetime(time)).map_err(|_| wrong())?;
    u32::try_from(moment.as_second()).map_err(|_| wrong())
}

/// Days by number, from 1 for Monday, or by how their names begin.
fn weekdays(text: &str) -> Result<[bool; 7], String> {
    let mut days = [false; 7];
    for word in text.split(',') {
        let by_number = super::names::number::<usize>(word).and_then(|number| number.checked_sub(1));
        let by_name = || DAYS.iter().position(|day| word.starts_with(day));
        let slot = by_number.or_else(by_name).and_then(|day| days.get_mut(day));
        *slot.ok_or_else(|| format!("`{word}` is not a day like `Mon` or 1"))? = true;
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u32 = 60 * 60;

    fn read(words: &str) -> Result<Option<Vec<(u32, u32)>>, String> {
        let names = ["--timestart", "--timestop", "--weekdays", "--contiguous", "--datestop", "--kerneltz"];
        let mut choices: Vec<Choice> = Vec::new();
        let mut negated = false;
        for word in words.split_whitespace() {
            match names.iter().find(|name| **name == word) {
                Some(name) => {
                    choices.push(Choice { name, negated: std::mem::take(&mut negated), values: vec![] })
                }
                None if word == "!" => negated = true,
                None => choices.last_mut().unwrap().values.push(word),
            }
        }
        Ok(hours(&choices)?.map(|hours| {
            assert_eq!(hours.dates, (0, u32::MAX));
            hours.weekly
        }))
    }

    fn monday(words: &str) -> Vec<(u32, u32)> {
        read(&format!("{words} --weekdays Mon")).unwrap().unwrap()
    }

    #[test]
    fn the_last_second_still_matches() {
        assert_eq!(monday("--timestart 8:00 --timestop 18:00"), [(8 * HOUR, 18 * HOUR)]);
        assert_eq!(monday(""), [(0, DAY - 1)]);
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("--timestart 00:00 --timestop 23:59:59"), Ok(None));
    }

    #[test]
    fn hours_wrap_around_midnight_on_the_same_day_unless_they_are_contiguous() {
        let wrapped = "--timestart 22:00 --timestop 06:00";
        assert_eq!(monday(wrapped), [(0, 6 * HOUR), (22 * HOUR, DAY - 1)]);
        assert_eq!(monday(&format!("{wrapped} --contiguous")), [(22 * HOUR, DAY + 6 * HOUR)]);
        let sunday = read(&format!("{wrapped} --contiguous --weekdays 7"));
        assert_eq!(sunday, Ok(Some(vec![(0, 6 * HOUR), (6 * DAY + 22 * HOUR, 7 * DAY - 1)])));
    }

    #[test]
    fn equal_times_are_the_whole_day() {
        assert_eq!(monday("--timestart 8:00 --timestop 8:00"), [(0, DAY - 1)]);
        let contiguous = monday("--timestart 8:00 --timestop 8:00 --contiguous");
        assert_eq!(contiguous, [(8 * HOUR + 1, DAY + 8 * HOUR)]);
        assert_eq!(read("--timestart 8:00 --timestop 8:00"), Ok(None));
    }

    #[test]
    fn days_can_be_negated_away() {
        assert_eq!(read("! --weekdays 1,Tuesday,We,Thu,Fr,6,7"), Ok(Some(vec![])));
        assert_eq!(read("! --weekdays 1,2,3,4,5,6"), Ok(Some(vec![(6 * DAY, 7 * DAY - 1)])));
    }

    #[test]
    fn dates_are_seconds_in_utc() {
        for (text, second) in [
            ("2026-12-31T23:59:59", 1_798_761_599),
            ("2027-01-01T00:00", 1_798_761_600),
            ("2027-01-01", 1_798_761_600),
            ("2027", 1_798_761_600),
        ] {
            assert_eq!(second_of_date(text), Ok(second), "{text}");
        }
        for wrong in ["", "2027-13", "2027-02-29", "2027-1-1T24", "2027-01-01 00:00", "1969-12-31", "27:01"] {
            assert!(second_of_date(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_weeks_cannot_say_is_refused() {
        assert_eq!(read("--datestop 2038-01-19T03:14:07"), Ok(None));
        for wrong in [
            "--kerneltz",
            "--contiguous",
            "--timestart 8:00 --contiguous",
            "--timestart 24:00",
            "--timestart 8",
            "--timestart 8:00:00:00",
            "--timestart 008:00",
            "--weekdays mon",
            "--weekdays 0",
            "--weekdays 8",
            "! --timestart 8:00",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
