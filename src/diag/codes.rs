//! All codes that a diagnostic can carry. A code never changes its meaning, and is never given to another mistake.
//!
//! Each code has its section in `docs/diagnostics.md`.

/// How much a finding weighs. Its variant says the same in its `severity`, which a test compares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// The policy cannot be compiled.
    Error,
    /// It can, and deserves a second look.
    Warning,
}

/// What the statement that a finding is about has to say for the finding to be accepted there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acceptable {
    /// Nothing helps: it is a mistake, or it is about no statement.
    Never,
    /// Why. It is about form and use, and endangers nobody.
    Reason,
    /// Why, and until which day: it is a risk, and has to be looked at again.
    ReasonAndDay,
}

/// A code and what it stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// `C` and four digits; the first two of them name the part of the language that it is about.
    pub code: &'static str,
    /// What is wrong, in a few words.
    pub summary: &'static str,
    /// Error or warning.
    pub level: Level,
    /// Whether a statement can accept it.
    pub acceptable: Acceptable,
    /// True if `cordon check --fix` can correct it, at least in some places.
    pub is_fixed: bool,
}

impl Code {
    /// A warning that no statement can accept.
    const fn warning(self) -> Code {
        Code { level: Level::Warning, ..self }
    }

    /// A warning about form or use.
    const fn form(self) -> Code {
        Code { level: Level::Warning, acceptable: Acceptable::Reason, ..self }
    }

    /// A warning about a risk that somebody can answer for.
    const fn risk(self) -> Code {
        Code { level: Level::Warning, acceptable: Acceptable::ReasonAndDay, ..self }
    }

    /// One with a fix.
    const fn fixed(self) -> Code {
        Code { is_fixed: true, ..self }
    }
}

/// An error without a fix.
const fn code(code: &'static str, summary: &'static str) -> Code {
    Code { code, summary, level: Level::Error, acceptable: Acceptable::Never, is_fixed: false }
}

