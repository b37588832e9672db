//! Statements of Jinja, each by itself: whether blocks are closed is not asked.

use std::collections::HashMap;

use super::expr::{Expr, NoExpression, Parser};
use super::fold;
use super::lexer::{Content, Kind, Piece, Token};

/// A statement or an output, read.
pub(super) enum Code {
    /// Expressions that are only looked at.
    Plain(Vec<Expr>),
    /// Names that are given a value: `set`, `with`.
    Set(Vec<String>, Expr),
    /// Names that are given the elements of a value.
    For(Vec<String>, Expr, Option<Expr>),
    /// A name that is given what is written up to `endset`.
    Capture(String),
    EndCapture,
    /// A function: its name and its parameters, which it begins the scope of.
    Macro(String, Vec<(String, Option<Expr>)>),
    EndMacro,
    /// Another template is read.
    Load(usize, String),
    /// Not understood.
    Unreadable(usize, String),
}

/// Reads a piece of a template.
pub(super) fn read(piece: &Piece<'_>) -> Vec<Code> {
    let (tokens, statement) = match &piece.content {
        Content::Text(_) | Content::Comment(_) => return Vec::new(),
        Content::Output(tokens) => (tokens, false),
        Content::Statement(tokens) => (tokens, true),
    };
    let mut parser = Parser::new(tokens);
    let code = if statement {
        statement_of(&mut parser, piece.line)
    } else {
        parser.tuple().map(|expr| vec![Code::Plain(vec![expr])])
    };
    match code {
        Ok(code) if parser.at_end() => code,
        _ => vec![Code::Unreadable(piece.line, start_of(tokens))],
    }
}

/// The first tokens, as a reader would look for them.
fn start_of(tokens: &[Token]) -> String {
    let shown = tokens.iter().take(6).map(|token| match &token.kind {
        Kind::Name(text) | Kind::Number(text) => text.clone(),
        Kind::Text(text) => format!("'{text}'"),
        Kind::Operator(operator) => (*operator).to_owned(),
        Kind::Other => "?".to_owned(),
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn statement_of(parser: &mut Parser<'_>, line: usize) -> Result<Vec<Code>, NoExpression> {
    let word = parser.name()?;
    Ok(match word.as_str() {
        "if" | "elif" | "do" => vec![Code::Plain(vec![parser.tuple()?])],
        "set" => set(parser)?,
        "for" => {
            let names = targets(parser)?;
            parser.expect("in")?;
            let mut values = vec![parser.without_choice()?];
            while parser.take(",") {
                values.push(parser.without_choice()?);
            }
            let value = if values.len() > 1 { None } else { values.pop() };
            let condition = if parser.take("if") { Some(parser.expression()?) } else { None };
            parser.take("recursive");
            vec![Code::For(names, value.unwrap_or(Expr::List(values)), condition)]
        }
        "with" => {
            let mut all = Vec::new();
            while !parser.at_end() {
                let names = vec![parser.name()?];
                parser.expect("=")?;
                all.push(Code::Set(names, parser.expression()?));
                parser.take(",");
            }
            all
        }
        "macro" => {
            let name = parser.name()?;
            parser.expect("(")?;
            vec![Code::Macro(name, parameters(parser)?)]
        }
        "call" => {
            if parser.take("(") {
                parameters(parser)?;
            }
            vec![Code::Plain(vec![parser.expression()?])]
        }
        "filter" => vec![Code::Plain(vec![parser.expression()?])],
        "include" | "import" | "extends" | "from" => {
            let name = parser.expression().ok().and_then(|expr| fold::text(&expr, &HashMap::new()));
            while !parser.at_end() {
                parser.skip();
            }
            vec![Code::Load(line, name.unwrap_or(word))]
        }
        "endmacro" => {
            parser.skip();
            vec![Code::EndMacro]
        }
        "endset" => vec![Code::EndCapture],
        // Names of blocks, and settings.
        "block" | "endblock" | "autoescape" => {
            parser.skip();
            while parser.take("scoped") || parser.take("required") {}
            Vec::new()
        }
        "raw" | "else" | "break" | "continue" | "generation" => Vec::new(),
        end if end.starts_with("end") => Vec::new(),
        _ => return Err(NoExpression),
    })
}

fn set(parser: &mut Parser<'_>) -> Result<Vec<Code>, NoExpression> {
    let names = targets(parser)?;
    if parser.take("=") {
        return Ok(vec![Code::Set(names, parser.tuple()?)]);
    }
    // Filters of what is written change nothing here.
    while !parser.at_end() {
        parser.skip();
    }
    Ok(names.into_iter().take(1).map(Code::Capture).collect())
}

/// `a`, `a, b`, `(a, b)`; of `space.name` the last with its dot, as it is asked for by that.
fn targets(parser: &mut Parser<'_>) -> Result<Vec<String>, NoExpression> {
    let mut names = Vec::new();
    parser.take("(");
    loop {
        let mut name = parser.name()?;
        while parser.take(".") {
            name = format!(".{}", parser.name()?);
        }
        names.push(name);
        if !parser.take(",") {
            break;
        }
    }
    parser.take(")");
    Ok(names)
}

fn parameters(parser: &mut Parser<'_>) -> Result<Vec<(String, Option<Expr>)>, NoExpression> {
    let mut all = Vec::new();
    while !parser.take(")") {
        let name = parser.name()?;
        let default = if parser.take("=") { Some(parser.expression()?) } else { None };
        all.push((name, default));
        if !parser.take(",") {
            parser.expect(")")?;
            break;
        }
    }
    Ok(all)
}
