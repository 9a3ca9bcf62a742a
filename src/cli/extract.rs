//! The command `extract`: the least of a policy that still shows a verdict or a finding.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;

use super::args::{Format, Options};
use super::commands::{Checked, as_of, check_loaded, count, load_meant};
use super::load::{Loaded, printable};
use super::terminal::{print, stage};
use super::{Failure, Outcome};
use crate::check::check;
use crate::diag::{Diagnostics, records};
use crate::edit::{Edit, apply};
use crate::emit::{UserTargets, emit_with};
use crate::inventory::{Export, Inventories};
use crate::ir::{Decider, Decision, Policy};
use crate::plan::plan;
use crate::query::{Fields, parse_packet};
use crate::refactor::{Extract, Extraction, quoted};
use crate::set::Packet;
use crate::source::{SourceFile, Sources, Span};
use crate::syntax::ast::{File, Statement, Word};
use crate::syntax::{parse, parts};

/// The name of the policy in a directory that is written.
const POLICY: &str = "policy.cordon";

const EXTRACT_HELP: &str = "\
Examples:
  cordon extract . --packet tcp 10.40.40.10 10.40.65.10 104 > least.cordon
  cordon extract examples/general-hospital --code C0643
  cordon extract . --code C1012 --out ../report

The verdict stays, with the zones of both ends and the statement that decides; or a finding with the code and the same
words stays. No error is in the result that is not in the policy. Comments go, and so do includes; names, addresses, notes
and reasons stay: read the result before you pass it on.

Exit codes:
  0  written or printed
  1  the policy has errors, so that there is no verdict
  2  wrong usage, a code that is not found, or a policy that cannot be read";

#[derive(Args, Debug)]
#[command(after_help = EXTRACT_HELP)]
pub(super) struct ExtractArguments {
    /// A policy: a directory of `.cordon` files, or one such file
    #[arg(default_value = ".", value_name = "PATH")]
    path: PathBuf,
    /// PROTO SRC DST [DPORT]: the packet whose verdict has to stay
    #[arg(long, num_args = 3..=4, value_name = "PACKET", conflicts_with = "code", required_unless_present = "code")]
    packet: Vec<String>,
    /// The code of the finding that has to stay
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// The directory to make, with the tables that the policy names; `-` prints the policy
    #[arg(long, value_name = "DIR", default_value = "-")]
    out: PathBuf,
    /// How many smaller policies are tried at most
    #[arg(long, value_name = "NUMBER", default_value_t = 5000)]
    tries: usize,
    /// The date by which it is decided which statements have expired [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,
}

/// What has to stay.
enum Wanted {
    /// The verdict on a packet.
    Verdict { packet: Packet, is: Verdict },
    /// One of these findings, and no error but these; each is a code and a text.
    Finding {
        findings: BTreeSet<(String, String)>,
        errors: BTreeSet<(String, String)>,
        /// True if only a compilation finds them.
        compiles: bool,
    },
}

/// What a policy decides, told by statements of the whole policy.
#[derive(PartialEq, Eq)]
struct Verdict {
    verdict: &'static str,
    zones: [Option<String>; 2],
    /// The statement that decides, by its place in the whole.
    statement: Option<usize>,
}

/// Runs the command.
pub(super) fn run(arguments: &ExtractArguments) -> Result<Outcome, Failure> {
    let options = Options::of(Format::Human, arguments.as_of, Vec::new());
    refuse_existing(&arguments.out)?;
    let mut diagnostics = Diagnostics::default();
    let loaded = load_meant(&arguments.path, &[], &options, &mut diagnostics)?;
    let (policy, tables) = one_file(&loaded)?;
    let checked = check_loaded(loaded, &options, check, diagnostics)?;
    let as_of = as_of(&options);
    let by_statements = Extract::by_statements(&policy, &tables);
    let (extract, wanted) = match &arguments.code {
        None => {
            if checked.diagnostics.has_errors() {
                checked.report(&options, "extract", &())?;
                checked.summarise(&options, "there is no verdict, since the policy has errors")?;
                return Ok(Outcome::Findings);
            }
            let packet = packet(&arguments.packet)?;
            let wanted = verdict_of(&checked, &by_statements, packet, as_of)?;
            (by_statements, wanted)
        }
        Some(code) => finding_of(checked, code, by_statements, (&policy, &tables), as_of)?,
    };
    let mut tried = 0;
    let least = extract.least(&mut |less| {
        if tried >= arguments.tries {
            return false;
        }
        tried += 1;
        stage(&format!("tried {tried}, now {}", count(less.statements(), "statement")));
        wanted.is_shown_by(less, as_of)
    });
    put(&arguments.out, &least)?;
    let (whole, left) = (count(extract.whole().statements(), "statement"), least.statements());
    let end = if tried >= arguments.tries {
        "; that was the limit, so less may be enough: raise it with `--tries`"
    } else {
        ""
    };
    let tried = count(tried, "smaller policy").replace("policys", "policies");
    print(io::stderr(), &format!("{left} of {whole} left, after {tried}{end}\n"))?;
    Ok(Outcome::Fine)
}

