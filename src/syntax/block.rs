//! What all statements share: a head with a name, a block of clauses, attributes, and the mistakes in these.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the rules of the grammar are a generated enum, not one of ours"
)]

use pest::iterators::Pair;

use super::ast::{Attribute, Key, Names, Word};
use super::error::SyntaxError;
use super::grammar::Rule;
use super::lexical::{absent, check_name, clause_help, unquote};
use crate::diag::Diagnostics;
use crate::source::{SourceFile, Span, Spanned};

/// What the functions of this stage hand down: the file that is read, and where mistakes go.
pub(super) struct Ctx<'a> {
    pub(super) file: &'a SourceFile,
    pub(super) diagnostics: &'a mut Diagnostics,
}

/// A statement taken apart: its name, and its clauses without those that were reported.
pub(super) struct Block<'i> {
    pub(super) name: Option<Word>,
    pub(super) head: Vec<Pair<'i, Rule>>,
    pub(super) clauses: Vec<Pair<'i, Rule>>,
    pub(super) attributes: Vec<Attribute>,
    /// True if something in it was reported.
    pub(super) broken: bool,
}

/// What a statement is called in messages, and the form of each of its clauses by its keyword.
pub(super) struct Form {
    pub(super) context: &'static str,
    pub(super) usages: &'static [(&'static str, &'static str)],
}

