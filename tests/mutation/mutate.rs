//! Small changes of a config, of the kind that a slip of a program or of a hand makes. They are drawn from a seed, so
//! that a number names a change for good.

use std::ops::Range;

use crate::random::Dice;

/// Words with those that they are changed to.
pub(super) type Words = &'static [(&'static str, &'static str)];

pub(super) const NFTABLES: Words = &[
    ("accept", "drop"),
    ("drop", "accept"),
    ("drop", "return"),
    ("goto", "jump"),
    ("jump", "goto"),
    ("saddr", "daddr"),
    ("daddr", "saddr"),
    ("iifname", "oifname"),
    ("oifname", "iifname"),
    ("sport", "dport"),
    ("dport", "sport"),
    ("tcp", "udp"),
    ("udp", "tcp"),
    ("tcp", "sctp"),
    ("!= ", ""),
    ("established", "new"),
    ("related", "established"),
    ("invalid", "untracked"),
    ("denied", "related"),
    ("echo-request", "echo-reply"),
    ("nd-neighbor-solicit", "nd-redirect"),
    ("icmp", "icmpv6"),
    ("v4", "v6"),
    ("ip", "ip6"),
    ("hoplimit 255", ""),
    ("forward", "input"),
    ("pairs", "arrivals"),
    ("-", ","),
];

pub(super) const IPTABLES: Words = &[
    ("ACCEPT", "DROP"),
    ("DROP", "ACCEPT"),
    ("DROP", "RETURN"),
    ("-g", "-j"),
    ("-j", "-g"),
    ("-s", "-d"),
    ("-d", "-s"),
    ("-i", "-o"),
    ("-o", "-i"),
    ("src", "dst"),
    ("dst", "src"),
    ("tcp", "udp"),
    ("udp", "tcp"),
    ("tcp", "sctp"),
    ("ESTABLISHED", "NEW"),
    ("RELATED", "ESTABLISHED"),
    ("INVALID", "UNTRACKED"),
    ("dports", "sports"),
    ("sports", "dports"),
    ("FORWARD", "INPUT"),
    ("INPUT", "FORWARD"),
    ("-A", "-I"),
    ("! ", ""),
    ("-s", "! -s"),
    (",", ":"),
    ("mangle", "raw"),
    ("hash:ip", "hash:net"),
    ("nomatch", ""),
    ("-m hl --hl-eq 255", ""),
];

pub(super) const CISCO: Words = &[
    ("permit", "deny"),
    ("deny", "permit"),
    ("in", "out"),
    ("out", "in"),
    ("eq", "gt"),
    ("eq", "neq"),
    ("eq", "lt"),
    ("tcp", "udp"),
    ("udp", "tcp"),
    ("established", ""),
    ("established", "log"),
    ("log", "established"),
    ("log", ""),
    ("echo", "echo-reply"),
    ("echo-reply", "echo"),
    ("echo-request", "echo-reply"),
    ("unreachable", ""),
    ("ip", "tcp"),
    ("ipv6", "udp"),
    ("any", "host 10.1.0.3"),
    ("range", "eq"),
    ("IN", "OUT"),
    ("4", "6"),
    ("remark", "permit"),
];

pub(super) const PFSENSE: Words = &[
    ("pass", "block"),
    ("block", "pass"),
    ("inet", "inet6"),
    ("inet6", "inet"),
    ("inet", "inet46"),
    ("<not></not>", ""),
    ("<any></any>", "<network>(self)</network>"),
    ("<network>(self)</network>", "<any></any>"),
    ("<log></log>", ""),
    ("<log></log>", "<disabled></disabled>"),
    ("<tcpflags_any></tcpflags_any>", ""),
    ("<statetype>", "<tcpflags_any></tcpflags_any><statetype>"),
    ("keep state", "none"),
    ("tcp", "udp"),
    ("udp", "tcp"),
    ("tcp", "tcp/udp"),
    ("<protocol>tcp</protocol>", ""),
    ("echoreq", "echorep"),
    ("<icmptype>echoreq</icmptype>", ""),
    ("network", "host"),
    ("port", "host"),
    ("<log></log>", "<floating>yes</floating>"),
];

/// One change of one file.
pub(super) struct Mutant {
    /// The place of the file.
    pub(super) file: usize,
    pub(super) text: String,
    /// What was done.
    pub(super) what: String,
}

/// A file with the places where it can be changed.
pub(super) struct Subject {
    text: String,
    /// Lines and whole elements, by their bytes.
    units: Vec<Range<usize>>,
    /// Digits outside of comment lines.
    digits: Vec<usize>,
    /// For each pair of words that is there, the word's places with what stands there then.
    words: Vec<(Vec<Range<usize>>, String)>,
}

