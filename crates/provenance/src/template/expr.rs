//! Expressions of Jinja, and the parser that reads them from tokens.
//!
//! Source of the grammar: `jinja2/parser.py` of Jinja 3.1. Chains of operators and of steps are lists, so an expression is
//! no deeper than its brackets, and those are counted. minijinja 2.24 has a parser, too; its tree is for its own use (a feature named
//! unstable), and it does not read `generation`, which marks answers in 4 of the 70 templates that llama.cpp keeps.

use super::lexer::{Kind, Token};

/// How deep brackets and `else` may lie in each other.
const DEPTH: usize = 64;

#[derive(Debug)]
pub(super) enum Expr {
    Name(String, usize),
    Text(String, usize),
    /// A number, as it is written.
    Number(String),
    /// A list, a tuple or a dict: all that is in it, keys too.
    List(Vec<Expr>),
    /// What follows a value: `.name`, `[index]`, `(arguments)`, `|filter`, `is test`.
    Path(Box<Expr>, Vec<Step>),
    /// Operands with the operators of one precedence between them: `and` and `or`, comparisons, sums …
    Chain(Box<Expr>, Vec<(&'static str, Expr)>),
    /// `not x`, `-x`.
    Sign(Box<Expr>),
    /// `a if b else c`, in this order.
    Choice(Vec<Expr>),
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) what: StepKind,
}

#[derive(Debug)]
pub(super) enum StepKind {
    Member(String),
    Index(Expr),
    /// The bounds that are written, and whether it is `[::-1]`.
    Slice(Vec<Expr>, bool),
    Call(Vec<Argument>),
    Filter(String, Vec<Argument>),
    Test(String, Vec<Argument>),
}

#[derive(Debug)]
pub(super) struct Argument {
    pub(super) name: Option<String>,
    pub(super) value: Expr,
}

/// The tokens are no expression.
#[derive(Debug)]
pub(super) struct NoExpression;

type Parsed<T> = Result<T, NoExpression>;

/// Reads tokens from left to right.
pub(super) struct Parser<'a> {
    tokens: &'a [Token],
    depth: usize,
}

/// The binary operators, loosest first. `not in` is `in` here: what matters is that two things are compared.
const LEVELS: &[&[&str]] = &[
    &["or"],
    &["and"],
    &["==", "!=", "<", ">", "<=", ">=", "in"],
    &["+", "-"],
    &["~"],
    &["*", "/", "//", "%"],
    &["**"],
];
/// Where `not` stands: between `and` and comparisons.
const COMPARISONS: usize = 2;

impl<'a> Parser<'a> {
    pub(super) fn new(tokens: &'a [Token]) -> Self {
        Self { tokens, depth: 0 }
    }

    pub(super) fn at_end(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Passes over a token.
    pub(super) fn skip(&mut self) {
        self.advance();
    }

    fn kind(&self) -> Option<&'a Kind> {
        self.tokens.first().map(|token| &token.kind)
    }

    fn line(&self) -> usize {
        self.tokens.first().map_or(0, |token| token.line)
    }

