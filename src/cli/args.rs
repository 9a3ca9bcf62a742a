//! What can be said on the command line.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;

use super::check::Checking;
use super::extract::ExtractArguments;
use super::levels::LevelFlags;
use super::refactor::{AddArguments, RemoveArguments, RenameArguments};
use super::rule::RuleArguments;
use super::terminal::TerminalOptions;
use super::{scaffold, shell};

/// Compile one readable policy of zones, device classes and allowed peers into firewall configurations.
#[derive(Parser, Debug)]
#[command(name = "cordon", version, max_term_width = 100, after_help = AFTER_HELP)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) terminal: TerminalOptions,
    #[command(subcommand)]
    pub(super) command: Command,
}

const AFTER_HELP: &str = "\
Exit codes:
  0  all is well
  1  there are findings, and nothing was written
  2  wrong usage, or input that cannot be read

Colour: --color, then NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE and TERM. Width of messages: COLUMNS, then the terminal.";

const VERIFY_HELP: &str = "\
Examples:
  cordon verify examples/general-hospital --against examples/general-hospital/build
  TZ=UTC nft list ruleset > core.nft && cordon verify . --against core.nft --device core
  cordon verify . --against running-config.txt --device dist1
  cordon verify . --against config.xml --device border

A dump is one file for nftables (`nft list ruleset`), cisco-ios (`show running-config`) and pfsense (config.xml). For
iptables it is a folder that holds what iptables-save, ip6tables-save and ipset save print, as rules.v4, rules.v6 and
sets.ipset.

Exit codes:
  0  equal
  1  different, or the policy has findings
  2  wrong usage, or a config that cannot be read";

const REPORT_HELP: &str = "\
Example:
  cordon report examples/general-hospital --out ../hospital-report

Open index.html of that directory in a browser; index.md says the same in Markdown. The pages load nothing from elsewhere.
The report is on the policy: it proves no config, which `cordon build` and `cordon verify` do.";

const DIFF_HELP: &str = "\
Examples:
  cordon diff                            the last commit and the working tree, policy in the current directory
  cordon diff main --policy policy       the branch main and the working tree
  cordon diff main..feature              two branches
  cordon diff main...feature             what feature changed since it left main
  cordon diff ../before ../after         two directories

