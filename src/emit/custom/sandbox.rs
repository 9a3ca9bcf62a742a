//! Templates of the user: bounded in time, memory and output, with mistakes shown at their place.

use std::io::{self, Write};

use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Error, ErrorKind, filters};
use serde::Serialize;

use super::UserTemplate;
use super::error::CustomError;
use crate::emit::template::environment;
use crate::source::Span;

/// The largest output of one template, in bytes: 32 MiB.
const MAX_OUTPUT_BYTES: usize = 32 << 20;

/// Steps that any template may take, whatever its view.
const BASE_FUEL: u64 = 1_000_000;

/// Steps for each byte of the view. A template that prints each field once takes less than one.
const FUEL_PER_BYTE: u64 = 20;

/// How deep macros and loops may nest.
const MAX_DEPTH: usize = 100;

/// Lays out a view by a template of the user.
///
/// # Errors
/// What is wrong with the template, at its place.
pub(in crate::emit) fn render(template: &UserTemplate, view: &impl Serialize) -> Result<String, CustomError> {
    let mut counter = Counter(0);
    // A counter takes everything, so this fails only where rendering fails as well.
    let _ = serde_json::to_writer(&mut counter, view);
    let fuel = BASE_FUEL + FUEL_PER_BYTE * counter.0;
    let mut output = Bounded { bytes: Vec::new(), is_full: false };
    render_into(template, view, fuel, &mut output)
        .map_err(|error| mistake(template, &error, output.is_full, fuel, counter.0))?;
    Ok(String::from_utf8_lossy(&output.bytes).into_owned())
}

/// What is wrong with the form of a template, so that it is said also where nothing uses the template yet.
pub(super) fn check_form(template: &UserTemplate) -> Option<CustomError> {
    let mut environment = environment().ok()?;
    environment.set_debug(true);
    let error = environment.add_template(&template.file, template.source.text()).err()?;
    Some(mistake(template, &error, false, 0, 0))
}

fn render_into(
    template: &UserTemplate,
    view: &impl Serialize,
    fuel: u64,
    output: &mut Bounded,
) -> Result<(), Error> {
    let mut environment = environment()?;
    environment.set_fuel(Some(fuel));
    environment.set_recursion_limit(MAX_DEPTH);
    environment.set_debug(true);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.add_filter("join", filters::join);
    environment.add_filter("length", filters::length);
    environment.set_formatter(|output, state, value| {
        let kind = value.kind();
        if matches!(kind, ValueKind::String | ValueKind::Number | ValueKind::Undefined) {
            return minijinja::escape_formatter(output, state, value);
        }
        let what = format!("a {kind} cannot be printed, only a text or a number");
        Err(Error::new(ErrorKind::InvalidOperation, what))
    });
    environment.add_template(&template.file, template.source.text())?;
    environment.get_template(&template.file)?.render_captured_to(Serde(view), output).map(drop)
}

fn mistake(template: &UserTemplate, error: &Error, is_full: bool, steps: u64, bytes: u64) -> CustomError {
    let span = place(template, error);
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let is_endless = error.kind() == ErrorKind::OutOfFuel || what == "recursion limit exceeded";
    if is_full {
        CustomError::TooLarge { limit: MAX_OUTPUT_BYTES, span }
    } else if is_endless {
        CustomError::Endless { steps, bytes, span }
    } else if error.kind() == ErrorKind::UndefinedError {
        CustomError::UnknownField { what, span }
    } else {
        CustomError::BadTemplate { what, span }
    }
}

/// Where in the template an error came up: at an expression, or on a line.
fn place(template: &UserTemplate, error: &Error) -> Span {
    let text = template.source.text();
    let line = error.line().unwrap_or(1).saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let length = text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, str::len);
    let line = start..start + length;
    let range = error.range().filter(|range| range.end <= line.end).unwrap_or(line);
    template.source.span(range)
}

/// Counts what is written.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps what is written, up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Write for &mut Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_OUTPUT_BYTES {
            self.is_full = true;
            return Err(io::Error::other("too large"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
