//! `cordon simulate`: what the policy would do with flows that a sensor or a router recorded.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use serde::Serialize;

use super::args::{Options, TableFormat};
use super::commands::{as_of, check_loaded, count, load_meant, under_postures};
use super::load::{Loaded, printable};
use super::messages::Place;
use super::terminal::{clear_progress, is_quiet, print, stage};
use super::{Failure, Outcome, stdin};
use crate::check::check;
use crate::diag::Diagnostics;
use crate::flows::{Capture, Flow, Form, read};
use crate::simulate::{Placeholders, Report, Row, Simulation, Suggestion, human};
use crate::syntax::parse;

/// The name of the command.
const NAME: &str = "simulate";

const HELP: &str = "\
Examples:
  cordon simulate examples/general-hospital --flows conn.log
  zcat conn.*.log.gz | cordon simulate . --flows -
  nfdump -R /var/cache/nfdump -o csv | cordon simulate . --flows -
  cordon simulate . --flows conn.log --posture isolate-imaging    what that posture would cut off
  cordon simulate . --flows conn.log --suggest > suggested.cordon

Forms of captures: Zeek's conn.log, with tabs or as JSON lines; what `nfdump -o csv` prints; and CSV with the columns proto,
src, dst and dport, and if you like sport, count, bytes, first and last.

Exit codes:
  0  replayed; with --exit-code, nothing would be blocked
  1  with --exit-code: flows would be blocked; or the policy has errors, be it only with what is suggested
  2  wrong usage, or a policy or a capture that cannot be read";

/// What can be said to the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Simulate {
    /// A policy: a directory of `.cordon` files, or one such file; `-` reads one from standard input
    #[arg(default_value = ".", value_name = "PATH")]
    path: PathBuf,
    /// Captures of flows; `-` reads one from standard input
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    flows: Vec<PathBuf>,
    /// The form of the captures
    #[arg(long, value_enum, default_value_t = FlowFormat::Auto)]
    flow_format: FlowFormat,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = TableFormat::Human)]
    format: TableFormat,
    /// Exit with 1 if flows would be blocked
    #[arg(long)]
    exit_code: bool,
    /// Print statements that would allow what no rule speaks of, as a file of a policy to be read first
    #[arg(long, conflicts_with = "postures")]
    suggest: bool,
    /// The date by which it is decided which statements have expired [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,
    /// Take the policy as it is under a posture; given several times, under all of them
    #[arg(long = "posture", value_name = "NAME")]
    postures: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum FlowFormat {
    /// The one that the first line of each shows
    Auto,
    /// Zeek's conn.log, with tabs
    Zeek,
    /// Zeek's conn.log, one JSON object a line
    ZeekJson,
    /// What `nfdump -o csv` prints
    Nfdump,
    /// CSV with a header
    Csv,
}

impl FlowFormat {
    fn form(self) -> Option<Form> {
        match self {
            FlowFormat::Auto => None,
            FlowFormat::Zeek => Some(Form::Zeek),
            FlowFormat::ZeekJson => Some(Form::ZeekJson),
            FlowFormat::Nfdump => Some(Form::Nfdump),
            FlowFormat::Csv => Some(Form::Csv),
        }
    }
}

/// A capture, by the name that the user gave it.
#[derive(Serialize)]
struct NamedCapture {
    file: String,
    #[serde(flatten)]
    capture: Capture,
}

/// What the command prints as JSON.
#[derive(Serialize)]
struct Answer {
    captures: Vec<NamedCapture>,
    postures: Vec<String>,
    #[serde(flatten)]
    report: Report,
    suggestion: Option<Suggestion>,
}

