//! Two listings side by side.

/// How a listing differs from what is expected: lines that are missing (`-`) and that should not be there (`+`).
pub(crate) fn differences(golden: &str, ours: &str) -> Vec<String> {
    if golden == ours {
        return Vec::new();
    }
    let only = |a: &str, b: &str, sign: char| {
        a.lines().filter(|l| !b.lines().any(|m| m == *l)).map(|l| format!("{sign} {l}")).collect::<Vec<_>>()
    };
    let mut lines = only(golden, ours, '-');
    lines.extend(only(ours, golden, '+'));
    if lines.is_empty() {
        lines.push("the order differs".to_owned());
    }
    lines
}