Exit codes:
  0  compared; with --exit-code, no change in access
  1  with --exit-code: access changes
  2  wrong usage, or a policy that cannot be read or has errors";

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Say everything that is wrong with a policy, and write nothing
    Check(Checking),

    /// Compile a policy into the files that firewalls load
    #[command(after_help = "Example:\n  cordon build examples/general-hospital --out ../hospital-build")]
    Build {
        #[command(flatten)]
        common: Common,
        /// The directory to write; it is replaced as a whole, or left as it was [default: PATH/build]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Do not prove that the files mean what the policy says
        #[arg(long)]
        no_verify: bool,
    },

    /// Prove that files made earlier, or what a device runs now, mean what a policy says
    #[command(after_help = VERIFY_HELP)]
    Verify {
        #[command(flatten)]
        common: Common,
        /// A directory made by `build`, the folder of one device in it, or one dump
        #[arg(long, value_name = "DIR|FILE")]
        against: PathBuf,
        /// The enforcement point that a folder or dump is of
        #[arg(long, value_name = "NAME")]
        device: Option<String>,
    },

    /// Put the rules and aliases of a pfSense into its whole config, and leave every other byte of it
    #[command(after_help = "Example:\n  cordon splice . --device edge --into config.xml --out new.xml")]
    Splice {
        #[command(flatten)]
        common: Common,
        /// The enforcement point whose config it is; its target is `pfsense`
        #[arg(long, value_name = "NAME")]
        device: String,
        /// The whole config, as pfSense backs it up
        #[arg(long, value_name = "FILE")]
        into: PathBuf,
        /// The file to write, as a whole or not at all [default: the config itself]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },

    /// Write a report on a policy: pages for people, in HTML and in Markdown
    #[command(after_help = REPORT_HELP)]
    Report {
        #[command(flatten)]
        common: Common,
        /// The directory to write; it is replaced as a whole, or left as it was [default: PATH/report]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },

    /// Give the verdict on each packet of a CSV table
    #[command(after_help = "Example:\n  cordon query examples/general-hospital --packets packets.csv")]
    Query {
        #[command(flatten)]
        common: Common,
        /// CSV with the columns proto, src, dst, sport and dport; `-` reads standard input
        #[arg(long, value_name = "FILE")]
        packets: PathBuf,
    },

    /// Say why a packet is allowed or denied, or what a statement does, and by which lines of which config
    #[command(
        override_usage = "cordon explain [OPTIONS] [PATH] PROTO SRC DST [DPORT]\n       cordon explain [OPTIONS] RULE [PATH]",
        after_help = super::explain::HELP
    )]
    Explain {
        /// [PATH] PROTO SRC DST [DPORT]: the policy, and the packet; or RULE [PATH]: the id of an allow, forbid or manage
        /// statement, and the policy
        #[arg(required = true, num_args = 1..=5, value_name = "PACKET|RULE")]
        words: Vec<String>,
        /// The source port [default: an ephemeral one]
        #[arg(long, value_name = "PORT", default_value = "")]
        sport: String,
        #[command(flatten)]
        options: Options,
    },

    /// Say who may open connections to a zone, class, peer, group or address, over what, and by which rules
    WhoCanReach(super::reach::WhoCanReach),

    /// Say to whom a zone, class, peer, group or address may open connections, over what, and by which rules
    WhatCan(super::reach::WhatCan),

    /// Say which devices there are, which need attention, and what changed since an earlier export
    #[command(
        after_help = "Examples:\n  cordon inventory examples/general-hospital\n  cordon inventory . --inventory medical --since last-month.csv"
    )]
    Inventory {
        #[command(flatten)]
        common: Common,
        /// An earlier export of an inventory, in the same form
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
        /// The inventory that it is of, where the policy has several
        #[arg(long, value_name = "NAME")]
        inventory: Option<String>,
    },

    /// Say how often statements were used, by what devices count, and which access nobody used
    #[command(after_help = super::hits::HELP)]
    Hits(super::hits::HitsArguments),

    /// Say what firewalls logged in the words of the policy, and whether the policy agrees
    #[command(after_help = super::logs::HELP)]
    Logs(super::logs::LogsArguments),

    /// Say what changes in access between two versions of a policy
    #[command(after_help = DIFF_HELP)]
    Diff(Changes),

    /// Call a statement by another name, in every file and place that names it
    Rename(RenameArguments),

    /// Add a member to a group, class, peer, zone or service
    Add(AddArguments),

    /// Remove a member from a group, class, peer, zone or service
    Remove(RemoveArguments),

    /// Say what would change on a device, and write a plan of it
    #[command(after_help = super::plan::HELP)]
    Plan(super::plan::PlanArguments),

    /// Load a plan on its device, which goes back by itself unless it is confirmed
    #[command(after_help = super::apply::HELP)]
    Apply(super::apply::ApplyArguments),

    /// Make the least of a policy that still shows a verdict or a finding, for a report of a bug
    Extract(ExtractArguments),
    /// Write policies in one style
    #[command(name = "fmt", after_help = super::format::HELP)]
    Fmt(super::format::Formatting),
    /// Say what a code of a finding means, and what to do; all codes without one
    #[command(after_help = super::rule::HELP)]
    Rule(RuleArguments),

    /// Run the assertions of a policy, and the tests beside it
    #[command(after_help = super::test::HELP)]
    Test(super::test::Tests),

    /// Replay recorded flows against a policy: what would be blocked, what no flow used, and what would have to be allowed
    Simulate(super::simulate::Simulate),

    /// Put the policy of a small hospital into a directory, to start from
    #[command(after_help = scaffold::HELP)]
    Init(scaffold::Init),

    /// List the targets that cordon comes with, and what each can express
    #[command(after_help = "Example:\n  cordon targets --format markdown")]
    Targets {
        /// The form of the list
        #[arg(long, value_enum, default_value_t = ListFormat::Human)]
        format: ListFormat,
    },

    /// Print what a shell needs to complete commands and options
    #[command(after_help = shell::COMPLETIONS_HELP)]
    Completions(shell::Completions),

    /// Write the man pages
    #[command(after_help = shell::MAN_HELP)]
    Man(shell::Man),
}

