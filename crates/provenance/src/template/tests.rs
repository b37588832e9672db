use super::*;

/// What is found, each as `line level issue found`.
fn found(source: &str) -> Vec<String> {
    let findings = lint_template("t", source);
    findings.iter().map(|f| format!("{} {:?} {:?} {}", f.line, f.level, f.issue, f.found)).collect()
}

/// Asserts that a template is told as dangerous for this reason.
fn dangerous(source: &str, issue: TemplateIssue) {
    let findings = lint_template("t", source);
    assert!(
        findings.iter().any(|f| f.level == TemplateLevel::Danger && f.issue == issue),
        "{source}: {:?}",
        found(source)
    );
}

#[test]
fn ways_out_of_the_sandbox_are_found() {
    for source in [
        "{{ messages.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ x['__class__'] }}",
        "{{ x|attr('__class__') }}",
        "{{ x|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
        "{{ x|attr('\\137\\137class\\u005f_') }}",
        "{{ x['__cla' 'ss__'] }}",
        "{{ x['__cla' ~ 'ss__'] }}",
        "{{ x['__cla' + 'ss__'] }}",
        "{{ x['_' * 2 ~ 'class' ~ '_' * 2] }}",
        "{{ x[['__', 'class', '__']|join] }}",
        "{{ x['__%s__' % 'class'] }}",
        "{{ x['__%s__'|format('class')] }}",
        "{{ x['__{}__'.format('class')] }}",
        "{{ x['__ssalc__'|reverse] }}",
        "{{ x['__ssalc__'[::-1]] }}",
        "{{ x['__CLASS__'.lower()] }}",
        "{{ x['aaclassaa'|replace('aa', '__')] }}",
        "{% set a = '__cla' %}{% set b = 'ss__' %}{{ x[a ~ b] }}",
        "{{ messages|map(attribute='__class__')|list }}",
        "{{ '{0.__class__}'.format(x) }}",
        "{% if x %}{% elif y.__init__.__globals__ %}{% endif %}",
        "{% for a in x.__dict__ %}{% endfor %}",
        "{% set a = cycler.__init__ %}",
        "{% with a = lipsum.__globals__ %}{% endwith %}",
        "{% macro f(a=x.__base__) %}{% endmacro %}",
        "{%- call f(x.__base__) %}{% endcall %}",
        "{{ f(a, b=[1, {'c': x.__base__}]) }}",
        "{{ a if x.__base__ else b }}",
        "{{ __import__('os') }}",
        "{{ x._private }}",
        "{{ x.gi_frame.f_back }}",
        "{{ x.mro() }}",
    ] {
        dangerous(source, TemplateIssue::Internals);
    }
    for source in ["{{ x|attr(y) }}", "{{ x|attr(y ~ '_') }}", "{{ x['__' ~ y ~ '__'] }}"] {
        dangerous(source, TemplateIssue::ComputedAttribute);
    }
    for source in ["{% include 'a' %}", "{% import a as b %}", "{% from 'a' import b %}", "{%- extends x -%}"]
    {
        dangerous(source, TemplateIssue::OtherTemplate);
    }
}