impl Subject {
    /// `names` are interfaces, each of which may be taken for the next.
    pub(super) fn new(text: &str, words: Words, names: &[String]) -> Self {
        let lines: Vec<Range<usize>> = lines(text);
        let digits = lines.iter().flat_map(|line| line.clone());
        let digits = digits.filter(|place| text.as_bytes()[*place].is_ascii_digit()).collect();
        let next = names.iter().zip(names.iter().cycle().skip(1));
        let pairs = words.iter().map(|(old, new)| (*old, *new));
        let pairs = pairs.chain(next.map(|(old, new)| (old.as_str(), new.as_str())));
        let found = pairs.map(|(old, new)| (places(text, &lines, old), new.to_owned()));
        let words = found.filter(|(places, _)| !places.is_empty()).collect();
        let mut units = lines;
        for element in ["rule", "alias"] {
            let (open, close) = (format!("\t<{element}>"), format!("</{element}>\n"));
            let starts = text.match_indices(&open).map(|(start, _)| start);
            let whole: Vec<Range<usize>> = starts
                .map(|start| start..start + text[start..].find(&close).unwrap() + close.len())
                .collect();
            // Lines of elements by far outnumber the elements.
            for _ in 0..10 {
                units.extend_from_slice(&whole);
            }
        }
        Subject { text: text.to_owned(), units, digits, words }
    }

    /// How much there is to change.
    pub(super) fn size(&self) -> usize {
        self.units.len()
    }

    /// A change of this file.
    pub(super) fn mutant(&self, file: usize, dice: &mut Dice) -> Mutant {
        let (text, what) = match dice.below(8) {
            0 => self.replaced(dice.pick(&self.units), ""),
            1 => {
                let unit = dice.pick(&self.units);
                let twice = self.text[unit.clone()].repeat(2);
                self.replaced(unit, &twice)
            }
            2 => self.swapped(dice),
            3..=5 if !self.digits.is_empty() => {
                let place = *dice.pick(&self.digits);
                let old = usize::from(self.text.as_bytes()[place] - b'0');
                let new = (old + 1 + dice.below(9)) % 10;
                self.replaced(&(place..place + 1), &new.to_string())
            }
            _ if self.words.is_empty() => self.replaced(dice.pick(&self.units), ""),
            _ => {
                let (places, new) = dice.pick(&self.words);
                self.replaced(dice.pick(places), new)
            }
        };
        Mutant { file, text, what }
    }

    fn replaced(&self, place: &Range<usize>, new: &str) -> (String, String) {
        let text = [&self.text[..place.start], new, &self.text[place.end..]].concat();
        let start = self.text[..place.start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        let old = &self.text[place.clone()];
        (text, format!("in `{}`: {old:?} became {new:?}", line.trim()))
    }

    /// Swaps a unit with the next of its kind, or with one farther on.
    fn swapped(&self, dice: &mut Dice) -> (String, String) {
        let one = dice.below(self.units.len());
        let farther = if dice.below(2) == 0 { 1 } else { 1 + dice.below(30) };
        let (one, other) = (&self.units[one], &self.units[(one + farther) % self.units.len()]);
        let (one, other) = if one.start <= other.start { (one, other) } else { (other, one) };
        if one.end > other.start {
            return self.replaced(one, "");
        }
        let part = |range: Range<usize>| &self.text[range];
        let (first, second) = (part(one.clone()), part(other.clone()));
        let text =
            [part(0..one.start), second, part(one.end..other.start), first, &self.text[other.end..]].concat();
        (text, format!("{first:?} was swapped with {second:?}"))
    }
}

/// How lines start that say nothing, or name something for people only.
const REMARKS: [&str; 7] = ["#", "!", "remark ", "<tracker>", "<descr>", "<id>", "<detail>"];

/// Lines that say something.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let all = text.split_inclusive('\n').map(|line| {
        let range = start..start + line.len();
        start = range.end;
        range
    });
    let says = |line: &Range<usize>| {
        let line = text[line.clone()].trim();
        let is_remark = REMARKS.iter().any(|start| line.starts_with(start));
        !line.is_empty() && !is_remark
    };
    all.filter(says).collect()
}

/// Where a word stands as a word of its own.
fn places(text: &str, lines: &[Range<usize>], word: &str) -> Vec<Range<usize>> {
    let bounded = |c: char| c.is_ascii_alphanumeric();
    let mut found = Vec::new();
    for line in lines {
        for (place, _) in text[line.clone()].match_indices(word) {
            let range = line.start + place..line.start + place + word.len();
            let before = text[..range.start].chars().next_back().is_some_and(bounded);
            let after = text[range.end..].chars().next().is_some_and(bounded);
            if !(before && word.starts_with(bounded) || after && word.ends_with(bounded)) {
                found.push(range);
            }
        }
    }
    found
}
