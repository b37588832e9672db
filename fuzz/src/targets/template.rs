//! Any text as a chat template: findings that lie in it, the same each time, and nothing that the text says is run.

use provenance::lint_template;

/// A chat template.
pub fn body(input: &[u8]) -> bool {
    let Ok(source) = std::str::from_utf8(input) else { return false };
    let findings = lint_template("default", source);
    let lines = source.split('\n').count();
    for finding in &findings {
        assert!((1..=lines).contains(&finding.line), "{finding:?} of {lines} lines");
        assert!(finding.found.chars().count() <= 81, "{finding:?}");
    }
    assert!(findings.is_sorted_by_key(|finding| finding.line), "{findings:?}");
    assert_eq!(findings, lint_template("default", source));
    true
}
