//! The ids of special tokens, whether they are added to every text, and what the normalizer does: what the converter
//! reads from the folder's files itself, whatever the model (gguf-py, `SpecialVocab`).
//!
//! Its reading of the post-processor is rough, and known to be; ours must come to the same.

use gguf_format::Metadata;
use serde_json::Value;

use super::chat;
use super::config::TokenizerConfig;
use super::error::TokenizerError;
use super::file::{brief, value_error};
use super::json::{TokenizerJson, component_type};
use super::metadata::{LOWERCASE, STRIP_ACCENTS, add_token_key, token_id_key};

/// The special tokens that every model is asked for.
pub(super) const COMMON: &[&str] = &["bos", "eos", "unk", "sep", "pad", "cls", "mask"];

/// What to gather special tokens from.
pub(super) struct Sources<'a> {
    pub json: Option<&'a TokenizerJson>,
    pub tokenizer: &'a TokenizerConfig,
    pub config: &'a Value,
    pub templates: &'a chat::Templates,
    /// The ids there are; larger ones are left out. `None`: any.
    pub vocab_size: Option<u32>,
}

/// What was gathered, in the order in which the converter writes it.
pub(super) struct SpecialTokens<'a> {
    names: Vec<&'static str>,
    ids: Vec<(&'static str, u32)>,
    adds: Vec<(&'static str, bool)>,
    lowercase: Option<bool>,
    strip_accents: Option<bool>,
    templates: Option<&'a chat::Templates>,
    /// Special tokens whose ids lie beyond the vocabulary.
    pub notes: Vec<String>,
}

impl<'a> SpecialTokens<'a> {
    /// Gathers the special tokens of these names.
    pub(super) fn gather(sources: &Sources<'a>, names: &[&'static str]) -> Result<Self, TokenizerError> {
        let mut found = Self {
            names: names.to_vec(),
            ids: Vec::new(),
            adds: Vec::new(),
            lowercase: None,
            strip_accents: None,
            templates: None,
            notes: Vec::new(),
        };
        let mut tokenizer = sources.tokenizer.map.clone();
        if let Some(json) = sources.json {
            found.read_normalizer(&json.normalizer, 8);
            let mut reading = PostProcessor::new(&mut tokenizer, &mut found);
            reading.read(&json.post_processor);
        }
        if !tokenizer.is_empty() {
            found.templates = Some(sources.templates);
            found.read_config(sources, &tokenizer)?;
        }
        for name in found.names.clone() {
            let key = format!("{name}_token_id");
            let id = match sources.config.get(&key) {
                None | Some(Value::Null) => sources.config.get("text_config").and_then(|c| c.get(&key)),
                id => id,
            };
            if let Some(Value::Number(number)) = id {
                match number.as_u64() {
                    Some(id) => found.set_id(sources, name, id),
                    None if number.is_i64() => {
                        let path = sources.tokenizer.path.with_file_name("config.json");
                        return Err(value_error(path, key, number.to_string(), "an id of a token, or null"));
                    }
                    None => (),
                }
            }
        }
        Ok(found)
    }

    /// Writes the pairs.
    pub(super) fn write(&self, pairs: &mut Metadata) -> Result<(), TokenizerError> {
        for &(name, id) in &self.ids {
            if let Some(key) = token_id_key(name) {
                pairs.insert(key, id);
            }
        }
        for &(name, add) in &self.adds {
            if let Some(key) = add_token_key(name) {
                pairs.insert(key, add);
            }
        }
        if let Some(templates) = self.templates {
            templates.write(pairs)?;
        }
        if let Some(lowercase) = self.lowercase {
            pairs.insert(LOWERCASE, lowercase);
        }
        if let Some(strip_accents) = self.strip_accents {
            pairs.insert(STRIP_ACCENTS, strip_accents);
        }
        Ok(())
    }

    /// Sets an id where none is set yet (CodeLlama's are fixed by its vocabulary).
    pub(super) fn fix_id(&mut self, name: &'static str, id: u32) {
        if !self.ids.iter().any(|(n, _)| *n == name) {
            self.ids.push((name, id));
        }
    }

    fn read_config(
        &mut self,
        sources: &Sources<'_>,
        tokenizer: &serde_json::Map<String, Value>,
    ) -> Result<(), TokenizerError> {
        let added = sources.json.and_then(|j| j.added_tokens.as_deref()).unwrap_or_default();
        for name in self.names.clone() {
            if let Some(Value::Bool(add)) = tokenizer.get(&format!("add_{name}_token"))
                && !self.adds.iter().any(|(n, _)| *n == name)
            {
                self.adds.push((name, *add));
            }
            let content = match tokenizer.get(&format!("{name}_token")) {
                Some(Value::String(text)) => text,
                Some(Value::Object(token)) => match token.get("content") {
                    Some(Value::String(text)) => text,
                    _ => continue,
                },
                _ => continue,
            };
            if let Some(token) = added.iter().find(|t| t.token.content == *content) {
                self.set_id(sources, name, u64::from(token.id));
            }
        }
        Ok(())
    }

    fn set_id(&mut self, sources: &Sources<'_>, name: &'static str, id: u64) {
        let limit = sources.vocab_size.map_or(1 << 32, u64::from);
        match u32::try_from(id).ok().filter(|_| id < limit) {
            Some(id) => self.fix_id(name, id),
            None => {
                self.notes
                    .push(format!("special token {name}: id {id} left out, the vocabulary has {limit}"));
            }
        }
    }

    fn set_add(&mut self, name: &'static str, add: bool) {
        match self.adds.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = add,
            None => self.adds.push((name, add)),
        }
    }

    fn default_add(&mut self, name: &'static str, add: bool) {
        if !self.adds.iter().any(|(n, _)| *n == name) {
            self.adds.push((name, add));
        }
    }

    fn read_normalizer(&mut self, normalizer: &Value, depth: u8) {
        match component_type(normalizer) {
            "Lowercase" => self.lowercase = Some(true),
            "StripAccents" => self.strip_accents = Some(true),
            "BertNormalizer" => {
                if let Some(value) = normalizer.get("lowercase") {
                    self.lowercase = value.as_bool();
                }
                if let Some(value) = normalizer.get("strip_accents") {
                    self.strip_accents = value.as_bool();
                }
            }
            "Sequence" if depth > 0 => {
                for part in normalizer.get("normalizers").and_then(Value::as_array).into_iter().flatten() {
                    self.read_normalizer(part, depth - 1);
                }
            }
            _ => (),
        }
    }
}