fn packet(words: &[String]) -> Result<Packet, Failure> {
    let (proto, src, dst, dport) = match words {
        [proto, src, dst] => (proto, src, dst, ""),
        [proto, src, dst, dport] => (proto, src, dst, dport.as_str()),
        _ => return Err(Failure("usage: --packet PROTO SRC DST [DPORT]".to_owned())),
    };
    parse_packet(Fields { proto, src, dst, sport: "", dport }).map_err(|problem| Failure(problem.to_string()))
}

/// All statements of a policy in one text, without those that include files, with tables named from its directory; and the
/// texts of these.
fn one_file(loaded: &Loaded) -> Result<(String, BTreeMap<String, String>), Failure> {
    let mut edits = Vec::new();
    let mut tables = BTreeMap::new();
    for Export { statement, table, mapping } in &loaded.exports {
        for (word, file) in [(&statement.file, Some(table)), (&statement.mapping, mapping.as_ref())] {
            if let (Some(word), Some(file)) = (word, file) {
                edits.push(Edit { span: word.span, text: quoted(file.path()) });
                tables.insert(file.path().to_owned(), file.text().to_owned());
            }
        }
    }
    let sources = loaded.sources.files().iter().take(loaded.files.len());
    for (file, tree) in sources.clone().zip(&loaded.files) {
        edits.extend(includes(file, tree));
    }
    let failed = |what: String| Failure(format!("the policy cannot be put into one file: {what}"));
    let rewritten = apply(&loaded.sources, &edits).map_err(|error| failed(error.to_string()))?;
    let mut policy = String::new();
    for source in sources {
        let changed = rewritten.iter().find(|file| file.path == source.path());
        policy += changed.map_or(source.text(), |file| &file.after);
        if !policy.ends_with('\n') {
            policy.push('\n');
        }
    }
    Ok((policy, tables))
}

/// The edits that take the `include` statements out of a file.
fn includes(file: &SourceFile, tree: &File) -> Vec<Edit> {
    let words = tree.statements.iter().filter_map(|statement| {
        let Statement::Include(word) = statement else { return None };
        Some(word.span.start())
    });
    let words: Vec<usize> = words.collect();
    let parts = if words.is_empty() { Vec::new() } else { parts(file) };
    let spans = parts.into_iter().map(|part| file.span(part.range));
    let holds = |span: &Span| words.iter().any(|word| (span.start()..span.end_offset()).contains(word));
    spans.filter(holds).map(|span| Edit { span, text: String::new() }).collect()
}

/// What a smaller policy says.
struct Read {
    policy: Policy,
    diagnostics: Diagnostics,
    sources: Sources,
}

/// Reads and checks a smaller policy; none if it names a table that is not there, or is too large.
fn read(less: &Extraction, as_of: Date) -> Option<Read> {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let file = sources.add(POLICY.to_owned(), less.policy.clone()).ok()?.clone();
    let tree = parse(&file, &mut diagnostics);
    let mut exports = Vec::new();
    for statement in &tree.statements {
        let Statement::Inventory(statement) = statement else { continue };
        let mut table = |word: &Word| {
            let text = less.tables.get(&word.node)?.clone();
            sources.add(word.node.clone(), text).ok().cloned()
        };
        let mapping = match &statement.mapping {
            Some(word) => Some(table(word)?),
            None => None,
        };
        let table = table(statement.file.as_ref()?)?;
        exports.push(Export { statement: statement.clone(), table, mapping });
    }
    let inventories = Inventories::read(&exports, &mut diagnostics);
    let policy = check(&[tree], inventories, as_of, &mut diagnostics);
    Some(Read { policy, diagnostics, sources })
}

impl Read {
    /// Code and text of each finding, or of each error.
    fn findings(&self, errors_only: bool) -> BTreeSet<(String, String)> {
        let records = records(&self.diagnostics, &self.sources).into_iter();
        let asked = records.filter(|record| !errors_only || record.severity == "error");
        asked.map(|record| (record.code, record.message)).collect()
    }

    /// Compiles the policy too, for what only a target finds.
    fn compile(&mut self) {
        if !self.diagnostics.has_errors() {
            let users = UserTargets::new(&[], &mut self.diagnostics);
            emit_with(&plan(&self.policy), &users, &mut self.diagnostics);
        }
    }

    /// What is decided on a packet, told by statements of the whole.
    fn verdict(&self, less: &Extraction, packet: &Packet) -> Verdict {
        let decider = Decider::new(&self.policy);
        let decision: Decision = decider.decide(packet);
        let zone = |address| decider.zone_of(address).map(|zone| self.policy[zone].name.clone());
        let statement = decision.rule().and_then(|rule| less.statement_at(self.policy[rule].span.start()));
        let zones = [zone(packet.source), zone(packet.destination)];
        Verdict { verdict: decision.verdict(), zones, statement }
    }
}

