//! Thresholds of guards as written, turned into rates that a firewall can count.

use super::error::CheckError;
use crate::diag::Diagnostics;
use crate::ir::{Metric, Rate, RateUnit};
use crate::syntax::ast::{self, Word};

/// What a rate may be counted for, besides all together.
const SOURCE: &str = "source";

/// Units of a bandwidth, in kilobits a second.
const BANDWIDTHS: [(&str, u32); 3] = [("kbit/second", 1), ("mbit/second", 1_000), ("gbit/second", 1_000_000)];

/// Units of a session time, each with or without an `s` behind it.
const SESSION_TIMES: [(&str, RateUnit); 4] = [
    ("second", RateUnit::Second),
    ("minute", RateUnit::Minute),
    ("hour", RateUnit::Hour),
    ("day", RateUnit::Day),
];

/// What a guard counts, and how much is too much.
pub(super) struct Threshold {
    pub(super) metric: Metric,
    pub(super) rate: Rate,
    pub(super) per_source: bool,
}

/// Reads a threshold; `None` if it has an error, which is reported.
pub(super) fn threshold(threshold: &ast::Threshold, diagnostics: &mut Diagnostics) -> Option<Threshold> {
    // A metric that is none is a mistake that was reported where it was parsed.
    let (_, metric) = Metric::ALL.into_iter().find(|(word, _)| *word == threshold.metric.node)?;
    let rate = match metric {
        Metric::Bandwidth => bandwidth(threshold, diagnostics),
        Metric::SessionTime => session_time(threshold, diagnostics),
        Metric::NewConnections | Metric::Packets | Metric::Destinations => {
            rate(metric, threshold, diagnostics)
        }
    };
    let per_source = metric != Metric::SessionTime && per_source(threshold, diagnostics);
    Some(Threshold { metric, rate: rate?, per_source })
}

fn rate(metric: Metric, threshold: &ast::Threshold, diagnostics: &mut Diagnostics) -> Option<Rate> {
    let (count, unit) = threshold.rate.node.split_once('/').unwrap_or((&threshold.rate.node, ""));
    let units = RateUnit::ALL.into_iter().find(|(word, _)| *word == unit);
    let Some((count, (_, unit))) = number(count, metric.most()).zip(units) else {
        let known = format!(
            "a number from 1 to {}, `/`, and `second`, `minute` or `hour`, such as `20/second`",
            metric.most()
        );
        unknown(metric.word(), &threshold.rate, known, diagnostics);
        return None;
    };
    let burst = match &threshold.burst {
        None => Some(count),
        Some(word) => {
            let most = metric.most_at_once();
            let burst = number(&word.node, most);
            if burst.is_none() {
                unknown("burst", word, format!("a number from 1 to {most}"), diagnostics);
            }
            burst
        }
    };
    Some(Rate { count, unit, burst: burst? })
}

/// A bandwidth: its bucket holds what comes in a second, since that of iptables does.
fn bandwidth(threshold: &ast::Threshold, diagnostics: &mut Diagnostics) -> Option<Rate> {
    let (count, unit) = threshold.rate.node.split_once(' ').unwrap_or((&threshold.rate.node, ""));
    let units = BANDWIDTHS.into_iter().find(|(word, _)| *word == unit);
    let bandwidth =
        units.and_then(|(_, unit)| number(count, Metric::Bandwidth.most() / unit).map(|n| n * unit));
    let bandwidth = bandwidth.filter(|bandwidth| *bandwidth >= Metric::LEAST_BANDWIDTH);
    if bandwidth.is_none() {
        let known = "a whole number of `kbit/second`, `mbit/second` or `gbit/second`, from `1 mbit/second` to `10 \
                     gbit/second`";
        unknown("bandwidth", &threshold.rate, known.to_owned(), diagnostics);
    }
    if let Some(burst) = &threshold.burst {
        let known = "a bandwidth takes none: as much as comes in a second may come at once".to_owned();
        unknown("burst", burst, known, diagnostics);
    }
    bandwidth.map(|count| Rate { count, unit: RateUnit::Second, burst: count })
}

/// How long a session may last. Each session has a time of its own, whoever opened it.
fn session_time(threshold: &ast::Threshold, diagnostics: &mut Diagnostics) -> Option<Rate> {
    let (count, unit) = threshold.rate.node.split_once(' ').unwrap_or((&threshold.rate.node, ""));
    let unit = SESSION_TIMES.into_iter().find(|(word, _)| unit.strip_suffix('s').unwrap_or(unit) == *word);
    let rate = unit.and_then(|(_, unit)| {
        let count = number(count, Metric::SessionTime.most() / unit.seconds())?;
        Some(Rate { count, unit, burst: 1 })
    });
    if rate.is_none() {
        let known = "a whole number of seconds, minutes, hours or days, such as `60 minutes`; a week at most";
        unknown("session-time", &threshold.rate, known.to_owned(), diagnostics);
    }
    for (attribute, word) in [("burst", &threshold.burst), ("per", &threshold.per)] {
        if let Some(word) = word {
            let known = "a session time takes none: each session has a time of its own".to_owned();
            unknown(attribute, word, known, diagnostics);
        }
    }
    rate
}

fn per_source(threshold: &ast::Threshold, diagnostics: &mut Diagnostics) -> bool {
    let Some(per) = &threshold.per else { return false };
    if per.node != SOURCE {
        unknown("per", per, "only `source` is known here".to_owned(), diagnostics);
    }
    true
}

/// A plain number from 1 to a largest one.
pub(super) fn number(text: &str, most: u32) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && (1..=most).contains(number))
}

pub(super) fn unknown(attribute: &'static str, word: &Word, known: String, diagnostics: &mut Diagnostics) {
    let (value, span) = (word.node.clone(), word.span);
    diagnostics.push(CheckError::UnknownValue { attribute, value, span, known, help: None });
}
