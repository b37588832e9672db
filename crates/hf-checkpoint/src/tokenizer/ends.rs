//! Where a model stops: ids that the files list and the converter drops.
//!
//! It takes an end token only where a file gives one number (`SpecialVocab._set_special_token` in gguf-py's `vocab.py`),
//! and never looks at `generation_config.json`. llama.cpp stops at three keys' ids (eos, eot, eom), and at tokens whose
//! text it knows. So the first of a list becomes eos where there is none yet, the others eot and eom where those are
//! free; a key that is there stays as it is.

use gguf_format::{Array, Metadata, Value as Gguf};
use serde_json::{Map, Value};

use super::file::{brief, read_map};
use super::metadata::{TOKENS, token_id_key};
use crate::bounded::Folder;

/// Texts of tokens that llama.cpp takes for the end of a turn, and stops at (`llama-vocab.cpp` of the pinned version).
const TURN_ENDS: [&str; 11] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "<｜end▁of▁sentence｜>",
    "<end_of_utterance>",
];
/// The one that it takes for the end of a message.
const MESSAGE_END: &str = "<|eom_id|>";
/// Others that it stops at.
const OTHER_ENDS: [&str; 10] = [
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "</s>",
    "[EOS]",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "[e~[",
];

/// More end tokens than any model has.
const MAX_ENDS: usize = 256;

/// Adds the ids of end tokens that only a list has, or only `generation_config.json`. `pairs` are the file's, with all
/// that the converter writes.
pub(crate) fn write(folder: Folder<'_>, config: &Value, pairs: &mut Metadata, notes: &mut Vec<String>) {
    // What is wrong with the file, the sampling keys' reading of it has said.
    let generation: Map<String, Value> =
        read_map(&folder.join("generation_config.json"), folder.limits).unwrap_or_default();
    let of_config = [config.get("eos_token_id"), config.pointer("/text_config/eos_token_id")];
    let of_config = of_config.into_iter().flatten().find(|value| !value.is_null());
    let mut listed = Vec::new();
    let has_eos = |pairs: &Metadata| key("eos").is_some_and(|key| pairs.get(key).is_some());
    for (file, value) in
        [("config.json", of_config), ("generation_config.json", generation.get("eos_token_id"))]
    {
        match value {
            Some(Value::Array(list)) => listed.extend(list.iter().map(|id| (file, id))),
            // One number: the converter has it from the config, and needs no second opinion if it has any.
            Some(one) if one.is_u64() && !has_eos(pairs) => listed.push((file, one)),
            _ => (),
        }
    }
    if let Some(rest @ 1..) = listed.len().checked_sub(MAX_ENDS) {
        notes.push(format!(
            "{}: {rest} of the end tokens listed left out, only {MAX_ENDS} are read",
            folder.path.display()
        ));
    }
    let mut ends: Vec<u32> = Vec::new();
    for (file, value) in listed.into_iter().take(MAX_ENDS) {
        let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
        match id.filter(|id| text(pairs, *id).is_some()) {
            Some(id) if ends.contains(&id) => (),
            Some(id) => ends.push(id),
            None => {
                let path = folder.join(file);
                notes.push(format!(
                    "{}: eos_token_id {} left out: no such token",
                    path.display(),
                    brief(value)
                ));
            }
        }
    }
    if let Some(eos) = key("eos").filter(|_| !has_eos(pairs) && !ends.is_empty()) {
        pairs.insert(eos, ends.remove(0));
    }
    let taken = |pairs: &Metadata, role| key(role).and_then(|key| pairs.get(key)).and_then(number);
    ends.retain(|id| ["eos", "eot", "eom"].iter().all(|role| taken(pairs, role) != Some(*id)));
    let mut free: Vec<&str> =
        ["eot", "eom"].into_iter().filter(|role| taken(pairs, role).is_none()).collect();
    // With too few keys, those go without that llama.cpp stops at anyway.
    while ends.len() > free.len() {
        let spare = ends.iter().rposition(|id| text(pairs, *id).is_some_and(is_known));
        let id = ends.remove(spare.unwrap_or(ends.len() - 1));
        if spare.is_none() {
            let token = text(pairs, id).unwrap_or_default();
            notes.push(format!("end token {id} ({token:?}) left out: a file has keys for three"));
        }
    }
    // A token whose text says which end it is gets that key, the others what is left.
    for wanted in [Some("eom"), Some("eot"), None] {
        let mut rest = Vec::new();
        for id in std::mem::take(&mut ends) {
            let fits = wanted.is_none_or(|role| text(pairs, id).is_some_and(|t| role_of(t) == Some(role)));
            let place = free.iter().position(|role| wanted.is_none_or(|wanted| *role == wanted));
            match place.filter(|_| fits).map(|place| free.remove(place)).and_then(key) {
                Some(key) => drop(pairs.insert(key, id)),
                None => rest.push(id),
            }
        }
        ends = rest;
    }
}

