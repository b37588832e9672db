//! The text that an expression is, where it can be told without running it.

use std::collections::HashMap;

use super::expr::{Argument, Expr, Step, StepKind};

/// Longer ones are not told: a template of a few lines can put together any length.
const LONGEST: usize = 4096;

/// The texts that each name was ever set to; a list's texts, too.
pub(super) type Constants = HashMap<String, Vec<String>>;

fn short(text: String) -> Option<String> {
    (text.len() <= LONGEST).then_some(text)
}

/// The text of an expression, if it is one that never changes.
pub(super) fn text(expr: &Expr, constants: &Constants) -> Option<String> {
    match expr {
        Expr::Text(text, _) => short(text.clone()),
        Expr::Name(name, _) => match constants.get(name)?.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        },
        Expr::Chain(first, rest) => {
            let mut whole = text(first, constants)?;
            for (operator, operand) in rest {
                match (*operator, operand) {
                    ("*", Expr::Number(times)) => {
                        let times = times.parse().ok().filter(|times| *times <= LONGEST)?;
                        whole = short(whole)?.repeat(times);
                    }
                    ("%", operand) => whole = formatted(&whole, &texts(operand, constants)),
                    ("+" | "~", Expr::Number(number)) => whole.push_str(number),
                    ("+" | "~", operand) => whole.push_str(&text(operand, constants)?),
                    _ => return None,
                }
                whole = short(whole)?;
            }
            Some(whole)
        }
        Expr::Path(base, steps) => stepped(base, steps, constants),
        _ => None,
    }
}

/// The texts that an expression may be: one, those of a list, or all that a name was set to.
pub(super) fn texts(expr: &Expr, constants: &Constants) -> Vec<String> {
    match expr {
        Expr::List(all) => all.iter().filter_map(|one| text(one, constants)).collect(),
        Expr::Choice(all) => all.iter().flat_map(|one| texts(one, constants)).collect(),
        Expr::Name(name, _) => constants.get(name).cloned().unwrap_or_default(),
        other => text(other, constants).into_iter().collect(),
    }
}

/// A text that steps were taken from: `'ssalc'|reverse`, `['a', 'b']|join`, `'a'.upper()`.
fn stepped(base: &Expr, steps: &[Step], constants: &Constants) -> Option<String> {
    let mut steps = steps.iter();
    let mut whole = match base {
        Expr::List(_) => {
            let first = steps.next()?;
            let parts = texts(base, constants);
            match &first.what {
                StepKind::Filter(name, arguments) if name == "join" => {
                    joined(&parts, &argument(arguments, 0, constants).unwrap_or_default())?
                }
                _ => return None,
            }
        }
        base => text(base, constants)?,
    };
    while let Some(step) = steps.next() {
        let (name, arguments) = match &step.what {
            StepKind::Filter(name, arguments) => (name, arguments.as_slice()),
            StepKind::Member(name) => match steps.next().map(|step| &step.what) {
                Some(StepKind::Call(arguments)) => (name, arguments.as_slice()),
                _ => return None,
            },
            StepKind::Slice(_, true) => {
                whole = whole.chars().rev().collect();
                continue;
            }
            _ => return None,
        };
        let given = |n| argument(arguments, n, constants);
        whole = match name.as_str() {
            "reverse" => whole.chars().rev().collect(),
            "lower" => whole.to_lowercase(),
            "upper" => whole.to_uppercase(),
            "trim" | "strip" => whole.trim().to_owned(),
            "string" | "safe" | "e" | "escape" | "default" | "capitalize" | "title" => whole,
            // Each place may take a text of the greatest length: the product is bounded, too.
            "replace" => whole.replace(&given(0)?, &given(1)?),
            "join" => {
                let parts: Vec<String> = arguments.iter().flat_map(|a| texts(&a.value, constants)).collect();
                joined(&parts, &whole)?
            }
            "format" => {
                let parts: Vec<String> = arguments.iter().flat_map(|a| texts(&a.value, constants)).collect();
                formatted(&whole, &parts)
            }
            _ => return None,
        };
        whole = short(whole)?;
    }
    Some(whole)
}

fn argument(arguments: &[Argument], number: usize, constants: &Constants) -> Option<String> {
    text(&arguments.get(number)?.value, constants)
}

fn joined(parts: &[String], between: &str) -> Option<String> {
    let len = parts.iter().map(|part| part.len() + between.len()).sum::<usize>();
    (len <= LONGEST + between.len()).then(|| parts.join(between))
}

/// `%s` and `{}` filled in.
fn formatted(pattern: &str, parts: &[String]) -> String {
    let mut whole = pattern.to_owned();
    for part in parts {
        let hole = ["%s", "{}"].into_iter().find(|hole| whole.contains(hole));
        whole = hole.map_or(whole.clone(), |hole| whole.replacen(hole, part, 1));
        if whole.len() > LONGEST {
            break;
        }
    }
    whole
}
