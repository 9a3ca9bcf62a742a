//! The elements of a config, as pfSense's own parser sees them.
//!
//! In: the text of a file. Out: a tree of [`Element`]s with the lines that they start in, and what pfSense would refuse
//! about it. Facts are from `src/etc/inc/xmlparse.inc`: names of elements are read in any case and attributes not at all
//! (`startElement`); line breaks and tabs around a text are cut off, and text within CDATA is decoded once more (`cData`),
//! because it is encoded there when it is written (`dump_xml_config_sub`); an element that is no list and stands twice
//! under one parent refuses the file.

use std::collections::BTreeMap;

use roxmltree::{Document, Node, ParsingOptions};

use super::super::model::Mistake;
use super::super::place::LineIndex;
use super::report::Report;

/// How deep elements may be nested. The deepest of pfSense's own are nine deep.
const DEPTH_MAX: usize = 64;

/// Elements that may stand more than once under one parent (`listtags`, xmlparse.inc).
const LISTS: &[&str] = &[
    "acls",
    "alias",
    "aliasurl",
    "allowedhostname",
    "allowedip",
    "authserver",
    "bridged",
    "build_port_path",
    "ca",
    "cacert",
    "cert",
    "checkipservice",
    "clone",
    "columnitem",
    "config",
    "container",
    "crl",
    "depends_on_package",
    "disk",
    "dnsserver",
    "dnsupdate",
    "domainoverrides",
    "dyndns",
    "earlyshellcmd",
    "element",
    "encryption-algorithm-option",
    "field",
    "fieldname",
    "gateway_group",
    "gateway_item",
    "gif",
    "gre",
    "group",
    "hash-algorithm-option",
    "hosts",
    "ifgroupentry",
    "igmpentry",
    "interface_array",
    "item",
    "key",
    "l7rules",
    "lagg",
    "laggroup",
    "lbaction",
    "lbpool",
    "lbprotocol",
    "member",
    "menu",
    "mobilegroup",
    "mobilekey",
    "monitor_type",
    "mount",
    "npt",
    "ntpserver",
    "onetoone",
    "openvpn-client",
    "openvpn-csc",
    "openvpn-server",
    "option",
    "package",
    "pages",
    "passthrumac",
    "phase1",
    "phase2",
    "pipe",
    "pool",
    "ppp",
    "pppoe",
    "priv",
    "proxyarpnet",
    "qinqentry",
    "queue",
    "radnsserver",
    "roll",
    "route",
    "row",
    "rrddatafile",
    "rule",
    "schedule",
    "servernat",
    "servers",
    "serversdisabled",
    "service",
    "shellcmd",
    "sshkeyfile",
    "staticmap",
    "subqueue",
    "switch",
    "swport",
    "tab",
    "timerange",
    "tunnel",
    "user",
    "vip",
    "virtual_server",
    "vlan",
    "vlangroup",
    "voucherdbfile",
    "vxlan",
    "wgpeer",
    "widget",
    "winsserver",
    "wolentry",
    "xmldatafile",
];

/// An element.
#[derive(Clone, Debug, Default)]
pub(super) struct Element {
    /// Its name, in small letters.
    pub(super) name: String,
    /// The line that it starts in, counted from one.
    pub(super) line: usize,
    /// Its text, decoded. Empty if it has elements.
    pub(super) text: String,
    /// The elements below it.
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The first element of a name below this one.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// True if there is an element of that name: pfSense's way to say yes.
    pub(super) fn has(&self, name: &str) -> bool {
        self.child(name).is_some()
    }

    /// The text of the element of that name, or nothing.
    pub(super) fn value(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.as_str())
    }

    /// All elements of a name.
    pub(super) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// True if there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.children.is_empty()
    }
}

/// A file: its root, and what pfSense would refuse about its form.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// The root.
    pub(super) root: Element,
    /// What is wrong with its form. It counts only if the file is a config of pfSense.
    pub(super) mistakes: Vec<Mistake>,
}

/// Reads a file. A text that is no XML is a mistake, and nothing comes of it.
pub(super) fn parse(text: &str, report: &mut Report) -> Option<File> {
    let index = LineIndex::new(text);
    if let Some(place) = too_deep(text) {
        report.mistake(index.line_of(place), format!("elements are nested deeper than {DEPTH_MAX}"));
        return None;
    }
    let document = match Document::parse_with_options(text, ParsingOptions::default()) {
        Ok(document) => document,
        Err(error) => {
            let line = usize::try_from(error.pos().row).unwrap_or(1);
            report.mistake(line.max(1), format!("this is not XML that pfSense reads: {}", said(&error)));
            return None;
        }
    };
    let mut mistakes = Vec::new();
    let root = element(document.root_element(), text, &index, &mut mistakes);
    Some(File { root, mistakes })
}