/// Runs the command.
pub(super) fn run(arguments: &Simulate) -> Result<Outcome, Failure> {
    require_sense(arguments)?;
    let options = Options::of(arguments.format.of_findings(), arguments.as_of, Vec::new());
    let mut diagnostics = Diagnostics::default();
    let loaded = load_meant(&arguments.path, &[], &options, &mut diagnostics)?;
    let placeholders = Placeholders::new(&loaded.files, as_of(&options));
    let again = arguments.suggest.then(|| copied(&loaded));
    let checked = check_loaded(loaded, &options, check, diagnostics)?;
    if checked.diagnostics.has_errors() {
        checked.report(&options, NAME, &None::<Answer>)?;
        return Ok(Outcome::Findings);
    }
    let policy = under_postures(checked.policy.clone(), &arguments.postures)?;
    let before = (!arguments.postures.is_empty()).then_some(&checked.policy);
    stage("replaying flows");
    let mut simulation = Simulation::new(&policy, before, arguments.suggest);
    let form = arguments.flow_format.form();
    let mut captures = Vec::new();
    for path in &arguments.flows {
        let capture = replay(path, form, &mut |flow| simulation.take(flow))?;
        captures.push(NamedCapture { file: printable(&path.to_string_lossy()), capture });
    }
    let (report, suggestion) = simulation.finish(&checked.sources, &placeholders);
    clear_progress();
    let refused = match (again, &suggestion) {
        (Some(again), Some(suggestion)) => refused(&again, suggestion, &options)?,
        _ => None,
    };
    let is_blocked = arguments.exit_code && report.blocked.flows > 0;
    let outcome = if refused.is_some() || is_blocked { Outcome::Findings } else { Outcome::Fine };
    say_captures(&captures)?;
    match arguments.format {
        TableFormat::Human => say(&report, suggestion.as_ref())?,
        TableFormat::Csv => print(io::stdout(), &comma_separated(&report)?)?,
        TableFormat::Json => {
            let postures = arguments.postures.clone();
            checked.report(&options, NAME, &Answer { captures, postures, report, suggestion })?;
        }
    }
    if let Some(refused) = refused {
        let why = "the policy with these statements has errors, so they are not to be taken as they are";
        print(io::stderr(), &format!("{refused}{why}\n"))?;
    }
    Ok(outcome)
}

/// A policy as it was read, once more.
fn copied(loaded: &Loaded) -> Loaded {
    let Loaded { sources, files, exports, root, .. } = loaded;
    let (sources, files, exports) = (sources.clone(), files.clone(), exports.clone());
    Loaded { sources, files, exports, root: root.clone(), place: Place::stdin("suggestion") }
}

/// What is wrong with a policy once it has a suggestion too, if something is that was not before.
fn refused(loaded: &Loaded, suggestion: &Suggestion, options: &Options) -> Result<Option<String>, Failure> {
    let mut with = copied(loaded);
    let mut diagnostics = Diagnostics::default();
    let file = with.sources.add("<suggestion>".to_owned(), suggestion.text.clone());
    let file = file.map_err(|_| Failure("the policy and the suggestion are too large".to_owned()))?.clone();
    with.files.push(parse(&file, &mut diagnostics));
    let mut with = check_loaded(with, options, check, diagnostics)?;
    if with.diagnostics.has_errors() {
        return Ok(Some(with.in_words()));
    }
    with.compile();
    if !with.diagnostics.has_errors() {
        return Ok(None);
    }
    let mut without = check_loaded(copied(loaded), options, check, Diagnostics::default())?;
    without.compile();
    Ok((!without.diagnostics.has_errors()).then(|| with.in_words()))
}

/// Refuses what cannot be meant.
fn require_sense(arguments: &Simulate) -> Result<(), Failure> {
    let from_input = arguments.flows.iter().filter(|path| stdin::is_meant(path)).count();
    if from_input > 1 || (from_input == 1 && stdin::is_meant(&arguments.path)) {
        return Err(Failure("standard input holds the policy or one capture, not both".to_owned()));
    }
    if arguments.suggest && arguments.format == TableFormat::Csv {
        let help = "use `--format human` or `json` with it";
        return Err(Failure(format!("`--suggest` gives a policy, for which a table has no place: {help}")));
    }
    Ok(())
}

/// How much of a capture is read at once, in bytes.
const BUFFER_BYTES: usize = 1 << 18;

