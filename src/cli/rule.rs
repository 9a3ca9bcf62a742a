//! `cordon rule`: what a code of a finding means.

use std::io;

use clap::Args;
use serde::Serialize;

use super::args::AnswerFormat;
use super::commands::JSON_VERSION;
use super::terminal::print;
use super::{Failure, Outcome};
use crate::diag::{Acceptable, CODES, Code, Level, Page, pages, suggestion};

pub(super) const HELP: &str = "\
Examples:
  cordon rule C0305
  cordon rule --format json | jq -r '.rules[] | select(.fixable) | .code'";

/// The width of a page, in columns.
const WIDTH: usize = 100;

/// Which code, and in which form.
#[derive(Args, Debug)]
pub(super) struct RuleArguments {
    /// The code of a finding; all of them if it is left out
    code: Option<String>,
    /// List all codes
    #[arg(long, conflicts_with = "code")]
    all: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Human)]
    format: AnswerFormat,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Rules {
    version: u32,
    command: &'static str,
    rules: Vec<Rule>,
}

/// A code as JSON.
#[derive(Serialize)]
struct Rule {
    code: &'static str,
    summary: &'static str,
    /// The part of the documentation that it stands in.
    group: &'static str,
    /// `error` or `warning`.
    level: &'static str,
    /// What a statement has to say to accept it: `never`, `reason` or `reason-and-day`.
    acceptable: &'static str,
    /// True if `cordon check --fix` can correct it, at least in some places.
    fixable: bool,
    /// Its page, in Markdown.
    markdown: &'static str,
}

/// Prints the page of a code, or the list of all.
pub(super) fn run(arguments: &RuleArguments) -> Result<Outcome, Failure> {
    let mut shown = pages();
    if let Some(asked) = &arguments.code {
        let code = asked.trim().to_uppercase();
        shown.retain(|page| page.code.code == code);
        if shown.is_empty() {
            let known = suggestion(&code, CODES.iter().map(|code| code.code));
            let help = known.unwrap_or_else(|| "`cordon rule` lists all".to_owned());
            return Err(Failure(format!("there is no code `{}`: {help}", super::load::printable(asked))));
        }
    }
    let text = match (arguments.format, &arguments.code, shown.first()) {
        (AnswerFormat::Json, _, _) => {
            let rules = shown.iter().map(rule).collect();
            let document = Rules { version: JSON_VERSION, command: "rule", rules };
            let json = serde_json::to_string_pretty(&document);
            json.map_err(|error| Failure(error.to_string()))? + "\n"
        }
        (AnswerFormat::Human, Some(_), Some(page)) => page_text(page),
        (AnswerFormat::Human, _, _) => list(&shown),
    };
    print(io::stdout(), &text)?;
    Ok(Outcome::Fine)
}

fn level(code: &Code) -> &'static str {
    match code.level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

fn rule(page: &Page) -> Rule {
    let code = page.code;
    Rule {
        code: code.code,
        summary: code.summary,
        group: page.group,
        level: level(code),
        acceptable: match code.acceptable {
            Acceptable::Never => "never",
            Acceptable::Reason => "reason",
            Acceptable::ReasonAndDay => "reason-and-day",
        },
        fixable: code.is_fixed,
        markdown: page.markdown,
    }
}

/// A page for people.
fn page_text(page: &Page) -> String {
    let code = page.code;
    let name = code.code;
    let weight = match code.level {
        Level::Error => {
            "an error: nothing is built while there is one, and no option changes that".to_owned()
        }
        Level::Warning => {
            format!("a warning: `--deny {name}` lets it stop a build, `--allow {name}` leaves it out")
        }
    };
    let accepted = match code.acceptable {
        Acceptable::Never => "by no statement".to_owned(),
        Acceptable::Reason => format!("`accepted {name} because \"...\"`, in a rule also `until DATE`"),
        Acceptable::ReasonAndDay => format!("`accepted {name} because \"...\" until DATE`"),
    };
    let fixed =
        if code.is_fixed { "`cordon check --fix`, where there is only one way to" } else { "by hand" };
    format!(
        "{name}: {}\n\n  {weight}\n  accepted  {accepted}\n  fixed     {fixed}\n\n{}\n",
        code.summary,
        page.plain(WIDTH)
    )
    .trim_end()
    .to_owned()
        + "\n"
}

/// All codes for people, by group: `E` for errors, `W` for warnings, and what can be done about them.
fn list(pages: &[Page]) -> String {
    let mut text = String::new();
    let mut group = "";
    for page in pages {
        if page.group != group {
            text += &format!("{}{}\n", if group.is_empty() { "" } else { "\n" }, page.group);
            group = page.group;
        }
        let code = page.code;
        let accepted = if code.acceptable == Acceptable::Never { "" } else { ", can be accepted" };
        let fixed = if code.is_fixed { ", can be fixed" } else { "" };
        text += &format!("  {}  {:7}  {}{accepted}{fixed}\n", code.code, level(code), code.summary);
    }
    text + "\n`cordon rule CODE` says more of one.\n"
}