/// The converter's reading of a post-processor, which may put tokens into `tokenizer_config.json`.
struct PostProcessor<'c, 'f, 'a> {
    config: &'c mut serde_json::Map<String, Value>,
    found: &'f mut SpecialTokens<'a>,
    /// There is a configuration to be put right.
    configured: bool,
    bos: Value,
    eos: Value,
    cls: Value,
    sep: Value,
}

impl<'c, 'f, 'a> PostProcessor<'c, 'f, 'a> {
    fn new(config: &'c mut serde_json::Map<String, Value>, found: &'f mut SpecialTokens<'a>) -> Self {
        let get = |key| config.get(key).cloned().unwrap_or_default();
        let (bos, eos, cls, sep) = (get("bos_token"), get("eos_token"), get("cls_token"), get("sep_token"));
        let configured = !config.is_empty();
        let mut reading = Self { config, found, configured, bos, eos, cls, sep };
        if is_unset(&reading.bos) && !is_unset(&reading.cls) {
            reading.bos = reading.cls.clone();
            reading.put("bos_token", reading.bos.clone());
        }
        if is_unset(&reading.eos) && !is_unset(&reading.sep) {
            reading.eos = reading.sep.clone();
            reading.put("eos_token", reading.eos.clone());
        }
        reading
    }

    fn put(&mut self, key: &str, token: Value) {
        if self.configured {
            self.config.insert(key.to_owned(), token);
        }
    }

    fn read(&mut self, post_processor: &Value) {
        let alone = std::slice::from_ref(post_processor);
        let processors = post_processor.get("processors").and_then(Value::as_array);
        for processor in processors.map_or(alone, Vec::as_slice) {
            match component_type(processor) {
                "ByteLevel" => {
                    self.found.default_add("bos", false);
                    self.found.default_add("eos", false);
                }
                "RobertaProcessing" => self.roberta(processor),
                "TemplateProcessing" => self.template(processor),
                _ => (),
            }
        }
    }

