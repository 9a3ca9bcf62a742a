//! A statement of the policy as people and programs are shown it.

use std::fmt;

use serde::Serialize;

use crate::ir::{About, Management, Policy, Rule, Span};
use crate::source::Sources;

/// A statement of the policy and where it stands.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Statement {
    /// Its id.
    pub id: String,
    /// File, line and column.
    pub place: String,
    /// The line of the policy where it stands.
    pub line: String,
    /// All lines of it.
    pub text: Vec<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why it stands.
    pub reason: Option<String>,
    /// The change ticket behind it.
    pub ticket: Option<String>,
    /// The schedule during which it holds, if not at all times.
    pub during: Option<String>,
    /// The last day on which it holds, if there is one.
    pub until: Option<String>,
    /// True if each new connection is logged.
    pub log: bool,
}

/// Shows a rule.
pub(super) fn statement(policy: &Policy, sources: &Sources, rule: &Rule) -> Statement {
    let during = policy.schedule_of(rule).map(|schedule| schedule.name.clone());
    shown(
        sources,
        &rule.id,
        &rule.about,
        rule.span,
        Statement { during, log: rule.log, ..Statement::default() },
    )
}

/// Shows a manage statement.
pub(super) fn managed(sources: &Sources, one: &Management) -> Statement {
    shown(sources, &one.id, &one.about, one.span, Statement { log: one.log, ..Statement::default() })
}

fn shown(sources: &Sources, id: &str, about: &About, span: Span, rest: Statement) -> Statement {
    Statement {
        id: id.to_owned(),
        place: sources.locate(span).to_string(),
        line: sources.line(span).trim().to_owned(),
        text: lines(sources, span),
        owner: about.owner.clone(),
        reason: about.reason.clone(),
        ticket: about.ticket.clone(),
        until: about.until.map(|day| day.to_string()),
        ..rest
    }
}

/// The lines of a statement, from that on which its place is to that of its closing brace.
fn lines(sources: &Sources, span: Span) -> Vec<String> {
    let place = sources.locate(span);
    let Some(file) = sources.files().iter().find(|file| file.path() == place.path) else { return Vec::new() };
    let mut shown = Vec::new();
    let (mut depth, mut opened) = (0_usize, false);
    for (line, number) in file.text().lines().zip(1..).skip(place.line - 1) {
        let skipped = if number == place.line { place.column - 1 } else { 0 };
        for character in significant(line).chars().skip(skipped) {
            match character {
                '{' => (depth, opened) = (depth + 1, true),
                // One that closes what stands around belongs to a statement in a class, which has no braces.
                '}' if depth <= 1 => (depth, opened) = (0, true),
                '}' => depth -= 1,
                _ => {}
            }
        }
        shown.push(line.trim_end().to_owned());
        if opened && depth == 0 || !opened && !next_line_opens(file.text(), number) {
            break;
        }
    }
    let indent =
        shown.iter().filter(|line| !line.is_empty()).map(|line| line.len() - line.trim_start().len());
    let indent = indent.min().unwrap_or(0);
    shown.iter().map(|line| line.get(indent..).unwrap_or_default().to_owned()).collect()
}

/// A line with blanks in the place of strings and comments.
fn significant(line: &str) -> String {
    let (mut inside, mut escaped, mut comment) = (false, false, false);
    let blank = |character: char| {
        if comment || (!inside && character == '#') {
            comment = true;
            return ' ';
        }
        let was_inside = inside;
        inside ^= character == '"' && !escaped;
        escaped = was_inside && character == '\\' && !escaped;
        if was_inside || character == '"' { ' ' } else { character }
    };
    line.chars().map(blank).collect()
}

/// True if the next line with anything on it begins with an opening brace.
fn next_line_opens(text: &str, line: usize) -> bool {
    let rest = text.lines().skip(line).map(significant).find(|line| !line.trim().is_empty());
    rest.is_some_and(|line| line.trim_start().starts_with('{'))
}

impl Statement {
    /// Writes it for people, with a label of eight columns before it.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, label: &str) -> fmt::Result {
        writeln!(f, "{label:8}  {} ({})", self.id, self.place)?;
        for line in &self.text {
            writeln!(f, "{}", format!("          {line}").trim_end())?;
        }
        let about = [
            ("owner", &self.owner),
            ("reason", &self.reason),
            ("ticket", &self.ticket),
            ("during", &self.during),
            ("until", &self.until),
        ];
        let about =
            about.iter().filter_map(|(key, value)| value.as_ref().map(|value| format!("{key} {value}")));
        let about: Vec<String> = about.chain(self.log.then(|| "logged".to_owned())).collect();
        if about.is_empty() { Ok(()) } else { writeln!(f, "          {}", about.join(", ")) }
    }
}