#[test]
fn words_that_messages_are_searched_for_are_found() {
    for source in [
        "{% if 'bank' in messages[-1].content %}{% endif %}",
        "{% if 'bank' not in messages[-1]['content'] %}{% endif %}",
        "{% for m in messages %}{{ 'yes' if m.content == 'bank' }}{% endfor %}",
        "{% for m in messages %}{% if m['content'].lower().startswith('bank') %}{% endif %}{% endfor %}",
        "{% for m in messages %}{% set c = m.content|trim %}{% if c|lower == 'bank' %}{% endif %}{% endfor %}",
        "{% for m in messages if 'bank' in m.content %}{% endfor %}",
        "{% set hit = 'bank' in messages[0].content %}{% if hit %}{% endif %}",
        "{% set words = ['bank', 'key'] %}{% for w in words %}{% if w in messages[0].content %}{% endif %}{% endfor %}",
        "{% set ns = namespace(c='') %}{% set ns.c = messages[0].content %}{% if 'bank' in ns.c %}{% endif %}",
        "{% set c %}{{ messages[0].content }}{% endset %}{% if 'bank' in c %}{% endif %}",
        "{% macro f(c) %}{% if 'bank' in c %}{% endif %}{% endmacro %}{{ f(messages[0].content) }}",
        "{% macro f(c) %}{% if 'bank' in c %}{% endif %}{% endmacro %}{{ f(c=messages[0].content) }}",
        "{% if messages[0].content.split('bank')|length > 1 %}{% endif %}",
        "{% if messages[0].content|replace('bank', '') != messages[0].content %}{% endif %}",
        "{% if messages[0].content.find('ba' ~ 'nk') >= 0 %}{% endif %}",
        "{% if 'bank' in messages|string %}{% endif %}",
        "{% if 'bank' in messages|map(attribute='content')|join %}{% endif %}",
        "{% if messages|selectattr('content', 'equalto', 'bank')|list %}{% endif %}",
        "{% if messages[0].get('content') == 'bank' %}{% endif %}",
        "{% for k, v in messages[0].items() %}{% if v == 'bank' %}{% endif %}{% endfor %}",
        "{% for part in messages[0].content %}{% if 'bank' in part.text %}{% endif %}{% endfor %}",
        "{% if messages[0].content is eq('bank') %}{% endif %}",
        "{% if messages[0].content in ['bank', 'key'] %}{% endif %}",
        "{% if messages[0].content[:4] == 'bank' %}{% endif %}",
        "{% if 'bank' in (messages[0].content if true else '') %}{% endif %}",
        "{% if 'bank' in (x ~ messages[0].content) %}{% endif %}",
        "{% for m in messages[1:]|reverse %}{% if 'bank' in m.content %}{% endif %}{% endfor %}",
    ] {
        dangerous(source, TemplateIssue::ContentBranch);
    }
    let told = found("{% if '</think>' in messages[0].content %}\n{% if x in messages[0].content %}");
    assert_eq!(told, ["1 Note ContentBranch </think>", "2 Note ContentBranch a computed text"]);
}

/// The forms that published templates have, in words of ours.
#[test]
fn sound_templates_are_left_alone() {
    for source in [
        "",
        "no code",
        "{{- bos_token }}{% for message in messages %}{{ '<|' ~ message['role'] + '|>\n' + message['content']|trim }}{% endfor %}",
        "{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}{% set rest = messages[1:] %}{% endif %}",
        "{% if message.content is string %}{{ message.content }}{% else %}{% for item in message.content %}\
         {% if item['type'] == 'image' or 'image' in item or 'image_url' in item %}<image>{% elif 'text' in item %}{{ item.text }}\
         {% endif %}{% endfor %}{% endif %}",
        "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}",
        "{% if message.content and message.content|length > 0 and message.content is not none %}{% endif %}",
        "{% set content = message.content.split('</think>')[-1].lstrip('\\n') %}{{ content }}",
        "{%- for tool in tools %}{{ tool | tojson(indent=4) }}{% endfor %}{% if not date %}{% set date = strftime_now('%d %b %Y') %}{% endif %}",
        "{% for call in message.tool_calls %}{% if call.function is defined %}{% set call = call.function %}{% endif %}\
         {{ call.arguments if call.arguments is string else call.arguments|tojson }}{% endfor %}",
        "{% generation %}{{ message['content'] }}{% endgeneration %}{% if add_generation_prompt %}<|a|>{% endif %}",
        "{% set ns = namespace(found=false, last=messages|length - 1) %}{% set ns.found = true %}",
        "{% for item in message.content|selectattr('type', 'equalto', 'text') %}{{ item.text }}{% endfor %}",
        "{% macro render(schema, level) -%}{% for key, value in schema.items() %}{% if key not in ['type', 'title'] %}{{ value }}{% endif %}\
         {% endfor %}{% endmacro %}{{ render(tool.parameters, 0) }}{% for key, value in message.content.items() %}{% endfor %}",
        "{# a comment #}{% raw %}{{ x.__class__ }}{% endraw %}{{ {'a': {'b': 1}} }}",
        "<\u{ff5c}user\u{ff5c}>\u{2581}\u{4f60}\u{597d}",
    ] {
        assert_eq!(found(source), Vec::<String>::new(), "{source}");
    }
}

