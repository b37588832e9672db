//! The README's table of model classes is that of the families.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::FAMILIES;

#[test]
fn the_readme_lists_every_class() {
    let mut by_architecture = BTreeMap::<&str, Vec<&str>>::new();
    for family in FAMILIES {
        by_architecture.entry(family.architecture).or_default().extend(family.classes);
    }
    let mut table = "| GGUF architecture | model classes |\n|---|---|\n".to_owned();
    for (architecture, mut classes) in by_architecture {
        classes.sort_unstable();
        let classes: Vec<String> = classes.iter().map(|class| format!("`{class}`")).collect();
        writeln!(table, "| `{architecture}` | {} |", classes.join(", ")).unwrap();
    }
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&table), "the README's table of classes should be:\n\n{table}");
}
