//! Which names hold what a message says, and what is to be told of each expression.

use std::collections::{HashMap, HashSet};

use super::content::Said;
use super::expr::{Argument, Expr, Step, StepKind};
use super::fold::{self, Constants};
use super::lexer::Piece;
use super::statement::{Code, read};
use super::{TemplateIssue, TemplateLevel, words};

/// How many texts a name is followed through.
const TEXTS_OF_A_NAME: usize = 64;

/// Receives line, level, issue and what was found.
pub(super) type Found<'f> = dyn FnMut(usize, TemplateLevel, TemplateIssue, &str) + 'f;

/// What is known of a template's names. Macros have names of their own; apart from that, a name that holds content anywhere
/// holds it everywhere.
pub(super) struct Reader {
    /// Each with the scope that it is in.
    code: Vec<(usize, Code)>,
    pub(super) constants: Constants,
    /// The template's own names, then those of each macro.
    scopes: Vec<Scope>,
    /// The scope of what is looked at.
    now: usize,
    /// The scopes of macros, by their names.
    macros: HashMap<String, usize>,
}

#[derive(Default)]
struct Scope {
    /// The macro's parameters, in their order.
    parameters: Vec<String>,
    /// Names that mean nothing outside: the parameters, and those that it sets.
    own: HashSet<String>,
    /// What names hold, where it is something.
    said: HashMap<String, Said>,
}