fn key(role: &str) -> Option<&'static str> {
    token_id_key(role)
}

fn number(value: &Gguf) -> Option<u32> {
    if let Gguf::U32(number) = value { Some(*number) } else { None }
}

/// The text of a token.
fn text(pairs: &Metadata, id: u32) -> Option<&str> {
    match pairs.get(TOKENS) {
        Some(Gguf::Array(Array::String(tokens))) => tokens.get(id as usize)?.as_str(),
        _ => None,
    }
}

/// The role that llama.cpp gives a token by its text.
fn role_of(text: &str) -> Option<&'static str> {
    match text {
        MESSAGE_END => Some("eom"),
        _ if TURN_ENDS.contains(&text) => Some("eot"),
        _ => None,
    }
}

fn is_known(text: &str) -> bool {
    role_of(text).is_some() || OTHER_ENDS.contains(&text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::limits::Limits;

    const TOKENS_OF: [&str; 8] =
        ["<s>", "</s>", "<|endoftext|>", "<|im_end|>", "<|eom_id|>", "<stop>", "<halt>", "word"];

    /// The three keys and the notes, from the two files and what the converter wrote.
    fn ends(config: &Value, generation: &Value, before: &[(&str, u32)]) -> ([Option<u32>; 3], Vec<String>) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("generation_config.json"), generation.to_string())
            .expect("written");
        let mut pairs = Metadata::new();
        pairs.insert(TOKENS, TOKENS_OF.map(str::to_owned).to_vec());
        for (role, id) in before {
            pairs.insert(key(role).expect("a key"), *id);
        }
        let mut notes = Vec::new();
        write(Folder { path: folder.path(), limits: &Limits::new() }, config, &mut pairs, &mut notes);
        let found = ["eos", "eot", "eom"].map(|role| key(role).and_then(|k| pairs.get(k)).and_then(number));
        (found, notes)
    }

    #[test]
    fn lists_of_end_tokens_are_kept() {
        let none = json!({});
        let list = |ids: &[i64]| json!({"eos_token_id": ids});
        let cases = [
            // The first is the end, the others in order.
            (list(&[5, 6, 7]), none.clone(), &[][..], [Some(5), Some(6), Some(7)]),
            // What the converter found stays; those whose text says which end they are get that key.
            (list(&[5, 4, 3]), none.clone(), &[("eos", 5)], [Some(5), Some(3), Some(4)]),
            (list(&[5, 3]), none.clone(), &[("eos", 1)], [Some(1), Some(3), Some(5)]),
            (none.clone(), list(&[3, 2]), &[("eos", 3)], [Some(3), Some(2), None]),
            (none.clone(), list(&[3, 2]), &[("eos", 3), ("eot", 7)], [Some(3), Some(7), Some(2)]),
            // Of more than three those are left out that llama.cpp knows.
            (list(&[1, 2, 5, 3, 6]), none.clone(), &[("eos", 1)], [Some(1), Some(5), Some(6)]),
            (json!({"text_config": {"eos_token_id": [5, 6]}}), none.clone(), &[], [Some(5), Some(6), None]),
            // Both files; each id once.
            (list(&[5, 6]), list(&[6, 5, 7]), &[("eos", 5)], [Some(5), Some(6), Some(7)]),
            // One number: only where there is no end at all.
            (none.clone(), json!({"eos_token_id": 3}), &[], [Some(3), None, None]),
            (none.clone(), json!({"eos_token_id": 3}), &[("eos", 1)], [Some(1), None, None]),
            (json!({"eos_token_id": null}), none, &[], [None; 3]),
        ];
        for (config, generation, before, expected) in cases {
            let (found, notes) = ends(&config, &generation, before);
            assert_eq!((found, notes.len()), (expected, 0), "{config} {generation} {before:?} {notes:?}");
        }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let config = json!({"eos_token_id": [5, 99, -1, "x", 6, 7, 0]});
        let (found, notes) = ends(&config, &json!({}), &[]);
        assert_eq!(found, [Some(5), Some(6), Some(7)]);
        let says = |part: &str| notes.iter().any(|note| note.contains(part));
        assert_eq!(notes.len(), 4, "{notes:?}");
        assert!(says("config.json: eos_token_id 99 left out: no such token") && says("-1") && says("\"x\""));
        assert!(says("end token 0 (\"<s>\") left out"));
        let (found, notes) = ends(&json!({"eos_token_id": vec![5; 1000]}), &json!({}), &[]);
        assert_eq!(found, [Some(5), None, None]);
        assert!(notes.iter().any(|n| n.contains("744 of the end tokens listed left out")), "{notes:?}");
    }
}