#[derive(Args, Debug)]
pub(super) struct Changes {
    /// A revision as git knows it, `A..B` or `A...B`; or a directory, where NEW is one too [default: HEAD]
    pub(super) old: Option<String>,
    /// A revision, or a directory [default: the working tree]
    pub(super) new: Option<String>,
    /// The policy in the repository, where revisions are compared
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub(super) policy: PathBuf,
    /// Exit with 1 if access changes
    #[arg(long)]
    pub(super) exit_code: bool,
    /// Show how the output of each enforcement point differs, line by line
    #[arg(long)]
    pub(super) text: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = ChangesFormat::Human)]
    pub(super) format: ChangesFormat,
    /// The date by which it is decided which statements have expired, in both [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(super) as_of: Option<Date>,
    /// Take both policies as they are under a posture; given several times, under all of them
    #[arg(long = "posture", value_name = "NAME")]
    pub(super) postures: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum ChangesFormat {
    /// Text
    Human,
    /// One JSON document
    Json,
    /// A comment for a pull request
    Markdown,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum ListFormat {
    /// Text
    Human,
    /// One JSON document
    Json,
    /// The page docs/targets.md
    Markdown,
}

#[derive(Args, Debug)]
pub(super) struct Common {
    /// A policy: a directory of `.cordon` files, or one such file; `-` reads one from standard input
    #[arg(default_value = ".", value_name = "PATH")]
    pub(super) path: PathBuf,
    #[command(flatten)]
    pub(super) options: Options,
}

#[derive(Args, Debug)]
pub(super) struct Options {
    /// The form of messages
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
    /// How messages name a policy that comes from standard input
    #[arg(long, value_name = "NAME", default_value = super::stdin::NAME, value_parser = NonEmptyStringValueParser::new())]
    pub(super) stdin_filename: String,
    /// The date by which it is decided which statements have expired [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(super) as_of: Option<Date>,
    /// Take warnings for findings too
    #[arg(long)]
    pub(super) deny_warnings: bool,
    #[command(flatten)]
    pub(super) levels: LevelFlags,
    /// Take the policy as it is under a posture; given several times, under all of them
    #[arg(long = "posture", value_name = "NAME")]
    pub(super) postures: Vec<String>,
}

impl Options {
    /// The options of a command that takes no others than these.
    pub(super) fn of(format: Format, as_of: Option<Date>, postures: Vec<String>) -> Self {
        Options {
            format,
            stdin_filename: super::stdin::NAME.to_owned(),
            as_of,
            deny_warnings: false,
            levels: LevelFlags::default(),
            postures,
        }
    }
}

/// The form of an answer.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum AnswerFormat {
    /// Text
    Human,
    /// One JSON document
    Json,
}

impl From<AnswerFormat> for Format {
    fn from(form: AnswerFormat) -> Self {
        match form {
            AnswerFormat::Human => Format::Human,
            AnswerFormat::Json => Format::Json,
        }
    }
}

/// The form of an answer that can be a table.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum TableFormat {
    /// Text
    Human,
    /// One JSON document
    Json,
    /// A table with a header
    Csv,
}

impl TableFormat {
    /// The form of what is found in the policy itself.
    pub(super) fn of_findings(self) -> Format {
        if self == TableFormat::Json { Format::Json } else { Format::Human }
    }
}

/// What commands take that ask a policy for a table.
#[derive(Args, Debug)]
pub(super) struct TableOptions {
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = TableFormat::Human)]
    pub(super) format: TableFormat,
    /// The date by which it is decided which statements have expired [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,
    /// Take the policy as it is under a posture; given several times, under all of them
    #[arg(long = "posture", value_name = "NAME")]
    postures: Vec<String>,
}

impl TableOptions {
    /// How the policy is read and checked for that.
    pub(super) fn for_policy(&self) -> Options {
        Options::of(self.format.of_findings(), self.as_of, self.postures.clone())
    }
}

/// The form of messages. Those behind `Concise` are documents on standard output.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Format {
    /// Text with excerpts of the policy
    Human,
    /// Text, one line for each finding
    Concise,
    /// One JSON document, with the answer of the command
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for the test results of any CI
    Junit,
    /// Workflow commands of GitHub Actions
    Github,
    /// A Code Quality report of GitLab
    Gitlab,
}

impl Format {
    /// True for text to people, which goes to standard error.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Format::Human | Format::Concise)
    }

    /// True for what holds findings and has no place for the answer of a command.
    pub(super) fn is_for_ci(self) -> bool {
        matches!(self, Format::Sarif | Format::Junit | Format::Github | Format::Gitlab)
    }
}