impl Reader {
    pub(super) fn new(pieces: &[Piece<'_>]) -> Self {
        let global =
            Scope { said: HashMap::from([("messages".to_owned(), Said::Messages)]), ..Scope::default() };
        let mut reader = Self {
            code: Vec::new(),
            constants: HashMap::new(),
            scopes: vec![global],
            now: 0,
            macros: HashMap::new(),
        };
        pieces.iter().flat_map(read).for_each(|code| reader.place(code));
        // What flows from name to name is known after as many rounds as there are names on the way; few are enough.
        for _ in 0..4 {
            let known = reader.known();
            reader.learn();
            if known == reader.known() {
                break;
            }
        }
        reader
    }

    /// Puts a statement into its scope.
    fn place(&mut self, code: Code) {
        if let Code::Macro(name, parameters) = &code {
            let parameters: Vec<String> = parameters.iter().map(|(name, _)| name.clone()).collect();
            self.now = self.scopes.len();
            self.macros.insert(name.clone(), self.now);
            let own = parameters.iter().cloned().collect();
            self.scopes.push(Scope { parameters, own, ..Scope::default() });
        }
        if let (Code::Set(names, _) | Code::For(names, ..), Some(scope)) =
            (&code, self.scopes.get_mut(self.now))
        {
            scope.own.extend(names.iter().cloned());
        }
        let ends = matches!(code, Code::EndMacro);
        self.code.push((self.now, code));
        if ends {
            self.now = 0;
        }
    }

    fn known(&self) -> (usize, usize) {
        let weights = self.scopes.iter().flat_map(|scope| scope.said.values()).map(|said| *said as usize + 1);
        (weights.sum(), self.constants.values().map(Vec::len).sum())
    }

    /// What a name holds of the messages.
    pub(super) fn named(&self, name: &str) -> Option<Said> {
        let (global, scope) = (self.scopes.first()?, self.scopes.get(self.now)?);
        match scope.said.get(name) {
            Some(said) => Some(*said),
            None if scope.own.contains(name) => None,
            None => global.said.get(name).copied(),
        }
    }

    fn learn(&mut self) {
        let code = std::mem::take(&mut self.code);
        let mut captures: Vec<&str> = Vec::new();
        for (scope, one) in &code {
            self.now = *scope;
            match one {
                Code::Plain(all) => {
                    let said = all.iter().filter_map(|expr| self.said(expr)).max();
                    if let (Some(name), Some(said)) = (captures.last(), said) {
                        self.holds(self.now, name, said);
                    }
                    all.iter().for_each(|expr| self.learn_calls(expr));
                }
                Code::Set(names, value) => {
                    self.learn_calls(value);
                    self.give(names, value);
                }
                Code::For(names, value, _) => {
                    self.learn_calls(value);
                    if let Some(said) = self.said(value).map(Said::element) {
                        names.iter().for_each(|name| self.holds(self.now, name, said));
                    }
                    self.keep(names, &fold::texts(value, &self.constants));
                }
                Code::Capture(name) => captures.push(name),
                Code::EndCapture => drop(captures.pop()),
                Code::Macro(_, parameters) => {
                    for (parameter, default) in parameters {
                        if let Some(default) = default {
                            self.give(std::slice::from_ref(parameter), default);
                        }
                    }
                }
                Code::EndMacro | Code::Load(..) | Code::Unreadable(..) => {}
            }
        }
        self.code = code;
    }

    fn give(&mut self, names: &[String], value: &Expr) {
        if let Some(said) = self.said(value) {
            names.iter().for_each(|name| self.holds(self.now, name, said));
        }
        self.keep(names, &fold::texts(value, &self.constants));
    }

    fn keep(&mut self, names: &[String], texts: &[String]) {
        for name in names {
            for text in texts {
                let known = self.constants.entry(name.trim_start_matches('.').to_owned()).or_default();
                if known.len() < TEXTS_OF_A_NAME && !known.contains(text) {
                    known.push(text.clone());
                }
            }
        }
    }

    fn holds(&mut self, scope: usize, name: &str, said: Said) {
        // What a macro writes into a namespace of the template is seen outside.
        let (scope, name) = name.strip_prefix('.').map_or((scope, name), |member| (0, member));
        if let Some(scope) = self.scopes.get_mut(scope) {
            let known = scope.said.entry(name.to_owned()).or_insert(said);
            *known = said.max(*known);
        }
    }

    /// A macro's parameter holds what it is called with.
    fn learn_calls(&mut self, expr: &Expr) {
        let mut calls: Vec<(usize, String, Said)> = Vec::new();
        visit(expr, &mut |expr| {
            let Expr::Path(base, steps) = expr else { return };
            let (Expr::Name(name, _), Some(Step { what: StepKind::Call(arguments), .. })) =
                (&**base, steps.first())
            else {
                return;
            };
            let Some((number, scope)) = self.macros.get(name).and_then(|n| Some((*n, self.scopes.get(*n)?)))
            else {
                return;
            };
            for (position, argument) in arguments.iter().enumerate() {
                let parameter = argument.name.as_ref().or_else(|| scope.parameters.get(position));
                if let (Some(parameter), Some(said)) = (parameter, self.said(&argument.value)) {
                    calls.push((number, parameter.clone(), said));
                }
            }
        });
        calls.iter().for_each(|(scope, name, said)| self.holds(*scope, name, *said));
    }

    /// Tells all that is found.
    pub(super) fn findings(mut self, mut found: impl FnMut(usize, TemplateLevel, TemplateIssue, &str)) {
        let code = std::mem::take(&mut self.code);
        for (scope, code) in &code {
            self.now = *scope;
            let all: Vec<&Expr> = match code {
                Code::Plain(all) => all.iter().collect(),
                Code::Set(_, value) | Code::For(_, value, None) => vec![value],
                Code::For(_, value, Some(condition)) => vec![value, condition],
                Code::Macro(_, parameters) => {
                    parameters.iter().filter_map(|(_, value)| value.as_ref()).collect()
                }
                Code::Capture(_) | Code::EndCapture | Code::EndMacro => Vec::new(),
                Code::Load(line, name) => {
                    found(*line, TemplateLevel::Danger, TemplateIssue::OtherTemplate, name);
                    Vec::new()
                }
                Code::Unreadable(line, start) => {
                    found(*line, TemplateLevel::Note, TemplateIssue::Unreadable, start);
                    Vec::new()
                }
            };
            for expr in all {
                visit(expr, &mut |expr| {
                    self.internals(expr, &mut found);
                    self.comparisons(expr, &mut found);
                });
            }
        }
    }

    /// Names that lead out of the sandbox.
    fn internals(&self, expr: &Expr, found: &mut Found<'_>) {
        const DANGER: TemplateLevel = TemplateLevel::Danger;
        match expr {
            Expr::Name(name, line) if words::is_dunder(name) => {
                found(*line, DANGER, TemplateIssue::Internals, name);
            }
            Expr::Text(text, line) => {
                if let Some(name) = words::dunder_in(text) {
                    found(*line, DANGER, TemplateIssue::Internals, name);
                }
            }
            // Put together of several.
            Expr::Chain(..) | Expr::Path(..) => {
                let line = line_of(expr);
                let whole = fold::text(expr, &self.constants);
                if let Some(name) = whole.as_deref().and_then(words::dunder_in) {
                    found(line, DANGER, TemplateIssue::Internals, name);
                }
                let Expr::Path(_, steps) = expr else { return };
                steps.iter().for_each(|step| self.step(step, found));
            }
            _ => {}
        }
    }

    fn step(&self, step: &Step, found: &mut Found<'_>) {
        let line = step.line;
        match &step.what {
            StepKind::Member(name) if words::is_internal(name) => {
                found(line, TemplateLevel::Danger, TemplateIssue::Internals, name);
            }
            StepKind::Index(index) => match fold::text(index, &self.constants) {
                Some(name) if words::is_dunder(&name) => {
                    found(line, TemplateLevel::Danger, TemplateIssue::Internals, &name);
                }
                None if has_underscores(index) => {
                    found(line, TemplateLevel::Danger, TemplateIssue::ComputedAttribute, "[… \"__\" …]");
                }
                _ => {}
            },
            StepKind::Filter(name, arguments) if name == "attr" => {
                let attribute = arguments.first().and_then(|a| fold::text(&a.value, &self.constants));
                match attribute {
                    Some(attribute) if words::is_internal(&attribute) => {
                        found(line, TemplateLevel::Danger, TemplateIssue::Internals, &attribute);
                    }
                    Some(_) => {}
                    None => found(line, TemplateLevel::Danger, TemplateIssue::ComputedAttribute, "|attr(…)"),
                }
            }
            _ => {}
        }
    }
}

/// Whether a text with two underscores is one of several that are put together.
fn has_underscores(expr: &Expr) -> bool {
    let mut has = false;
    if matches!(expr, Expr::Chain(..) | Expr::Path(..)) {
        visit(expr, &mut |expr| has |= matches!(expr, Expr::Text(text, _) if text.contains("__")));
    }
    has
}

/// Where an expression begins.
pub(super) fn line_of(expr: &Expr) -> usize {
    let mut line = 0;
    visit(expr, &mut |expr| {
        if let (0, Expr::Name(_, at) | Expr::Text(_, at)) = (line, expr) {
            line = *at;
        }
    });
    line.max(1)
}

/// An expression and all within it, from left to right.
pub(super) fn visit(expr: &Expr, each: &mut dyn FnMut(&Expr)) {
    each(expr);
    let arguments = |arguments: &[Argument], each: &mut dyn FnMut(&Expr)| {
        arguments.iter().for_each(|argument| visit(&argument.value, each));
    };
    match expr {
        Expr::Name(..) | Expr::Text(..) | Expr::Number(_) => {}
        Expr::List(all) | Expr::Choice(all) => all.iter().for_each(|one| visit(one, each)),
        Expr::Sign(one) => visit(one, each),
        Expr::Chain(first, rest) => {
            visit(first, each);
            rest.iter().for_each(|(_, one)| visit(one, each));
        }
        Expr::Path(base, steps) => {
            visit(base, each);
            for step in steps {
                match &step.what {
                    StepKind::Member(_) => {}
                    StepKind::Index(one) => visit(one, each),
                    StepKind::Slice(all, _) => all.iter().for_each(|one| visit(one, each)),
                    StepKind::Call(all) | StepKind::Filter(_, all) | StepKind::Test(_, all) => {
                        arguments(all, each);
                    }
                }
            }
        }
    }
}