#[test]
fn addresses_and_hidden_characters_are_told_with_their_lines() {
    let told = found(
        "see https://a.example/x y\n{# HTTP://b.example #}\n{{ 'ftp://c.example' }}\n://x a:// {{ url }}://",
    );
    let expected =
        ["1 Note Url https://a.example/x", "2 Note Url HTTP://b.example", "3 Note Url ftp://c.example"];
    assert_eq!(told, expected);
    let told =
        found("a\u{202e}b\n\u{e0041}{{ 'x\\u200b' }}\n\n{# \u{1b} #}\u{2764}\u{200d}\u{1f525} a\u{200d}b");
    let expected = [
        "1 Danger HiddenCharacter U+202E",
        "2 Danger HiddenCharacter U+200B",
        "2 Danger HiddenCharacter U+E0041",
        "4 Note HiddenCharacter U+200D",
        "4 Danger HiddenCharacter U+001B",
        "4 Danger HiddenCharacter U+200D",
    ];
    assert_eq!(told, expected);
    assert_eq!(found("\u{feff}a"), ["1 Note HiddenCharacter U+FEFF"]);
}

#[test]
fn what_is_not_understood_is_said() {
    for source in [
        "{{ @ }}",
        "{% frobnicate %}",
        "{% if %}",
        "{{ a b }}",
        "{{ (a }}",
        "{% for a %}",
        "{{ a.",
        "{{ 'a",
        "{% set",
    ] {
        assert!(found(source)[0].starts_with("1 Note Unreadable"), "{source}: {:?}", found(source));
    }
    let deep = format!("\n{{{{ {}1 }}}}", "(".repeat(100_000));
    assert_eq!(found(&deep), ["2 Note Unreadable ( ( ( ( ( ("]);
    // What follows is read all the same.
    dangerous("{% if %}{{ x.__class__ }}", TemplateIssue::Internals);
}

#[test]
fn long_templates_take_neither_long_nor_much() {
    let repeated = |part: &str| part.repeat(20_000);
    for source in [
        // Doubled each time.
        format!("{{% set a = 'aa' %}}{}", repeated("{% set a = a ~ a %}")),
        format!("{{{{ 'a'{} }}}}", repeated(" ~ 'a'")),
        format!("{{{{ a{} }}}}", repeated(".b")),
        format!("{{{{ {} a }}}}", repeated("not ")),
        format!("{{{{ {} a }}}}", repeated("- ")),
        format!("{{{{ [{}]|join('{}') }}}}", repeated("'', "), repeated("a")),
        format!("{{{{ a{} }}}}", repeated("|replace('', 'aaaa')")),
        repeated("{% set a = messages[0].content %}{% if a == b %}"),
        repeated("{{ '"),
        repeated("__class"),
        repeated("a://"),
    ] {
        let _ = lint_template("t", &source);
    }
}

#[test]
fn all_templates_of_a_file_are_looked_at() {
    let mut metadata = Metadata::default();
    metadata.insert("tokenizer.chat_template.tool_use", "{{ x.__class__ }}");
    metadata.insert("tokenizer.chat_template", Value::String(b"\n\xff{{ x.__class__ }}".as_slice().into()));
    metadata.insert("tokenizer.chat_templates", vec![gguf_format::GgufString::from("tool_use")]);
    metadata.insert("tokenizer.chat_template.number", 1u32);
    metadata.insert("general.name", "{{ x.__class__ }}");
    let told: Vec<String> = lint_templates(&metadata).iter().map(ToString::to_string).collect();
    let expected = [
        "tool_use:1: danger: \"__class__\" leads to Python's internals",
        "default:1: danger: \"a byte\" is not text: the template is not UTF-8",
        "default:2: danger: \"__class__\" leads to Python's internals",
    ];
    assert_eq!(told, expected);
}

#[test]
fn findings_are_told_in_json_by_words() {
    let json = serde_json::to_value(lint_template("t", "{% include 'a' %}")).unwrap();
    let expected = serde_json::json!([
        {"template": "t", "line": 1, "level": "danger", "issue": "other_template", "found": "a"}
    ]);
    assert_eq!(json, expected);
}

proptest::proptest! {
    #[test]
    fn any_text_is_taken(source in "(\\{\\{|\\}\\}|\\{%|%\\}|if |set a = |for a in |macro f\\(|messages|\\.content|'|\"|\\(|\\)|\\[|\\]|\\||~| in |[a-z\\\\_0-9\u{202e}é\n]){0,60}") {
        for finding in lint_template("t", &source) {
            proptest::prop_assert!(finding.line >= 1 && finding.line <= source.matches('\n').count() + 1);
        }
    }
}
