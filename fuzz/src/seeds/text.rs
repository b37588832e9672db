//! Seeds that are texts of their own: chat templates, files of metadata.

use super::{Inputs, files_of};

/// Statements and expressions of Jinja, and what deserves a look in them.
const TEMPLATES: [(&str, &str); 7] = [
    (
        "loop",
        "{%- for m in messages -%}{{- '<|' ~ m.role ~ '|>' + m['content']|trim -}}{%- endfor -%}\n{# end #}",
    ),
    (
        "branches",
        "{% set c = messages[-1].content.split('</think>')[0] %}\n\
         {% if c.startswith('/no_think') and not c is none %}a{% elif 'b' in c %}c{% else %}d{% endif %}",
    ),
    (
        "macro",
        "{% macro turn(m, last=false) %}{{ m|tojson(indent=2) }}{% endmacro %}\n\
         {% call(x) turn(messages|selectattr('content', 'in', ['a', 'b'])|list) %}{{ x }}{% endcall %}",
    ),
    (
        "namespace",
        "{% set ns = namespace(a='__cla', n=1) %}{% set ns.a = ns.a ~ 'ss__' %}{{ x[ns.a] }}{{ x|attr(ns.a) }}\n\
         {% filter upper %}{{ x if y else z }}{% endfilter %}{% raw %}{{ no }}{% endraw %}",
    ),
    (
        "texts",
        "{{ '\\x5f\\u005f\\137' \"a\" * 2 ~ ['_', 'b']|join ~ '%s' % 'c' ~ 'edoc'[::-1] }}{{ 1.5e3 // -2 ** 3 }}",
    ),
    (
        "others",
        "{% include 'a' %}{% from 'b' import c as d %}{% extends 'e' %}https://example.org/\u{202e}\u{200b}",
    ),
    ("unclosed", "{{ a.b[c(d|e(f {% if"),
];

/// Templates of golden tokenizers, and the ones above.
pub(super) fn template() -> Inputs {
    let mut seeds = Inputs::new();
    for folder in ["bpe-no-config", "bpe-sep", "qwen-old", "qwen-old/additional_chat_templates"] {
        for (file, content) in files_of(&format!("crates/hf-checkpoint/tests/golden/tokenizer/{folder}")) {
            if file.ends_with(".jinja") {
                seeds.insert(format!("{}-{file}", folder.replace('/', "-")), content);
            }
        }
    }
    seeds.extend(TEMPLATES.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())));
    seeds
}

/// Golden files of metadata, and one with a value of every form.
pub(super) fn metadata_file() -> Inputs {
    let mut seeds = files_of("crates/provenance/tests/golden/metadata_file");
    seeds.retain(|name, _| name.ends_with(".json"));
    let forms = br#"{"general.name": null, "general.license": "MIT", "llama.a": 1, "llama.b": [1, 2.5], "x.c": -1e400,
"x.d": [true], "x.e": ["a", "b"], "x.f": [], "general.tags": ["t"], "general.languages": "en", "a\u0000": 18446744073709551616}"#;
    seeds.insert("forms".to_owned(), forms.to_vec());
    seeds
}
