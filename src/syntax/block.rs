//! What all statements share: a head with a name, a block of clauses, attributes, and the mistakes in these.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the rules of the grammar are a generated enum, not one of ours"
)]

use pest::iterators::Pair;

use super::ast::{Attribute, Key, Names, Word};
use super::error::SyntaxError;
use super::grammar::Rule;
use super::lexical::{absent, check_name, clause_help, not_a_name, symbol_help, unquote};
use crate::diag::{Diagnostics, did_you_mean};
use crate::edit::Edit;
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
    /// What it takes besides clauses, for messages.
    pub(super) also: &'static str,
    pub(super) usages: &'static [(&'static str, &'static str)],
}

impl Form {
    /// The form of the clause that `keyword` begins.
    pub(super) fn usage(&self, keyword: &str) -> Option<&'static str> {
        let keyword = if keyword == "host" { "hosts" } else { keyword };
        self.usages.iter().find(|(known, _)| *known == keyword).map(|(_, usage)| *usage)
    }

    /// The keyword that may be meant by a word.
    pub(super) fn usage_like(&self, word: &str) -> Option<&'static str> {
        did_you_mean(word, self.usages.iter().map(|(keyword, _)| *keyword))
    }
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

    /// True if a character that may not stand in a policy stands in `span`, or touches it. That was reported, and what
    /// else is wrong there follows from it.
    pub(super) fn hides(&self, span: Span) -> bool {
        let start = self.file.span(0..0).start();
        let forbidden = self.file.forbidden();
        let next = forbidden.partition_point(|(offset, c)| start + offset + c.len_utf8() < span.start());
        forbidden.get(next).is_some_and(|(offset, _)| start + offset <= span.end_offset())
    }

    /// True if no line ends between two pairs.
    pub(super) fn on_one_line(&self, one: &Pair<Rule>, other: &Pair<Rule>) -> bool {
        let between = self.file.text().get(one.as_span().end()..other.as_span().start());
        between.is_some_and(|between| !between.contains('\n'))
    }

    /// Takes the strays that follow `first` off `rest`, as far as they are one mistake: up to a line that begins with
    /// a word for which `begins` holds, or that follows on nothing but a mark.
    pub(super) fn stray_run<'i>(
        &self,
        first: &Pair<'i, Rule>,
        rest: &mut &[Pair<'i, Rule>],
        begins: impl Fn(&str) -> bool,
    ) -> Vec<Pair<'i, Rule>> {
        let is_mark =
            |stray: &Pair<Rule>| stray.clone().into_inner().all(|inner| inner.as_rule() == Rule::symbol);
        let mut run = vec![first.clone()];
        let mut last = first.clone();
        let mut only_marks = is_mark(first);
        while let [next, following @ ..] = *rest {
            let apart = || !self.on_one_line(&last, next) && (only_marks || begins(next.as_str()));
            if next.as_rule() != Rule::stray || apart() {
                break;
            }
            only_marks &= is_mark(next);
            last = next.clone();
            run.push(next.clone());
            *rest = following;
        }
        run
    }

    /// The first words of a run of strays: enough of it to see the place.
    fn first_words(&self, run: &[Pair<Rule>]) -> Option<Span> {
        const SHOWN: usize = 12;
        let first = run.first()?;
        let one_line = run.windows(2).take(SHOWN).take_while(|pair| match pair {
            [one, other] => self.on_one_line(one, other),
            _ => false,
        });
        let last = run.get(one_line.count())?;
        Some(self.span(first).to(self.span(last)))
    }

    /// Reports a run of strays of which no more can be said than that it does not fit.
    pub(super) fn unexpected(&mut self, run: &[Pair<Rule>], place: &str, help: &str) {
        let (Some(span), Some(first)) = (self.first_words(run), run.first()) else { return };
        if self.character_problem(run, span, place) {
            return;
        }
        let (text, place, help) = (first.as_str().to_owned(), place.to_owned(), help.to_owned());
        self.diagnostics.push(SyntaxError::Unexpected { text, span, place, help });
    }

    /// Reports a run of strays that begins with a keyword of this place.
    pub(super) fn unreadable(&mut self, run: &[Pair<Rule>], form: &'static str) {
        let (Some(span), Some(first)) = (self.first_words(run), run.first()) else { return };
        if self.character_problem(run, span, "not a part of the language") {
            return;
        }
        self.diagnostics.push(SyntaxError::Unreadable { word: first.as_str().to_owned(), span, form });
    }

    /// True if single characters are what is wrong with a run of strays; then that is reported.
    fn character_problem(&mut self, run: &[Pair<Rule>], span: Span, place: &str) -> bool {
        let tokens: Vec<Pair<Rule>> = run.iter().flat_map(|stray| stray.clone().into_inner()).collect();
        if let Some(text) = tokens.iter().rfind(|token| token.as_rule() == Rule::unclosed_string) {
            let span = self.span(text);
            self.diagnostics.push(SyntaxError::UnclosedText { span });
            return true;
        }
        if self.hides(span) {
            return true;
        }
        let symbols = tokens.iter().filter(|token| token.as_rule() == Rule::symbol);
        let mut said: Vec<&str> = Vec::new();
        for symbol in symbols {
            let Some(help) = symbol_help(symbol.as_str()).filter(|help| !said.contains(help)) else {
                continue;
            };
            said.push(help);
            let text = match symbol.as_str() {
                blank if blank.trim().is_empty() => {
                    blank.chars().map(|c| format!("U+{:04X}", u32::from(c))).collect()
                }
                visible => visible.to_owned(),
            };
            let (span, place, help) = (self.span(symbol), place.to_owned(), help.to_owned());
            self.diagnostics.push(SyntaxError::Unexpected { text, span, place, help });
        }
        !said.is_empty()
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
        if body.last().is_none_or(|last| last.as_rule() != Rule::closed) && !body.iter().any(swallows_end) {
            let end = self.span(pair);
            let end = Span::from_offsets(end.end_offset(), 0);
            let span = self.span(brace);
            self.diagnostics.push(SyntaxError::Unclosed { context: form.context, span, end });
        }
        let (clauses, attributes) = self.clauses(body, form);
        let broken = self.diagnostics.errors() > errors || self.hides(self.span(pair));
        Block { name, head: head.to_vec(), clauses, attributes, broken }
    }

    fn check_head(&mut self, head: &[Pair<Rule>], name: Option<&Word>, form: &Form, named: bool) {
        if let Some(name) = name.filter(|name| !self.hides(name.span)) {
            check_name(name, self.diagnostics);
        }
        let extra = head.iter().find(|part| part.as_rule() == Rule::extra);
        if let Some(extra) = extra {
            let span = self.span(extra);
            let first = extra.clone().into_inner().next().map_or(",", |first| first.as_str());
            if self.hides(span) {
                return;
            }
            self.diagnostics.push(if name.is_none() {
                not_a_name(first, span)
            } else {
                let help = format!("the block `{{ ... }}` of the {} begins behind its name", form.context);
                let place = format!("behind the name of this {}", form.context);
                SyntaxError::Unexpected { text: first.to_owned(), span, place, help }
            });
        } else if named && name.is_none() {
            let Some(keyword) = head.first() else { return };
            let span = self.span(keyword);
            self.diagnostics.push(SyntaxError::NoName { context: form.context, span });
        }
    }

    /// Sorts the clauses of a block into attributes and others, and reports strays and repeated attributes.
    fn clauses<'i>(&mut self, body: &[Pair<'i, Rule>], form: &Form) -> (Vec<Pair<'i, Rule>>, Vec<Attribute>) {
        let (mut clauses, mut attributes): (Vec<_>, Vec<Attribute>) = (Vec::new(), Vec::new());
        let mut behind_list = false;
        let mut rest = body;
        while let [clause, following @ ..] = rest {
            rest = following;
            if clause.as_rule() == Rule::stray {
                let run = self.stray_run(clause, &mut rest, |word| form.usage_like(word).is_some());
                self.stray_clause(&run, form, behind_list);
            } else if let Some(attribute) = self.attribute(clause) {
                self.check_place(&attribute, form);
                self.add_attribute(attribute, &mut attributes);
            } else if clause.as_rule() != Rule::closed {
                clauses.push(clause.clone());
            }
            behind_list = is_list(clause.as_rule());
        }
        (clauses, attributes)
    }

    /// Reports an attribute by which others are judged where it would be passed over.
    fn check_place(&mut self, attribute: &Attribute, form: &Form) {
        let keyword = attribute.key.keyword();
        if !matches!(attribute.key, Key::Phi | Key::Trust | Key::Role) || form.usage(keyword).is_some() {
            return;
        }
        let (text, span) = (keyword.to_owned(), attribute.span);
        let (place, help) = (format!("in this {}", form.context), clause_help(keyword, form));
        self.diagnostics.push(SyntaxError::Unexpected { text, span, place, help });
    }

    fn stray_clause(&mut self, run: &[Pair<Rule>], form: &Form, behind_list: bool) {
        let word = run.first().map_or("", |first| first.as_str());
        if let Some(usage) = form.usage(word) {
            return self.unreadable(run, usage);
        }
        let mut help = clause_help(word, form);
        if behind_list && form.usage_like(word).is_none() {
            help = format!("a `,` joins the entries of a list; {help}");
        }
        self.unexpected(run, &format!("in this {}", form.context), &help);
    }

    /// A clause as an attribute, if it is one.
    pub(super) fn attribute(&mut self, clause: &Pair<Rule>) -> Option<Attribute> {
        let key = match clause.as_rule() {
            Rule::owner => Key::Owner,
            Rule::phi => Key::Phi,
            Rule::criticality => Key::Criticality,
            Rule::risk => Key::Risk,
            Rule::trust => Key::Trust,
            Rule::role => Key::Role,
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
            Some(known) => {
                let (clause, span, first) = (attribute.key.keyword(), attribute.span, known.span);
                // Two values are a choice.
                let is_same = attribute.value.node == known.value.node;
                let fix = if is_same { vec![Edit::removal(span)] } else { Vec::new() };
                self.diagnostics.push_with_fix(SyntaxError::Twice { clause, span, first }, fix);
            }
            None => attributes.push(attribute),
        }
    }

    /// The first place where a clause of `rule` stands; a second one is reported.
    pub(super) fn flag(&mut self, clauses: &[Pair<Rule>], rule: Rule, clause: &'static str) -> Option<Span> {
        let mut meant = clauses.iter().filter(|pair| pair.as_rule() == rule);
        let first = meant.next()?;
        if let Some(again) = meant.next() {
            let (span, first_span) = (self.span(again), self.span(first));
            // Two values are a choice.
            let is_same = again.as_str() == first.as_str();
            let fix = if is_same { vec![Edit::removal(span)] } else { Vec::new() };
            self.diagnostics.push_with_fix(SyntaxError::Twice { clause, span, first: first_span }, fix);
        }
        Some(self.span(first))
    }
}

/// True for clauses that end in a list.
fn is_list(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::net
            | Rule::hosts
            | Rule::names
            | Rule::from
            | Rule::to
            | Rule::via
            | Rule::reaches
            | Rule::reached_by
            | Rule::isolate
            | Rule::interface
            | Rule::protocol_ports
    )
}

/// True for a text without its end that took the end of the block with it.
fn swallows_end(pair: &Pair<Rule>) -> bool {
    let inner = || pair.clone().into_inner();
    pair.as_rule() == Rule::stray
        && inner().any(|token| token.as_rule() == Rule::unclosed_string && token.as_str().contains('}'))
}
