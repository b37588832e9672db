//! What the tensors of an adapter are, by their names.

/// What a tensor of an adapter is to the weight it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// The factor that inputs meet first: `r` rows.
    A,
    /// The factor that gives outputs: `r` columns.
    B,
    /// What is added to the bias.
    BiasOfB,
    /// A of an embedding: `r` rows, a column for each token.
    EmbeddingA,
    /// B of an embedding: `r` columns, a row for each output.
    EmbeddingB,
    /// The lengths of DoRA.
    Magnitude,
    /// New rows for some tokens.
    Tokens,
    /// The weight itself, in place of the base's.
    Saved,
    /// The base's own weight, kept beside the factors.
    Base,
}

/// The ends of names that tell what a tensor is. Between the two parts the adapter's own name may stand.
const ENDS: &[(&str, &str, Role)] = &[
    ("lora_A", ".weight", Role::A),
    ("lora_B", ".weight", Role::B),
    ("lora_B", ".bias", Role::BiasOfB),
    ("lora_embedding_A", "", Role::EmbeddingA),
    ("lora_embedding_B", "", Role::EmbeddingB),
    ("lora_magnitude_vector", "", Role::Magnitude),
    ("lora_magnitude_vector", ".weight", Role::Magnitude),
    ("token_adapter.trainable_tokens_delta", "", Role::Tokens),
];

/// What peft's own names start with.
const PREFIXES: &[&str] = &["base_model.model.", "base_model."];

/// The module that a tensor belongs to (for a saved weight: the weight's whole name), how many parameters are wrapped
/// around the one it adapts, and what it is. `None` if the name is none of an adapter's.
pub(super) fn parse(name: &str) -> Option<(String, usize, Role)> {
    if name.contains(char::is_control) {
        return None;
    }
    let name = PREFIXES.iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name);
    if name.contains(".lora_") || name.contains(".token_adapter.") {
        let (wrapped, role) = ENDS.iter().find_map(|(start, end, role)| {
            let (module, rest) = name.rsplit_once(&format!(".{start}"))?;
            let between = rest.strip_suffix(end)?;
            let own_name = between.is_empty() || between.strip_prefix('.').is_some_and(|n| !n.contains('.'));
            own_name.then_some((module, *role))
        })?;
        let module = wrapped.replace(".base_layer", "");
        let depth = (wrapped.len() - module.len()) / ".base_layer".len();
        return Some((module, depth, role));
    }
    let parts: Vec<&str> = name.split('.').collect();
    if parts.contains(&"original_module") {
        return None;
    }
    let base = parts.contains(&"base_layer");
    let saved = parts.iter().position(|p| *p == "modules_to_save");
    let kept = parts.iter().enumerate().filter(|(i, part)| {
        // `modules_to_save` and the adapter's name after it.
        let wrapper = saved.is_some_and(|s| *i == s || (*i == s + 1 && parts.len() > s + 2));
        **part != "base_layer" && !wrapper
    });
    let name = kept.map(|(_, part)| *part).collect::<Vec<_>>().join(".");
    Some((name, 0, if base { Role::Base } else { Role::Saved }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_forms_are_understood() {
        let cases = [
            ("base_model.model.m.q.lora_A.weight", "m.q", 0, Role::A),
            ("base_model.model.m.q.lora_B.default.weight", "m.q", 0, Role::B),
            ("base_model.model.m.q.lora_B.bias", "m.q", 0, Role::BiasOfB),
            ("base_model.model.m.experts.base_layer.lora_A.weight", "m.experts", 1, Role::A),
            ("base_model.model.e.lora_embedding_A", "e", 0, Role::EmbeddingA),
            ("base_model.model.e.lora_embedding_B.mine", "e", 0, Role::EmbeddingB),
            ("base_model.model.e.lora_magnitude_vector", "e", 0, Role::Magnitude),
            ("base_model.model.e.lora_magnitude_vector.default.weight", "e", 0, Role::Magnitude),
            ("base_model.model.e.token_adapter.trainable_tokens_delta", "e", 0, Role::Tokens),
            ("base_model.model.lm_head.weight", "lm_head.weight", 0, Role::Saved),
            ("base_model.model.lm_head.modules_to_save.weight", "lm_head.weight", 0, Role::Saved),
            ("base_model.model.lm_head.modules_to_save.default.weight", "lm_head.weight", 0, Role::Saved),
            ("base_model.model.m.q.base_layer.bias", "m.q.bias", 0, Role::Base),
        ];
        for (name, module, depth, role) in cases {
            assert_eq!(parse(name), Some((module.to_owned(), depth, role)), "{name}");
        }
        assert_eq!(parse("base_model.model.m.q.lora_C.weight"), None);
        assert_eq!(parse("base_model.model.m\n.q.lora_A.weight"), None);
        assert_eq!(parse("base_model.model.m.q.lora_A.a.b.weight"), None);
        assert_eq!(parse("base_model.model.lm_head.original_module.weight"), None);
    }
}
