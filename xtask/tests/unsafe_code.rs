//! Where unsafe code is, counted: in the instruction sets of kquant, and, never published, in the calls of llama.cpp.

#![expect(clippy::unwrap_used, reason = "helpers of tests, where a failure is a panic")]

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The folders that may have unsafe code.
const ALLOWED: [&str; 2] = ["crates/kquant/src/lanes", "conformance/peer"];

/// How many blocks the first of them has. Whoever changes this has looked at the new ones.
const BLOCKS_OF_KQUANT: usize = 65;

/// Crates whose roots cannot forbid what their folders need.
const WITH_UNSAFE_CODE: &[&str] = &["crates/kquant/src/lib.rs", "conformance/peer/src/lib.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// All Rust files of a folder and below, without what cargo builds.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && !matches!(name.as_str(), "target" | "work") {
            sources(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

fn workspace() -> Vec<(String, String)> {
    let root = root();
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        (name, fs::read_to_string(path).unwrap())
    };
    paths.iter().map(read).collect()
}

/// A word `unsafe` in code: its line, and whether a block follows.
struct Found {
    line: usize,
    block: bool,
}

/// The compiler's own tokens, also those of macros; comments and strings have none.
fn find(tokens: TokenStream, found: &mut Vec<Found>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "unsafe" => {
                let next = tokens.peek();
                let block =
                    matches!(next, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace);
                found.push(Found { line: word.span().start().line, block });
            }
            TokenTree::Group(group) => find(group.stream(), found),
            _ => {}
        }
    }
}

fn unsafe_in(source: &str) -> Vec<Found> {
    let mut found = Vec::new();
    find(source.parse().unwrap(), &mut found);
    found
}

/// Whether the comment above the statement that a line is in says why it is sound.
fn has_reason(source: &str, line: usize) -> bool {
    const LINES_OF_A_STATEMENT: usize = 3;
    let lines: Vec<&str> = source.lines().take(line).map(str::trim_start).collect();
    let above = lines.iter().rev().enumerate();
    let comment = above.skip_while(|(n, line)| *n < LINES_OF_A_STATEMENT && !line.starts_with("//"));
    comment
        .map(|(_, line)| line)
        .take_while(|line| line.starts_with("//"))
        .any(|line| line.starts_with("// SAFETY:"))
}

#[test]
fn unsafe_code_is_where_it_may_be_and_says_why_it_is_sound() {
    let mut blocks = [0; ALLOWED.len()];
    let files = workspace();
    assert!(files.len() > 300, "{} files: were they all found?", files.len());
    for (name, source) in &files {
        for found in unsafe_in(source) {
            let folder = ALLOWED.iter().position(|folder| name.starts_with(&format!("{folder}/")));
            let at = format!("{name}:{}", found.line);
            let folder = folder.unwrap_or_else(|| panic!("{at}: unsafe code outside of {ALLOWED:?}"));
            if found.block {
                blocks[folder] += 1;
                assert!(has_reason(source, found.line), "{at}: no comment with SAFETY: above");
            } else {
                // Functions that C calls, and functions of C.
                let published = name.starts_with("crates/");
                assert!(!published, "{at}: an unsafe function, trait or implementation");
            }
        }
    }
    let [kquant, peer] = blocks;
    assert_eq!(
        kquant, BLOCKS_OF_KQUANT,
        "unsafe blocks in {}: look at the new ones, then say so here",
        ALLOWED[0]
    );
    assert!(peer > 0, "nothing was found in {}", ALLOWED[1]);
}

#[test]
fn all_other_crates_forbid_it() {
    let mut roots = 0;
    for (name, source) in workspace() {
        let is_root = name.ends_with("/src/lib.rs") || name.ends_with("/src/main.rs");
        if is_root && !WITH_UNSAFE_CODE.contains(&name.as_str()) {
            roots += 1;
            assert!(
                source.lines().any(|line| line == "#![forbid(unsafe_code)]"),
                "{name} does not forbid unsafe code"
            );
        }
    }
    assert!(roots >= 14, "{roots} crates: were they all found?");
    let kquant = fs::read_to_string(root().join("crates/kquant/src/lib.rs")).unwrap();
    assert!(kquant.lines().any(|line| line == "#![deny(unsafe_code)]"));
    assert_eq!(kquant.matches("expect(unsafe_code").count(), 1, "one folder of kquant has unsafe code");
}

#[test]
fn the_words_of_comments_and_strings_do_not_count() {
    let source = "// unsafe {}\nconst A: &str = \"unsafe {}\"; /* unsafe */ const B: &str = r#\"unsafe\"#;\nmacro_rules! m { () => { unsafe { f() } } }\n#[allow(unsafe_code)]\nunsafe fn f() {}";
    let found: Vec<(usize, bool)> = unsafe_in(source).iter().map(|found| (found.line, found.block)).collect();
    assert_eq!(found, [(3, true), (5, false)]);
    let reasons =
        "// SAFETY: a\n// b\nlet x =\n    unsafe {};\n\nlet y = unsafe {};\n// no reason\nunsafe {}";
    assert!(has_reason(reasons, 4));
    assert!(!has_reason(reasons, 6) && !has_reason(reasons, 8));
}