/// Reads a capture. One of which no row can be read is none.
fn replay(path: &Path, form: Option<Form>, take: &mut dyn FnMut(&Flow)) -> Result<Capture, Failure> {
    let name = printable(&path.to_string_lossy());
    let failed = |problem: String| Failure(format!("cannot read the flows in `{name}`: {problem}"));
    let input: Box<dyn BufRead> = match stdin::is_meant(path) {
        true => Box::new(BufReader::with_capacity(BUFFER_BYTES, io::stdin().lock())),
        false => {
            let file = File::open(path).map_err(|problem| failed(problem.to_string()))?;
            Box::new(BufReader::with_capacity(BUFFER_BYTES, file))
        }
    };
    let capture = read(input, form, take).map_err(|problem| failed(problem.to_string()))?;
    match capture.first_bad.first() {
        Some(bad) if capture.rows == 0 => {
            let rows = count(usize::try_from(capture.bad).unwrap_or(usize::MAX), "row");
            Err(failed(format!(
                "taken as {}, none of its {rows} can be read, the first in line {}: {}",
                capture.form.word(),
                bad.line,
                bad.problem
            )))
        }
        _ => Ok(capture),
    }
}

/// Says what was read, and which rows could not be.
fn say_captures(captures: &[NamedCapture]) -> Result<(), Failure> {
    let mut text = String::new();
    for NamedCapture { file, capture } in captures {
        if !is_quiet() {
            let rows = count(usize::try_from(capture.rows).unwrap_or(usize::MAX), "row");
            text += &format!("`{file}` ({}): {rows}\n", capture.form.word());
        }
        if capture.bad > 0 {
            text += &format!(
                "`{file}`: {} of {} rows cannot be read and are left out\n",
                capture.bad,
                capture.rows + capture.bad
            );
            text.extend(
                capture.first_bad.iter().map(|bad| format!("  line {}: {}\n", bad.line, bad.problem)),
            );
            let more = capture.bad.saturating_sub(capture.first_bad.len() as u64);
            if more > 0 {
                text += &format!("  and {more} more\n");
            }
        }
    }
    print(io::stderr(), &text)
}

/// Prints the suggestion, if there is to be one, or else the report.
fn say(report: &Report, suggestion: Option<&Suggestion>) -> Result<(), Failure> {
    let Some(suggestion) = suggestion else { return print(io::stdout(), &human(report)) };
    print(io::stdout(), &suggestion.text)?;
    if is_quiet() {
        return Ok(());
    }
    let allows = count(suggestion.allows, "statement");
    let text = format!(
        "{allows} would allow {} of {} flows that would be blocked\n",
        suggestion.flows, report.blocked.flows
    );
    print(io::stderr(), &text)
}

const COLUMNS: [&str; 17] = [
    "verdict",
    "from",
    "from_zone",
    "to",
    "to_zone",
    "service",
    "services",
    "flows",
    "rows",
    "bytes",
    "first",
    "last",
    "rule",
    "place",
    "because",
    "unclear",
    "example",
];

fn comma_separated(report: &Report) -> Result<String, Failure> {
    let failed = |problem: String| Failure(format!("cannot write: {problem}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(|problem| failed(problem.to_string()))?;
    for row in &report.rows {
        writer.write_record(record(row)).map_err(|problem| failed(problem.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|problem| failed(problem.to_string()))?;
    String::from_utf8(bytes).map_err(|problem| failed(problem.to_string()))
}

fn record(row: &Row) -> [String; COLUMNS.len()] {
    let time =
        |moment: Option<crate::flows::Moment>| moment.map(|moment| moment.to_string()).unwrap_or_default();
    [
        row.verdict.to_owned(),
        row.from.clone(),
        row.from_zone.clone(),
        row.to.clone(),
        row.to_zone.clone(),
        row.service.clone(),
        row.services.join(" "),
        row.count.flows.to_string(),
        row.count.rows.to_string(),
        row.count.bytes.to_string(),
        time(row.first),
        time(row.last),
        row.rule.clone().unwrap_or_default(),
        row.place.clone().unwrap_or_default(),
        row.because.clone(),
        if row.unclear { "yes" } else { "no" }.to_owned(),
        row.example.clone(),
    ]
}
