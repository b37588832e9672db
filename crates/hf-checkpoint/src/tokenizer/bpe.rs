//! Byte-level BPE, GGUF's `gpt2` tokenizer.

use gguf_format::Metadata;

use super::error::TokenizerError;
use super::file::{read_text, value_error};
use super::json::{TokenizerJson, component_type};
use super::merges::Merge;
use super::metadata::MERGES;
use super::pre;
use super::special::{COMMON, SpecialTokens};
use super::vocabulary::Vocabulary;
use super::{Files, TokenizerInput, TokenizerKind, Written};
use crate::bounded::Folder;

/// Writes the pairs of a byte-level BPE tokenizer.
pub(super) fn write(
    input: &TokenizerInput<'_>,
    files: &Files,
    json: &TokenizerJson,
    pairs: &mut Metadata,
) -> Result<Written, TokenizerError> {
    json.expect_model("BPE")?;
    let vocabulary = Vocabulary::new(input.folder, json, &files.tokenizer, input.config)?;
    let tokens = vocabulary.tokens(input.vocab_size)?;
    // These words are split at spaces alone, which llama.cpp has a tokenizer of its own for.
    let words =
        input.kind == TokenizerKind::ByteLevelOrWords && component_type(&json.pre_tokenizer) == "Whitespace";
    let pre = if words { None } else { Some(pre::recognise(&vocabulary, input.pre)?) };
    let fixed =
        |token: &str| tokens.texts.iter().position(|t| t == token).and_then(|i| u32::try_from(i).ok());
    let fixed: Vec<_> = input.fixed.iter().map(|(role, token)| (*role, *token, fixed(token))).collect();
    let model = if words { "whitespace" } else { "gpt2" };
    let size = tokens.write(model, Some(pre.as_ref().map_or("whitespace", |pre| pre.name)), pairs);
    let mut notes = Vec::new();
    let merges = merges(input.folder, json)?;
    if merges.is_empty() {
        notes.push(format!(
            "{}: no merges, without which llama.cpp cannot load the file",
            json.path.display()
        ));
    } else {
        pairs.insert(MERGES, merges);
    }
    let mut specials = SpecialTokens::gather(&files.sources_of(input, pre.as_ref()), COMMON)?;
    for (role, token, id) in fixed {
        match id {
            Some(id) => specials.fix_id(role, id),
            None => notes.push(format!("the tokenizer has no `{token}`, this family's {role} token")),
        }
    }
    specials.write(pairs)?;
    notes.extend(specials.notes);
    Ok(Written { size, pre, notes })
}

/// The merges as GGUF has them; without any in `tokenizer.json`, those of `merges.txt`.
pub(super) fn merges(folder: Folder<'_>, json: &TokenizerJson) -> Result<Vec<String>, TokenizerError> {
    if json.model.merges.is_empty() {
        return merges_txt(folder);
    }
    Ok(json.model.merges.iter().map(Merge::gguf).collect())
}

/// `merges.txt`: a comment at most, then a merge a line. Lines that are no merge are left out, as the converter does.
pub(super) fn merges_txt(folder: Folder<'_>) -> Result<Vec<String>, TokenizerError> {
    let path = folder.join("merges.txt");
    let Some(text) = read_text(&path, folder.limits)? else { return Ok(Vec::new()) };
    let body = match text.split_once('\n') {
        Some((first, rest)) if first.trim_start().starts_with('#') => rest,
        _ => &text,
    };
    let merges: Vec<String> = body
        .lines()
        .filter_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
            [a, b] => Some(format!("{a} {b}")),
            _ => None,
        })
        .collect();
    if merges.is_empty() {
        return Err(value_error(path, "merges", "none", "a merge of two tokens a line"));
    }
    Ok(merges)
}
