//! Which expressions are what a message says, and what they are compared with.

use super::expr::{Argument, Expr, Step, StepKind};
use super::reader::{Found, Reader, line_of};
use super::{TemplateIssue, TemplateLevel, fold, words};

/// What a value has of the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Said {
    /// Messages, or one: not what they say, but one step from it.
    Messages,
    /// A part of a message's content: a text, or a dict with one.
    Part,
    /// A message's content: a text, or a list of parts.
    Content,
}

impl Said {
    /// What the elements have.
    pub(super) fn element(self) -> Self {
        match self {
            Self::Content => Self::Part,
            other => other,
        }
    }
}

impl Reader {
    /// What an expression has of the messages, if anything.
    pub(super) fn said(&self, expr: &Expr) -> Option<Said> {
        match expr {
            Expr::Name(name, _) => self.named(name),
            Expr::Text(..) | Expr::Number(_) | Expr::Sign(_) => None,
            Expr::List(all) => all.iter().filter_map(|one| self.said(one)).max(),
            // Not of the condition in the middle.
            Expr::Choice(all) => all.iter().step_by(2).filter_map(|one| self.said(one)).max(),
            Expr::Chain(first, rest) => {
                let compared = rest.iter().any(|(operator, _)| is_comparison(operator));
                let all = std::iter::once(&**first).chain(rest.iter().map(|(_, one)| one));
                if compared { None } else { all.filter_map(|one| self.said(one)).max() }
            }
            Expr::Path(base, steps) => {
                let mut said = match (&**base, steps.first()) {
                    // What a function makes of it.
                    (Expr::Name(..), Some(Step { what: StepKind::Call(arguments), .. })) => {
                        arguments.iter().filter_map(|argument| self.said(&argument.value)).max()
                    }
                    (base, _) => self.said(base),
                };
                for (number, step) in steps.iter().enumerate() {
                    let called = matches!(steps.get(number + 1), Some(Step { what: StepKind::Call(_), .. }));
                    said = self.after(said, step, called);
                }
                said
            }
        }
    }

    /// What is left after a step.
    fn after(&self, said: Option<Said>, step: &Step, called: bool) -> Option<Said> {
        let field = |name: &str| {
            if words::CONTENT.contains(&name) { Some(Said::Content) } else { self.named(name) }
        };
        let names_content = |arguments: &[Argument]| {
            let texts = arguments.iter().flat_map(|a| fold::texts(&a.value, &self.constants));
            texts.into_iter().any(|text| words::CONTENT.contains(&text.as_str()))
        };
        match (&step.what, said) {
            // All of a message's fields at once.
            (StepKind::Member(name), Some(_)) if called && matches!(name.as_str(), "items" | "values") => {
                Some(Said::Content)
            }
            (StepKind::Member(_), said) if called => said,
            (StepKind::Member(name), _) => field(name),
            (StepKind::Index(index), said) => match fold::text(index, &self.constants) {
                Some(name) => field(&name),
                None => said.map(Said::element),
            },
            // `message.get('content')`
            (StepKind::Call(arguments), _) if names_content(arguments) => Some(Said::Content),
            (StepKind::Filter(_, arguments), Some(_)) if names_content(arguments) => Some(Said::Content),
            (StepKind::Filter(name, _), Some(_))
                if matches!(name.as_str(), "string" | "tojson" | "join" | "map") =>
            {
                Some(Said::Content)
            }
            (StepKind::Filter(name, _), _) if matches!(name.as_str(), "length" | "count" | "wordcount") => {
                None
            }
            (StepKind::Test(..), _) => None,
            (_, said) => said,
        }
    }

    /// Comparisons of what a message says with a text.
    pub(super) fn comparisons(&self, expr: &Expr, found: &mut Found<'_>) {
        match expr {
            Expr::Chain(first, rest) => {
                let mut left = &**first;
                for (operator, right) in rest {
                    if is_comparison(operator) {
                        match (self.content(left), self.content(right)) {
                            (Some(said), None) => self.compared(said, right, true, found),
                            (None, Some(said)) => self.compared(said, left, true, found),
                            _ => {}
                        }
                    }
                    left = right;
                }
            }
            Expr::Path(base, steps) => {
                let mut said = self.said(base);
                for (number, step) in steps.iter().enumerate() {
                    let next = steps.get(number + 1).map(|step| &step.what);
                    let (name, arguments) = match (&step.what, next) {
                        (StepKind::Member(name), Some(StepKind::Call(arguments))) => (name, arguments),
                        (StepKind::Filter(name, arguments) | StepKind::Test(name, arguments), _) => {
                            (name, arguments)
                        }
                        _ => {
                            said = self.after(said, step, false);
                            continue;
                        }
                    };
                    self.method(said, name, arguments, found);
                    said = self.after(said, step, matches!(step.what, StepKind::Member(_)));
                }
            }
            _ => {}
        }
    }

    /// Content itself, not the messages that have it.
    fn content(&self, expr: &Expr) -> Option<Said> {
        self.said(expr).filter(|said| *said != Said::Messages)
    }

    /// A method, filter or test of a value.
    fn method(&self, said: Option<Said>, name: &str, arguments: &[Argument], found: &mut Found<'_>) {
        let given = || arguments.iter().map(|argument| &argument.value);
        let Some(said) = said else { return };
        let selects = matches!(name, "select" | "reject" | "selectattr" | "rejectattr");
        if selects {
            // `messages|selectattr('content', 'in', …)`: the names of fields and tests are nothing to compare with.
            let texts: Vec<String> = given().flat_map(|a| fold::texts(a, &self.constants)).collect();
            let field = texts.first().is_some_and(|field| words::CONTENT.contains(&field.as_str()));
            if field || (!name.ends_with("attr") && said != Said::Messages) {
                let line = given().next().map_or(1, line_of);
                let operands = texts.iter().filter(|t| !words::NAMES_OF_TESTS.contains(&t.as_str()));
                operands.for_each(|text| self.judged(said, line, text, true, found));
            }
        } else if said != Said::Messages {
            let tells = words::COMPARING.contains(&name);
            if tells || words::CUTTING.contains(&name) {
                given().take(1).for_each(|argument| self.compared(said, argument, tells, found));
            }
        }
    }

    /// What the content is compared with; `marks`: whether marks are worth a note.
    fn compared(&self, said: Said, with: &Expr, marks: bool, found: &mut Found<'_>) {
        let texts = fold::texts(with, &self.constants);
        let line = line_of(with);
        if texts.is_empty() && marks && is_unknown(with) {
            found(line, TemplateLevel::Note, TemplateIssue::ContentBranch, "a computed text");
        }
        texts.iter().for_each(|text| self.judged(said, line, text, marks, found));
    }

    fn judged(&self, said: Said, line: usize, text: &str, marks: bool, found: &mut Found<'_>) {
        match words::judge(text, said != Said::Content) {
            Some(TemplateLevel::Note) if !marks => {}
            Some(level) => found(line, level, TemplateIssue::ContentBranch, text),
            None => {}
        }
    }
}

fn is_comparison(operator: &str) -> bool {
    matches!(operator, "in" | "==" | "!=" | "<" | ">" | "<=" | ">=")
}

/// Whether an expression may be a text that is not to be seen here: not a number, not `none`.
fn is_unknown(expr: &Expr) -> bool {
    match expr {
        Expr::Name(name, _) => !matches!(name.to_ascii_lowercase().as_str(), "none" | "true" | "false"),
        Expr::Path(..) => true,
        Expr::Chain(first, rest) => is_unknown(first) || rest.iter().any(|(_, one)| is_unknown(one)),
        _ => false,
    }
}