impl Wanted {
    fn is_shown_by(&self, less: &Extraction, as_of: Date) -> bool {
        let Some(mut read) = read(less, as_of) else { return false };
        match self {
            Wanted::Verdict { packet, is } => {
                !read.diagnostics.has_errors() && read.verdict(less, packet) == *is
            }
            Wanted::Finding { findings, errors, compiles } => {
                if *compiles {
                    read.compile();
                }
                read.findings(true).is_subset(errors) && !read.findings(false).is_disjoint(findings)
            }
        }
    }
}

/// The verdict of the whole, in which it has to be the same as in the policy itself.
fn verdict_of(checked: &Checked, extract: &Extract, packet: Packet, as_of: Date) -> Result<Wanted, Failure> {
    let whole = extract.whole();
    let is = read(&whole, as_of).filter(|read| !read.diagnostics.has_errors());
    let is = is.map(|read| read.verdict(&whole, &packet));
    let own = Decider::new(&checked.policy).decide(&packet).verdict();
    match is.filter(|is| is.verdict == own) {
        Some(is) => Ok(Wanted::Verdict { packet, is }),
        None => Err(Failure(
            "the verdict is another one where the policy is one file; please report this".to_owned(),
        )),
    }
}

/// How the policy is taken apart, so that a finding with a code is in the whole, and what has to stay of it.
fn finding_of(
    mut checked: Checked,
    code: &str,
    by_statements: Extract,
    (policy, tables): (&str, &BTreeMap<String, String>),
    as_of: Date,
) -> Result<(Extract, Wanted), Failure> {
    let of_policy = |checked: &Checked| -> BTreeSet<(String, String)> {
        let records = records(&checked.diagnostics, &checked.sources).into_iter();
        records.map(|record| (record.code, record.message)).collect()
    };
    let mut found = of_policy(&checked);
    let compiles = !found.iter().any(|(own, _)| own == code);
    if compiles {
        checked.compile();
        found = of_policy(&checked);
    }
    let wanted: BTreeSet<(String, String)> = found.iter().filter(|(own, _)| own == code).cloned().collect();
    if wanted.is_empty() {
        let known: BTreeSet<&str> = found.iter().map(|(code, _)| code.as_str()).collect();
        let known: Vec<&str> = known.into_iter().collect();
        let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
        return Err(Failure(format!(
            "no finding of the policy has the code `{}`; `cordon check` finds {known}",
            printable(code)
        )));
    }
    for extract in [by_statements, Extract::by_lines(policy, tables)] {
        let whole = extract.whole();
        let Some(mut read) = read(&whole, as_of) else { continue };
        if compiles {
            read.compile();
        }
        let errors = read.findings(true);
        let findings: BTreeSet<_> = read.findings(false).intersection(&wanted).cloned().collect();
        if !findings.is_empty() {
            return Ok((extract, Wanted::Finding { findings, errors, compiles }));
        }
    }
    Err(Failure(format!(
        "`{code}` does not come about where the policy is one file: it is about its files, their characters, or targets of \
         its own; send the policy as it is"
    )))
}

/// Refuses a directory that is there already, before anything is worked out.
fn refuse_existing(out: &Path) -> Result<(), Failure> {
    if out != Path::new("-") && fs::symlink_metadata(out).is_ok() {
        let what = "it exists already; name a directory that does not, or `-` to print the policy";
        return Err(Failure(format!("cannot write `{}`: {what}", out.display())));
    }
    Ok(())
}

/// Prints the policy, or makes a directory with it and its tables, as a whole or not at all.
fn put(out: &Path, least: &Extraction) -> Result<(), Failure> {
    if out == Path::new("-") {
        if least.tables.is_empty() {
            return print(io::stdout(), &least.policy);
        }
        let tables = count(least.tables.len(), "table");
        return Err(Failure(format!(
            "the result has {tables} beside the policy; name a directory with `--out DIR`"
        )));
    }
    let failed = |problem: io::Error| Failure(format!("cannot write `{}`: {problem}", out.display()));
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fresh = tempfile::Builder::new().prefix(".extract.").tempdir_in(parent).map_err(failed)?;
    let policy = [(POLICY.to_owned(), &least.policy)];
    let tables = least.tables.iter().map(|(path, text)| (path.clone(), text));
    for (path, text) in policy.into_iter().chain(tables) {
        let path = fresh.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(fresh.path())).map_err(failed)?;
        let mut file = fs::File::create_new(path).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    }
    fs::set_permissions(fresh.path(), fs::Permissions::from_mode(0o755)).map_err(failed)?;
    fs::rename(fresh.path(), out).map_err(failed)?;
    let _ = fresh.keep();
    Ok(())
}
