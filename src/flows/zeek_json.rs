//! Zeek's conn.log with `LogAscii::use_json`: a JSON object on each line, without fields that are not set
//! (<https://docs.zeek.org/en/master/log-formats.html>). `ts` is seconds since 1970, or text by `LogAscii::json_timestamps`.

use std::borrow::Cow;
use std::io::BufRead;

use serde::Deserialize;

use super::error::{Problem, Unreadable};
use super::form::next_line;
use super::moment::Moment;
use super::zeek::Connection;
use super::{Capture, Flow};

/// The fields that are read.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "_path", borrow, default)]
    path: Option<Cow<'a, str>>,
    #[serde(default)]
    ts: Option<Time<'a>>,
    #[serde(rename = "id.orig_h", borrow)]
    source: Cow<'a, str>,
    #[serde(rename = "id.orig_p")]
    source_port: u16,
    #[serde(rename = "id.resp_h", borrow)]
    destination: Cow<'a, str>,
    #[serde(rename = "id.resp_p")]
    destination_port: u16,
    #[serde(borrow)]
    proto: Cow<'a, str>,
    #[serde(default)]
    ip_proto: Option<u8>,
    #[serde(default)]
    duration: Option<f64>,
    #[serde(default)]
    orig_bytes: Option<u64>,
    #[serde(default)]
    resp_bytes: Option<u64>,
    #[serde(borrow, default)]
    conn_state: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    history: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Time<'a> {
    Number(serde_json::Number),
    #[serde(borrow)]
    Text(Cow<'a, str>),
}

pub(super) fn read(
    mut input: impl BufRead,
    capture: &mut Capture,
    take: &mut dyn FnMut(&Flow),
) -> Result<(), Unreadable> {
    let (mut bytes, mut number) = (Vec::new(), 0);
    while next_line(&mut input, &mut bytes)? {
        number += 1;
        if !bytes.iter().all(u8::is_ascii_whitespace) {
            capture.row(number, flow(&bytes), take);
        }
    }
    Ok(())
}

fn flow(bytes: &[u8]) -> Result<Flow, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::Text)?;
    let line: Line = serde_json::from_str(text).map_err(|problem| Problem::Json(problem.to_string()))?;
    if let Some(path) = line.path.as_deref().filter(|path| *path != "conn") {
        return Err(Problem::Json(format!("it is of Zeek's log `{path}`, not of `conn`")));
    }
    let ports = [line.source_port, line.destination_port].map(|port| port.to_string());
    let [source_port, destination_port] = &ports;
    let protocol_number = line.ip_proto.map(|number| number.to_string()).unwrap_or_default();
    let bytes = line.orig_bytes.unwrap_or(0).saturating_add(line.resp_bytes.unwrap_or(0));
    Connection {
        first: line.ts.map(time).transpose()?,
        seconds: whole_seconds(line.duration.unwrap_or(0.0)),
        source: &line.source,
        source_port,
        destination: &line.destination,
        destination_port,
        protocol: &line.proto,
        protocol_number: &protocol_number,
        bytes,
        state: line.conn_state.as_deref().unwrap_or_default(),
        history: line.history.as_deref().unwrap_or_default(),
    }
    .flow()
}

fn time(time: Time) -> Result<Moment, Problem> {
    let text = match time {
        Time::Number(number) => Cow::Owned(number.to_string()),
        Time::Text(text) => text,
    };
    Moment::parse(&text).ok_or_else(|| Problem::Time(text.into_owned()))
}

/// Whole seconds of a duration that is not negative.
#[expect(clippy::cast_possible_truncation, reason = "what is out of range becomes the nearest number")]
fn whole_seconds(duration: f64) -> i64 {
    duration.max(0.0) as i64
}