/// All codes, sorted.
pub static CODES: [Code; 149] = [
    // The form of a file.
    code("C0001", "a word does not fit where it stands"),
    code("C0002", "a block is never closed"),
    code("C0003", "a statement has no name"),
    code("C0004", "an unknown statement"),
    code("C0005", "a text is never closed"),
    code("C0006", "a character that cannot stand in a policy"),
    code("C0007", "parentheses are nested too deep"),
    code("C0008", "a word that cannot be a name"),
    code("C0009", "a clause is said twice").fixed(),
    code("C0010", "a `}` that closes nothing"),
    code("C0011", "an unknown escape in a text"),
    code("C0012", "a file that is too intricate to be read"),
    code("C0013", "a clause or statement that cannot be read"),
    code("C0014", "an assertion does not say what it expects"),
    code("C0015", "it is not said what is required of what"),
    // Names and values.
    code("C0101", "a name that is not declared"),
    code("C0102", "a name is declared twice"),
    code("C0103", "a name that already has a meaning"),
    code("C0104", "an unknown value of an attribute"),
    code("C0105", "not a date"),
    code("C0106", "a group contains itself"),
    code("C0107", "a class or peer lies in no zone"),
    // Addresses.
    code("C0201", "not an address, a range or a prefix"),
    code("C0202", "a prefix with bits set behind its length"),
    code("C0203", "an IPv4 address written as IPv6").fixed(),
    code("C0204", "zones overlap"),
    code("C0205", "an address outside of its zone"),
    code("C0206", "a zone, class, peer or group is empty").form(),
    code("C0207", "an `except` takes nothing away").form(),
    code("C0208", "two zones are the rest"),
    code("C0209", "a zone has both `rest` and `net`"),
    // Services.
    code("C0301", "ports for a protocol that has none"),
    code("C0302", "a protocol without its ports"),
    code("C0303", "not a port"),
    code("C0304", "an unknown message of a protocol"),
    code("C0305", "a service, schedule or group is used nowhere").form(),
    code("C0306", "a service is empty"),
    code("C0307", "not a protocol number"),
    code("C0308", "a message that opens nothing").form(),
    // Rules.
    code("C0401", "a statement leaves something out"),
    code("C0402", "all that a rule allows is forbidden"),
    code("C0403", "part of what a rule allows is forbidden").risk(),
    code("C0404", "a statement matches nothing").form(),
    code("C0405", "a rule stays inside one zone").risk(),
    code("C0406", "a forbid has an end"),
    code("C0407", "a statement has expired").warning(),
    code("C0408", "the same is said twice").form().fixed(),
    code("C0409", "a forbid names a schedule"),
    code("C0410", "not a time of the day"),
    code("C0411", "a schedule holds at all times"),
    // Enforcement points.
    code("C0501", "a rule is enforced by nothing"),
    code("C0502", "part of a rule is enforced by nothing").risk(),
    code("C0503", "a zone is attached nowhere").risk(),
    code("C0504", "an enforcement point has no target, or several"),
    code("C0505", "an interface stands twice"),
    code("C0506", "a zone is attached twice to one enforcement point"),
    code("C0507", "nobody can administer an enforcement point").form(),
    code("C0508", "a policy has no enforcement point").warning(),
    code("C0509", "an enforcement point has no interface"),
    code("C0510", "a link has one end only"),
    code("C0511", "a link leads back to where it begins"),
    code("C0512", "an enforcement point lies on no path").form(),
    code("C0513", "not a port of a switch"),
    code("C0514", "a port stands twice"),
    code("C0515", "a port of a zone that the switch has no VLAN interface for"),
    code("C0516", "storm-control would cut off what lives depend on"),
    code("C0517", "storm-control that only alerts"),
    // Assertions.
    code("C0601", "asserted denied, but allowed"),
    code("C0602", "asserted allowed, but denied"),
    // Guards.
    code("C0611", "a guard without one threshold and one action"),
    code("C0612", "a guard would cut off what lives depend on"),
    code("C0613", "a quarantine without a count for each source"),
    code("C0614", "a guard of two things of the same name"),
    code("C0615", "a guard of a forbid"),
    code("C0616", "a guard of a rule that shares packets with another"),
    code("C0617", "two guards of the same do the same"),
    code("C0618", "a guard of a rule that has to be one of a zone"),
    code("C0619", "destinations without a count for each source"),
    code("C0620", "a threshold that nothing measures"),
    // Postures.
    code("C0621", "a posture that cuts nothing off"),
    // Sessions.
    code("C0622", "a session time of something that is no rule"),
    code("C0623", "a session time that would cut off more than the session"),
    // What is required.
    code("C0631", "a statement lacks what the policy requires"),
    // What is accepted.
    code("C0640", "an acceptance that accepts nothing").warning().fixed(),
    // Data.
    code("C0641", "PHI that can be read on the way").risk(),
    code("C0642", "a store of PHI is open to the outside").risk(),
    code("C0643", "a store of PHI meets a place that is not cleared for it").risk(),
    code("C0644", "sessions into a device that only passes PHI on").risk(),
    // What is accepted, again.
    code("C0645", "a finding is accepted without an end"),
    code("C0646", "a finding that cannot be accepted"),
    // Least privilege.
    code("C0651", "a rule allows addresses that belong to nobody").risk(),
    code("C0652", "a rule allows nearly all ports").risk(),
    code("C0653", "a protocol of administrators for others").risk(),
    code("C0654", "a class reaches more than its siblings").risk(),
    // Statements that do nothing more.
    code("C0661", "other statements say all of it").form(),
    code("C0662", "a word adds nothing to its list").form(),
    code("C0663", "other statements say all that a word adds").form(),
    code("C0664", "statements that could be one").form(),
    // Targets.
    code("C0701", "an unknown target"),
    code("C0702", "a name that an interface cannot have"),
    code("C0703", "a rule that a target cannot express"),
    code("C0704", "part of a rule is left out of a target").warning(),
    code("C0705", "a name that an interface of a Cisco switch cannot have"),
    code("C0706", "access lists do not fit the hardware"),
    code("C0710", "a name that an interface of pfSense cannot have"),
    code("C0711", "a manage statement that pfSense cannot express"),
    code("C0712", "fragments denied where nothing looks at them"),
    code("C0713", "a guard that nothing keeps"),
    code("C0714", "a guard that pfSense would keep in several rules"),
    code("C0715", "ports where nothing keeps storms in check"),
    // Targets of the user.
    code("C0720", "a file that cannot be part of a target"),
    code("C0721", "a capability file that cannot be read"),
    code("C0722", "a target that cordon cannot make"),
    code("C0723", "an output outside of the folder of its device"),
    code("C0724", "a template that does not belong to its target"),
    code("C0725", "a template for another view"),
    code("C0726", "a template that cannot be used"),
    code("C0727", "a template names what its view does not have"),
    code("C0728", "a template does not come to an end"),
    code("C0729", "an output is too large"),
    code("C0730", "a name of an interface that a target of the user does not allow"),
    // Files.
    code("C0801", "an `include` leads out of the policy's directory"),
    code("C0802", "an `include` cannot be read"),
    // Limits of cordon itself.
    // C0901 is taken: it was given to what is read, but not compiled.
    code("C0999", "a bug in cordon"),
    // Inventories.
    code("C1001", "a file of an inventory cannot be read"),
    code("C1002", "an inventory is declared twice"),
    code("C1003", "it is not said which form a table has"),
    code("C1004", "a mapping that cannot be read"),
    code("C1005", "a table that cannot be read"),
    code("C1006", "a table whose columns do not fit its mapping"),
    code("C1007", "cells that cannot be read").warning(),
    code("C1008", "members of an inventory that does not exist"),
    code("C1009", "a condition on what no device has"),
    code("C1010", "devices selected outside of the zone of their class").risk(),
    code("C1011", "devices in no class").warning(),
    code("C1012", "devices in two classes with different rules").warning(),
    code("C1013", "devices in another zone than they should be in").warning(),
    code("C1014", "devices that nobody answers for").warning(),
    code("C1015", "devices past the end of their support").risk(),
    code("C1016", "devices of high risk that many can reach").risk(),
    code("C1017", "addresses that belong to several devices").warning(),
    code("C1018", "two classes take what is unclassified in a zone"),
    code("C1019", "a class has fewer devices than it has to have"),
    // Tests.
    code("C1101", "a table of tests that cannot be read"),
    code("C1102", "a table of tests whose columns are not clear"),
    code("C1103", "rows of a table of tests that are no packets"),
    code("C1104", "rows of a table of tests that expect no verdict"),
    code("C1105", "a file of tests that states something else"),
    code("C1106", "a file of tests that holds none"),
];

/// The code of this name.
pub fn find_code(name: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.code == name)
}