impl Ctx<'_> {
    /// Where a pair stands.
    pub(super) fn span(&self, pair: &Pair<Rule>) -> Span {
        let span = pair.as_span();
        self.file.span(span.start()..span.end())
    }

    /// A pair as a word.
    pub(super) fn word(&self, pair: &Pair<Rule>) -> Word {
        Spanned { node: pair.as_str().to_owned(), span: self.span(pair) }
    }

    /// The first word inside a pair that is of one of `rules`.
    pub(super) fn first(&self, pair: &Pair<Rule>, rules: &[Rule]) -> Option<Word> {
        let found = pair.clone().into_inner().find(|inner| rules.contains(&inner.as_rule()));
        found.map(|found| self.word(&found))
    }

    /// All words inside a pair that are of `rule`.
    pub(super) fn words(&self, pair: &Pair<Rule>, rule: Rule) -> Vec<Word> {
        let inner = pair.clone().into_inner().filter(|inner| inner.as_rule() == rule);
        inner.map(|inner| self.word(&inner)).collect()
    }

    /// The text of a clause: the content of its quotes, or its bare word.
    pub(super) fn text(&mut self, pair: &Pair<Rule>) -> Word {
        let mut tokens = pair.clone().into_inner().flatten();
        let Some(token) = tokens.find(|t| matches!(t.as_rule(), Rule::string | Rule::name)) else {
            return absent(self.span(pair));
        };
        let raw = self.word(&token);
        match token.as_rule() {
            Rule::string => Spanned { node: unquote(&raw, self.diagnostics), span: raw.span },
            _ => raw,
        }
    }

    /// A list with its exceptions.
    pub(super) fn names(&self, pair: &Pair<Rule>) -> Names {
        let list = pair.clone().into_inner().find(|inner| inner.as_rule() == Rule::names);
        let list = list.as_ref().unwrap_or(pair);
        let except = list.clone().into_inner().find(|inner| inner.as_rule() == Rule::except);
        Names {
            list: self.words(list, Rule::name),
            except: except.map(|except| self.words(&except, Rule::name)).unwrap_or_default(),
        }
    }

    /// Takes the strays that follow `first` off `rest`; they are one mistake.
    pub(super) fn stray_run<'i>(
        &self,
        first: &Pair<'i, Rule>,
        rest: &mut &[Pair<'i, Rule>],
    ) -> Vec<Pair<'i, Rule>> {
        let mut run = vec![first.clone()];
        while let [next, following @ ..] = *rest {
            if next.as_rule() != Rule::stray {
                break;
            }
            run.push(next.clone());
            *rest = following;
        }
        run
    }

    /// Reports a run of strays.
    pub(super) fn unexpected(&mut self, run: &[Pair<Rule>], context: &'static str, help: &str) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
        let open_text = run.iter().flat_map(|stray| stray.clone().into_inner());
        if let Some(text) = open_text.filter(|inner| inner.as_rule() == Rule::unclosed_string).last() {
            let span = self.span(&text);
            self.diagnostics.push(SyntaxError::UnclosedText { span });
            return;
        }
        let span = self.span(first).to(self.span(last));
        let text = first.as_str().to_owned();
        self.diagnostics.push(SyntaxError::Unexpected { text, span, context, help: help.to_owned() });
    }

    /// Takes a statement apart and reports what is wrong with its head, its end and its attributes.
    pub(super) fn block<'i>(&mut self, pair: &Pair<'i, Rule>, form: &Form, named: bool) -> Block<'i> {
        let errors = self.diagnostics.errors();
        let parts: Vec<Pair<Rule>> = pair.clone().into_inner().collect();
        let opened = parts.iter().position(|part| part.as_rule() == Rule::opened).unwrap_or(parts.len());
        let (head, body) = parts.split_at_checked(opened).unwrap_or((&parts, &[]));
        let name = head.iter().find(|part| part.as_rule() == Rule::name).map(|part| self.word(part));
        self.check_head(head, name.as_ref(), form, named);
        let [brace, body @ ..] = body else {
            return Block {
                name,
                head: head.to_vec(),
                clauses: Vec::new(),
                attributes: Vec::new(),
                broken: true,
            };
        };
        if body.last().is_none_or(|last| last.as_rule() != Rule::closed) {
            let end = self.span(pair);
            let end = Span::from_offsets(end.end_offset(), 0);
            let span = self.span(brace);
            self.diagnostics.push(SyntaxError::Unclosed { context: form.context, span, end });
        }
        let (clauses, attributes) = self.clauses(body, form);
        let broken = self.diagnostics.errors() > errors;
        Block { name, head: head.to_vec(), clauses, attributes, broken }
    }

    fn check_head(&mut self, head: &[Pair<Rule>], name: Option<&Word>, form: &Form, named: bool) {
        if let Some(name) = name {
            check_name(name, self.diagnostics);
        }
        let extra = head.iter().find(|part| part.as_rule() == Rule::extra);
        if let Some(extra) = extra {
            let span = self.span(extra);
            let text = extra.as_str().split_whitespace().next().unwrap_or_default().to_owned();
            let help = format!("the block `{{ ... }}` of the {} begins behind its name", form.context);
            let error = if name.is_none() {
                let help =
                    Some("it is a word of the language; choose another, such as one with a `_`".to_owned());
                SyntaxError::BadName {
                    name: text,
                    span,
                    problem: "cannot be used as a name".to_owned(),
                    help,
                }
            } else {
                SyntaxError::Unexpected { text, span, context: form.context, help }
            };
            self.diagnostics.push(error);
        } else if named && name.is_none() {
            let Some(keyword) = head.first() else { return };
            let span = self.span(keyword);
            self.diagnostics.push(SyntaxError::NoName { context: form.context, span });
        }
    }

    /// Sorts the clauses of a block into attributes and others, and reports strays and repeated attributes.
    fn clauses<'i>(&mut self, body: &[Pair<'i, Rule>], form: &Form) -> (Vec<Pair<'i, Rule>>, Vec<Attribute>) {
        let (mut clauses, mut attributes): (Vec<_>, Vec<Attribute>) = (Vec::new(), Vec::new());
        let mut rest = body;
        while let [clause, following @ ..] = rest {
            rest = following;
            if clause.as_rule() == Rule::stray {
                let run = self.stray_run(clause, &mut rest);
                let help = clause_help(clause.as_str(), form.context, form.usages);
                self.unexpected(&run, form.context, &help);
            } else if let Some(attribute) = self.attribute(clause) {
                self.add_attribute(attribute, &mut attributes);
            } else if clause.as_rule() != Rule::closed {
                clauses.push(clause.clone());
            }
        }
        (clauses, attributes)
    }

    /// A clause as an attribute, if it is one.
    pub(super) fn attribute(&mut self, clause: &Pair<Rule>) -> Option<Attribute> {
        let key = match clause.as_rule() {
            Rule::owner => Key::Owner,
            Rule::phi => Key::Phi,
            Rule::criticality => Key::Criticality,
            Rule::risk => Key::Risk,
            Rule::tier => Key::Tier,
            Rule::vlan => Key::Vlan,
            Rule::note => Key::Note,
            Rule::reason => Key::Reason,
            Rule::ticket => Key::Ticket,
            Rule::approval => Key::Approval,
            Rule::until => Key::Until,
            Rule::supported => Key::SupportedUntil,
            _ => return None,
        };
        Some(Attribute { key, value: self.text(clause), span: self.span(clause) })
    }

    /// Keeps an attribute, or reports it if it was said before.
    pub(super) fn add_attribute(&mut self, attribute: Attribute, attributes: &mut Vec<Attribute>) {
        match attributes.iter().find(|known| known.key == attribute.key) {
            Some(known) => self.diagnostics.push(SyntaxError::Twice {
                clause: attribute.key.keyword(),
                span: attribute.span,
                first: known.span,
            }),
            None => attributes.push(attribute),
        }
    }

    /// The first place where a clause of `rule` stands; a second one is reported.
    pub(super) fn flag(&mut self, clauses: &[Pair<Rule>], rule: Rule, clause: &'static str) -> Option<Span> {
        let mut places = clauses.iter().filter(|pair| pair.as_rule() == rule).map(|pair| self.span(pair));
        let first = places.next();
        if let (Some(first), Some(span)) = (first, places.next()) {
            self.diagnostics.push(SyntaxError::Twice { clause, span, first });
        }
        first
    }
}
