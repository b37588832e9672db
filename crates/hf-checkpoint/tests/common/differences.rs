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
    let said = |line: &str, key: &str| line.split(' ').next() == Some(key);
    // End tokens of which the converter says nothing are ours by design.
    let ends = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"];
    let by_design = |line: &str| ends.iter().any(|k| said(line, k) && !golden.lines().any(|l| said(l, k)));
    let (allowed, more): (Vec<_>, Vec<_>) =
        only(ours, golden, '+').into_iter().partition(|line| by_design(line.trim_start_matches("+ ")));
    lines.extend(more);
    if lines.is_empty() && !allowed.is_empty() {
        let ours: Vec<&str> = ours.lines().filter(|line| !by_design(line)).collect();
        return if golden.lines().eq(ours) { lines } else { vec!["the order differs".to_owned()] };
    }
    if lines.is_empty() {
        lines.push("the order differs".to_owned());
    }
    lines
}
