//! `target_parameters`: parameters of modules of experts that are adapted by themselves.

use std::collections::{HashMap, HashSet};

/// In which order modules of experts have their parameters.
const ORDER: &[&str] = &["gate_up_proj", "gate_up_proj_bias", "down_proj", "down_proj_bias"];

/// More different parameters than modules of experts have: each may be every module's.
const MAX_NAMES: usize = 256;

/// The parameters, by how the names of their modules end: a target is the end of a parameter's whole name, from a dot on.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// By the part of the target before its last dot, empty if it has none: parameters, with their targets' places in the list.
    by_end: HashMap<String, Vec<(usize, String)>>,
}

impl Parameters {
    /// From the list; `None` if there are more different parameters than any model has.
    pub(super) fn new(targets: Vec<&str>) -> Option<Self> {
        let mut by_end = HashMap::<String, Vec<(usize, String)>>::new();
        let (mut names, mut known) = (HashSet::new(), HashSet::new());
        for (place, target) in targets.into_iter().enumerate() {
            let (end, parameter) = target.rsplit_once('.').unwrap_or(("", target));
            names.insert(parameter);
            if names.len() > MAX_NAMES {
                return None;
            }
            if known.insert(target) {
                by_end.entry(end.to_owned()).or_default().push((place, parameter.to_owned()));
            }
        }
        Some(Self { by_end })
    }

    /// The parameters of a module, in the module's order; those that are not known last, in the list's.
    pub(super) fn of(&self, module: &str) -> Vec<&str> {
        let dots = module.match_indices('.').filter_map(|(at, _)| module.get(at + 1..));
        let ends = ["", module].into_iter().chain(dots.filter(|end| !end.is_empty()));
        let mut found: Vec<_> = ends.filter_map(|end| self.by_end.get(end)).flatten().collect();
        found.sort_unstable();
        let mut names = Vec::<&str>::new();
        for (_, name) in found {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names.sort_by_key(|p| ORDER.iter().position(|known| known == p).unwrap_or(ORDER.len()));
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_the_end_of_a_name_from_a_dot_on() {
        let targets =
            ["experts.down_proj", "extra", "mlp.experts.gate_up_proj", "0.mlp.experts.other", "perts.no"];
        let parameters = Parameters::new(targets.to_vec()).unwrap();
        assert_eq!(
            parameters.of("model.layers.0.mlp.experts"),
            ["gate_up_proj", "down_proj", "extra", "other"]
        );
        assert_eq!(parameters.of("model.layers.1.mlp.experts"), ["gate_up_proj", "down_proj", "extra"]);
        assert_eq!(parameters.of("experts"), ["down_proj", "extra"]);
        assert_eq!(parameters.of("model.embed_tokens"), ["extra"]);
        assert!(Parameters::default().of("experts").is_empty());
    }

    #[test]
    fn the_first_place_of_a_name_counts() {
        let parameters = Parameters::new(vec!["a.y", "x", "y", "a.y", "x"]).unwrap();
        assert_eq!(parameters.of("a"), ["y", "x"]);
        assert_eq!(parameters.of("b"), ["x", "y"]);
    }

    #[test]
    fn no_more_parameters_than_any_model_has() {
        let names: Vec<String> = (0..=MAX_NAMES).map(|n| format!("p{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(Parameters::new(names[..MAX_NAMES].to_vec()).is_some());
        assert!(Parameters::new(names).is_none());
    }
}