/// What the parser says, without its place and in small letters.
fn said(error: &roxmltree::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at ").next().unwrap_or(&text).trim_end_matches('.');
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

/// The place of the first element that is nested too deep. The parser of XML is not asked before, because it may go as
/// deep as the text does.
fn too_deep(text: &str) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(step) = text.get(at..).and_then(|rest| rest.find('<')) {
        let start = at + step;
        let rest = text.get(start..).unwrap_or("");
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">")]
            .into_iter()
            .find(|(open, _)| rest.starts_with(open));
        if let Some((open, close)) = skipped {
            let inside = rest.get(open.len()..).unwrap_or("");
            at = start + open.len() + inside.find(close).map_or(inside.len(), |end| end + close.len());
            continue;
        }
        let length = tag_length(rest);
        at = start + length;
        let tag = rest.get(..length).unwrap_or(rest);
        if tag.starts_with("</") {
            depth = depth.saturating_sub(1);
        } else if !tag.ends_with("/>") {
            depth += 1;
            if depth > DEPTH_MAX {
                return Some(start);
            }
        }
    }
    None
}

/// How long a tag is, with its brackets. A bracket within quotes does not end it.
fn tag_length(text: &str) -> usize {
    let mut quote = None;
    for (place, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return place + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None | Some(_), _) => {}
        }
    }
    text.len()
}

fn element(node: Node<'_, '_>, text: &str, index: &LineIndex, mistakes: &mut Vec<Mistake>) -> Element {
    let line = index.line_of(node.range().start);
    let name = node.tag_name().name().to_ascii_lowercase();
    if node.tag_name().namespace().is_some() {
        note(mistakes, line, format!("`{name}` has a namespace, which configs of pfSense do not"));
    }
    let children: Vec<Element> =
        node.children().filter(Node::is_element).map(|child| element(child, text, index, mistakes)).collect();
    twice(&children, mistakes);
    let own = leaf_text(node, text, line, mistakes);
    if !children.is_empty() && !own.trim().is_empty() {
        note(mistakes, line, format!("`{name}` holds both text and elements"));
    }
    let own = if children.is_empty() { own } else { String::new() };
    Element { name, line, text: own, children }
}

fn note(mistakes: &mut Vec<Mistake>, line: usize, what: String) {
    mistakes.push(Mistake { line, what });
}

/// Reports elements that stand twice and are no lists.
fn twice(children: &[Element], mistakes: &mut Vec<Mistake>) {
    if children.len() < 2 {
        return;
    }
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for child in children {
        if LISTS.binary_search(&child.name.as_str()).is_ok() {
            continue;
        }
        if let Some(line) = first.insert(&child.name, child.line) {
            note(
                mistakes,
                child.line,
                format!(
                    "`{}` stands here a second time, first in line {line}: pfSense refuses the file",
                    child.name
                ),
            );
        }
    }
}

/// The text of an element, decoded as pfSense does.
fn leaf_text(node: Node<'_, '_>, text: &str, line: usize, mistakes: &mut Vec<Mistake>) -> String {
    let mut whole = String::new();
    for part in node.children().filter(Node::is_text) {
        let written = written(node, part, text);
        let decoded = part.text().unwrap_or("");
        match sole_cdata(written) {
            Some(inside) => whole.push_str(&decode(trimmed(inside))),
            None if written.contains("<![CDATA[") => {
                note(mistakes, line, "text and CDATA are mixed here".to_owned());
            }
            None => whole.push_str(trimmed(decoded)),
        }
    }
    // A text of spaces is none (`cData`).
    if whole.trim_matches(' ').is_empty() { String::new() } else { whole }
}

/// What stands in the file for a text: up to the next node, or to the end of the element.
fn written<'t>(node: Node<'_, '_>, part: Node<'_, '_>, text: &'t str) -> &'t str {
    let start = part.range().start;
    let end = match part.next_sibling() {
        Some(next) => next.range().start,
        None => text.get(..node.range().end).and_then(|until| until.rfind("</")).unwrap_or(node.range().end),
    };
    text.get(start..end.max(start)).unwrap_or("")
}

/// What is in the only CDATA section of a text that has nothing else.
fn sole_cdata(written: &str) -> Option<&str> {
    let written = written.trim();
    let inside = written.strip_prefix("<![CDATA[")?.strip_suffix("]]>")?;
    (!inside.contains("]]>")).then_some(inside)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(['\t', '\n', '\r'])
}

/// Decodes entities once. Those that both pfSense 2.7.2 and its successors know are decoded; others stay as they are.
fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let found = after.split_once(';').and_then(|(name, behind)| entity(name).map(|char| (char, behind)));
        match found {
            Some((char, behind)) => {
                decoded.push(char);
                rest = behind;
            }
            None => {
                decoded.push('&');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?).filter(|char| !char.is_control())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LISTS, decode, tag_length, too_deep};

    #[test]
    fn lists_can_be_searched() {
        assert!(LISTS.is_sorted());
    }

    #[test]
    fn entities_are_decoded_once() {
        assert_eq!(decode("a &amp;amp; &lt;b&#62; &eacute; & c;"), "a &amp; <b> &eacute; & c;");
    }

    #[test]
    fn depth_counts_tags_only() {
        assert_eq!(tag_length("<a b='>' >c"), 10);
        let deep = |count: usize| "<a>".repeat(count);
        assert_eq!(too_deep(&deep(64)), None);
        assert_eq!(too_deep(&deep(65)), Some(64 * 3));
        assert_eq!(too_deep(&"<a></a><b/><!--<a>--><![CDATA[<a>]]>".repeat(200)), None);
        assert_eq!(too_deep("<!--"), None);
    }
}