    fn roberta(&mut self, processor: &Value) {
        for name in ["bos", "eos", "sep"] {
            self.found.set_add(name, true);
        }
        let first = |key: &str, or: &Value| processor.pointer(&format!("/{key}/0")).unwrap_or(or).clone();
        if is_unset(&self.cls) {
            self.cls = first("cls", &self.bos);
            self.put("cls_token", self.cls.clone());
        }
        if is_unset(&self.sep) {
            self.sep = first("sep", &self.eos);
            self.put("sep_token", self.sep.clone());
        }
    }

    fn template(&mut self, processor: &Value) {
        let list = |key: &str| processor.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let (single, pair) = (list("single"), list("pair"));
        let (mut first, mut last) = (Value::Null, Value::Null);
        if let [start, .., end] = single {
            first = special_id(start);
            if !is_unset(&first) {
                self.template_start(&first);
            }
            last = special_id(end);
            if !is_unset(&last) {
                self.template_end(&last);
            }
        }
        self.template_pair(pair, &first, &last);
    }

    fn template_start(&mut self, first: &Value) {
        if !self.configured {
            self.bos = first.clone();
        } else if *first != self.bos && *first != self.cls {
            if is_unset(&self.bos) {
                self.bos = first.clone();
                self.put("bos_token", first.clone());
            }
            if is_unset(&self.cls) {
                self.cls = first.clone();
                self.put("cls_token", first.clone());
            }
        }
        let known = *first == self.bos || *first == self.cls;
        self.found.set_add("bos", known);
    }

    fn template_end(&mut self, last: &Value) {
        if !self.configured {
            self.eos = last.clone();
        } else if *last != self.eos {
            // The template's end takes over from the configured one, which becomes the end of a turn or of a message.
            if let Some((name, key)) = [("eot", "eot_token"), ("eom", "eom_token")]
                .into_iter()
                .find(|(name, _)| !self.found.names.contains(name))
            {
                self.found.names.push(name);
                self.put(key, self.eos.clone());
            }
            self.eos = last.clone();
            self.put("eos_token", last.clone());
        }
        self.found.set_add("eos", *last == self.eos);
    }

    /// A pair is `[bos] A [sep] [eos] B [eos]`: what stands between A and B tells whether a separator is added.
    fn template_pair(&mut self, pair: &[Value], first: &Value, last: &Value) {
        let is = |entry: Option<&Value>, token: &Value| {
            !is_unset(token) && entry.is_some_and(|e| special_id(e) == *token)
        };
        let start = usize::from(is(pair.first(), first));
        let end = pair.len() - usize::from(is(pair.last(), last));
        let Some([a, between @ .., b]) = pair.get(start..end.max(start)) else { return };
        let sequence = |entry: &Value| entry.pointer("/Sequence/id").cloned().unwrap_or_default();
        if between.is_empty() || sequence(a) != "A" || sequence(b) != "B" {
            return;
        }
        let separates = |entry: &Value| {
            let id = special_id(entry);
            !is_unset(&id) && (id == self.sep || id == self.eos)
        };
        let add =
            separates(&between[0]) && is_unset(last) || matches!(between, [_, second] if separates(second));
        self.found.set_add("sep", add);
        if add && is_unset(&self.sep) {
            self.put("sep_token", self.eos.clone());
        }
    }
}

/// The id (a text) of an entry of a template that is a special token, else null.
fn special_id(entry: &Value) -> Value {
    entry.pointer("/SpecialToken/id").cloned().unwrap_or_default()
}

/// Null, or what Python takes for false: the converter asks only that.
fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(b) => !b,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
    }
}

/// A boolean of `tokenizer_config.json`; `None` if absent or null.
pub(super) fn config_flag(tokenizer: &TokenizerConfig, key: &str) -> Result<Option<bool>, TokenizerError> {
    match tokenizer.map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => Err(value_error(&tokenizer.path, key, brief(other), "true, false or null")),
    }
}
