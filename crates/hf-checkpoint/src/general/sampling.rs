//! `general.sampling.*`, from generation_config.json.

use gguf_format::{Metadata, Value as GgufValue};

use crate::bounded::Folder;
use crate::error::Error;
use crate::json::{self, bad_key};

enum Kind {
    Text,
    Int,
    Float,
}

/// Key in GGUF, kind, keys in generation_config.json: the first that is there counts.
const TABLE: &[(&str, Kind, &[&str])] = &[
    ("sequence", Kind::Text, &["sequence"]),
    ("top_k", Kind::Int, &["top_k"]),
    ("top_p", Kind::Float, &["top_p"]),
    ("min_p", Kind::Float, &["min_p"]),
    ("xtc_probability", Kind::Float, &["xtc_probability"]),
    ("xtc_threshold", Kind::Float, &["xtc_threshold"]),
    ("temp", Kind::Float, &["temperature"]),
    ("penalty_last_n", Kind::Int, &["penalty_last_n"]),
    ("penalty_repeat", Kind::Float, &["penalty_repeat", "repetition_penalty"]),
    ("mirostat", Kind::Int, &["mirostat"]),
    ("mirostat_tau", Kind::Float, &["mirostat_tau"]),
    ("mirostat_eta", Kind::Float, &["mirostat_eta"]),
];

/// Writes what is there. A file that is no JSON is left out, as the converter does: not all that are published are.
pub(super) fn write(folder: Folder<'_>, pairs: &mut Metadata, notes: &mut Vec<String>) -> Result<(), Error> {
    let path = folder.join("generation_config.json");
    let settings = match json::read_if_there(&path, folder.limits) {
        Ok(Some(settings)) => settings,
        Ok(None) => return Ok(()),
        Err(error) => {
            notes.push(format!("{error}; sampling settings were left out"));
            return Ok(());
        }
    };
    for (name, kind, keys) in TABLE {
        let Some((key, value)) = keys.iter().find_map(|k| settings.get(k).map(|v| (k, v))) else { continue };
        if value.is_null() {
            continue;
        }
        let (converted, expected): (Option<GgufValue>, _) = match kind {
            Kind::Text => (value.as_str().map(Into::into), "a string"),
            Kind::Int => {
                // Written as 50.0 here and there, at which the converter gives up.
                let whole =
                    || value.as_f64().filter(|v| v.fract() == 0.0 && v.abs() < 9e15).map(|v| v as i64);
                let int = value.as_i64().or_else(whole).and_then(|v| i32::try_from(v).ok());
                (int.map(Into::into), "an integer within the range of I32")
            }
            Kind::Float => (json::to_f32(value).map(Into::into), "a number within the range of F32"),
        };
        match converted {
            Some(GgufValue::String(text)) if text.as_bytes().is_empty() => {}
            Some(converted) => {
                pairs.insert(format!("general.sampling.{name}"), converted);
            }
            None => return Err(bad_key(&path, key, value, expected)),
        }
    }
    Ok(())
}

/// Kept apart so that the order of the table is checked against gguf-py's.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn types_are_gguf_pys_and_what_is_null_or_no_json_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("generation_config.json");
        let (mut pairs, mut notes) = (Metadata::new(), Vec::new());
        write(Folder { path: folder.path(), limits: &Limits::new() }, &mut pairs, &mut notes).unwrap();
        assert!(pairs.is_empty() && notes.is_empty());

        std::fs::write(
            &path,
            r#"{"temperature": 1, "top_p": 0.9, "top_k": 50, "repetition_penalty": 1.1, "min_p": null, "sequence": ""}"#,
        )
        .unwrap();
        write(Folder { path: folder.path(), limits: &Limits::new() }, &mut pairs, &mut notes).unwrap();
        let got: Vec<_> = pairs.iter().map(|(k, v)| (k.to_owned(), v.clone())).collect();
        assert_eq!(
            got,
            [
                ("general.sampling.top_k".to_owned(), GgufValue::I32(50)),
                ("general.sampling.top_p".to_owned(), GgufValue::F32(0.9)),
                ("general.sampling.temp".to_owned(), GgufValue::F32(1.0)),
                ("general.sampling.penalty_repeat".to_owned(), GgufValue::F32(1.1)),
            ]
        );

        std::fs::write(&path, r#"{"top_k": 0.5}"#).unwrap();
        let error = write(Folder { path: folder.path(), limits: &Limits::new() }, &mut pairs, &mut notes)
            .unwrap_err()
            .to_string();
        std::fs::write(&path, r#"{"top_k": 40.0}"#).unwrap();
        write(Folder { path: folder.path(), limits: &Limits::new() }, &mut pairs, &mut notes).unwrap();
        assert_eq!(pairs.get("general.sampling.top_k"), Some(&GgufValue::I32(40)));
        assert!(
            error.ends_with("key `top_k` is 0.5, expected an integer within the range of I32"),
            "{error}"
        );

        std::fs::write(&path, "{").unwrap();
        write(Folder { path: folder.path(), limits: &Limits::new() }, &mut pairs, &mut notes).unwrap();
        assert!(notes[0].contains("generation_config.json"), "{notes:?}");
    }
}