    fn advance(&mut self) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
    }

    /// Takes an operator or a word, if it is the next.
    pub(super) fn take(&mut self, wanted: &str) -> bool {
        let found = match self.kind() {
            Some(Kind::Operator(operator)) => *operator == wanted,
            Some(Kind::Name(name)) => name == wanted,
            _ => false,
        };
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn expect(&mut self, wanted: &str) -> Parsed<()> {
        if self.take(wanted) { Ok(()) } else { Err(NoExpression) }
    }

    pub(super) fn name(&mut self) -> Parsed<String> {
        let Some(Kind::Name(name)) = self.kind() else { return Err(NoExpression) };
        self.advance();
        Ok(name.clone())
    }

    /// An expression, or several with commas between them, which are a tuple.
    pub(super) fn tuple(&mut self) -> Parsed<Expr> {
        let first = self.expression()?;
        if !matches!(self.kind(), Some(Kind::Operator(","))) {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.take(",") && !self.at_end() && !matches!(self.kind(), Some(Kind::Operator(")"))) {
            all.push(self.expression()?);
        }
        Ok(Expr::List(all))
    }

    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(NoExpression);
        }
        let value = self.without_choice()?;
        let value = if self.take("if") {
            let mut all = vec![value, self.without_choice()?];
            if self.take("else") {
                all.push(self.expression()?);
            }
            Expr::Choice(all)
        } else {
            value
        };
        self.depth -= 1;
        Ok(value)
    }

    /// An expression without `if`, which means something else behind `for`.
    pub(super) fn without_choice(&mut self) -> Parsed<Expr> {
        self.level(0)
    }

    fn level(&mut self, level: usize) -> Parsed<Expr> {
        if level == COMPARISONS && self.take("not") {
            while self.take("not") {}
            return Ok(Expr::Sign(Box::new(self.level(level)?)));
        }
        let Some(operators) = LEVELS.get(level) else { return self.signed() };
        let first = self.level(level + 1)?;
        let mut rest = Vec::new();
        while let Some(operator) = self.operator(operators) {
            rest.push((operator, self.level(level + 1)?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Chain(Box::new(first), rest) })
    }

    fn operator(&mut self, wanted: &[&'static str]) -> Option<&'static str> {
        if wanted.contains(&"in")
            && let [Token { kind: Kind::Name(not), .. }, Token { kind: Kind::Name(within), .. }, ..] =
                self.tokens
            && not == "not"
            && within == "in"
        {
            self.advance();
        }
        wanted.iter().find(|operator| self.take(operator)).copied()
    }

    fn signed(&mut self) -> Parsed<Expr> {
        let mut signed = false;
        while self.take("-") || self.take("+") {
            signed = true;
        }
        let value = self.path()?;
        Ok(if signed { Expr::Sign(Box::new(value)) } else { value })
    }

    fn path(&mut self) -> Parsed<Expr> {
        let base = self.primary()?;
        let mut steps = Vec::new();
        loop {
            let line = self.line();
            let what = if self.take(".") {
                match self.kind() {
                    Some(Kind::Name(name) | Kind::Number(name)) => {
                        self.advance();
                        StepKind::Member(name.clone())
                    }
                    _ => return Err(NoExpression),
                }
            } else if self.take("[") {
                self.subscript()?
            } else if self.take("(") {
                StepKind::Call(self.arguments()?)
            } else if self.take("|") {
                let name = self.dotted()?;
                let arguments = if self.take("(") { self.arguments()? } else { Vec::new() };
                StepKind::Filter(name, arguments)
            } else if self.take("is") {
                self.take("not");
                let name = self.dotted()?;
                StepKind::Test(name, self.test_arguments()?)
            } else {
                break;
            };
            steps.push(Step { line, what });
        }
        Ok(if steps.is_empty() { base } else { Expr::Path(Box::new(base), steps) })
    }

    fn dotted(&mut self) -> Parsed<String> {
        let mut name = match self.kind() {
            Some(Kind::Operator(operator @ ("==" | "!=" | "<" | ">" | "<=" | ">="))) => {
                self.advance();
                return Ok((*operator).to_owned());
            }
            _ => self.name()?,
        };
        while self.take(".") {
            name.push('.');
            name.push_str(&self.name()?);
        }
        Ok(name)
    }

    /// In brackets, or one value without.
    fn test_arguments(&mut self) -> Parsed<Vec<Argument>> {
        if self.take("(") {
            return self.arguments();
        }
        let follows = match self.kind() {
            Some(Kind::Name(name)) => {
                !matches!(name.as_str(), "and" | "or" | "else" | "if" | "is" | "in" | "not")
            }
            Some(Kind::Text(_) | Kind::Number(_) | Kind::Operator("[" | "{")) => true,
            _ => false,
        };
        let value = if follows { Some(self.primary()?) } else { None };
        Ok(value.into_iter().map(|value| Argument { name: None, value }).collect())
    }

    fn subscript(&mut self) -> Parsed<StepKind> {
        let mut parts = Vec::new();
        let (mut slice, mut backwards) = (false, false);
        while !self.take("]") {
            if self.take(":") || self.take(",") {
                slice = true;
                backwards = matches!(self.kind(), Some(Kind::Operator("-")));
            } else {
                parts.push(self.expression()?);
            }
        }
        match (slice, parts.pop()) {
            (false, Some(index)) if parts.is_empty() => Ok(StepKind::Index(index)),
            (false, _) => Err(NoExpression),
            (true, last) => {
                let reversed = backwards && parts.is_empty();
                parts.extend(last);
                Ok(StepKind::Slice(parts, reversed))
            }
        }
    }

    /// What stands in the brackets of a call; the opening one is taken.
    pub(super) fn arguments(&mut self) -> Parsed<Vec<Argument>> {
        let mut arguments = Vec::new();
        while !self.take(")") {
            let mut name = None;
            if let [Token { kind: Kind::Name(n), .. }, Token { kind: Kind::Operator("="), .. }, ..] =
                self.tokens
            {
                name = Some(n.clone());
                self.advance();
                self.advance();
            } else if !self.take("**") {
                self.take("*");
            }
            arguments.push(Argument { name, value: self.expression()? });
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(arguments)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let line = self.line();
        let value = match self.kind() {
            Some(Kind::Name(name)) => Expr::Name(name.clone(), line),
            Some(Kind::Number(number)) => Expr::Number(number.clone()),
            Some(Kind::Text(text)) => {
                let mut text = text.clone();
                // Strings side by side are one.
                while let Some(Token { kind: Kind::Text(more), .. }) = self.tokens.get(1) {
                    text.push_str(more);
                    self.advance();
                }
                Expr::Text(text, line)
            }
            Some(Kind::Operator("(")) => {
                self.advance();
                let value = if matches!(self.kind(), Some(Kind::Operator(")"))) {
                    Expr::List(Vec::new())
                } else {
                    self.tuple()?
                };
                return self.expect(")").map(|()| value);
            }
            Some(Kind::Operator(opening @ ("[" | "{"))) => {
                self.advance();
                return self.list(if *opening == "[" { "]" } else { "}" });
            }
            _ => return Err(NoExpression),
        };
        self.advance();
        Ok(value)
    }

    fn list(&mut self, closing: &str) -> Parsed<Expr> {
        let mut all = Vec::new();
        while !self.take(closing) {
            all.push(self.expression()?);
            if !self.take(",") && !self.take(":") {
                self.expect(closing)?;
                break;
            }
        }
        Ok(Expr::List(all))
    }
}
