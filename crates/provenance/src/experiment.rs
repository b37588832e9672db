//! Where a model came from: an experiment, a run, what went in and what came out.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, SecondsFormat, SubsecRound, Utc};
use gguf_format::{Metadata, Value};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::number::shortest;
use crate::pairs::{merge, reference_pairs, remove_references, to_text};
use crate::reference::{Kind, told};
use crate::text::{Lines, check_name, check_value};

const METRIC: &str = "entrenar.metric.";
const CUSTOM: &str = "entrenar.custom.";

/// The experiment and run that a model came from, written as `entrenar.*` keys, all strings.
///
/// Order of the pairs: `experiment_id`, `run_id`, `timestamp`, `config_hash`, `dataset`, `base_model`,
/// `git_commit`, then metrics and then custom entries, each sorted by name: the order in which they were set
/// leaves no trace in the file.
///
/// Base model and dataset are written a second time in the standard keys (`general.base_model.*`,
/// `general.dataset.*`). There, `organization/name` and URLs are taken apart as gguf-py does; paths of this
/// machine are cut down to their last part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExperimentProvenance {
    /// The experiment.
    pub experiment_id: String,
    /// The run within the experiment.
    pub run_id: String,
    /// When the model was made; written to the second.
    pub timestamp: DateTime<Utc>,
    /// A digest of the training configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_hash: Option<String>,
    /// The dataset: a name, an `organization/name` of the hub, or a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// The model that training started from: a name, an `organization/name` of the hub, or a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_model: Option<String>,
    /// The commit of the training code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_commit: Option<String>,
    /// What was measured, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// Anything else, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, String>,
}

impl ExperimentProvenance {
    /// A run of an experiment, dated now.
    #[must_use]
    pub fn new(experiment_id: impl Into<String>, run_id: impl Into<String>) -> Self {
        Self {
            experiment_id: experiment_id.into(),
            run_id: run_id.into(),
            timestamp: Utc::now().trunc_subsecs(0),
            config_hash: None,
            dataset: None,
            base_model: None,
            git_commit: None,
            metrics: BTreeMap::new(),
            custom: BTreeMap::new(),
        }
    }

    /// Dates the run, to the second. With a fixed date, the same export gives the same bytes.
    #[must_use]
    pub fn with_timestamp(mut self, timestamp: DateTime<Utc>) -> Self {
        self.timestamp = timestamp.trunc_subsecs(0);
        self
    }

    /// Sets the digest of the training configuration.
    #[must_use]
    pub fn with_config_hash(mut self, hash: impl Into<String>) -> Self {
        self.config_hash = Some(hash.into());
        self
    }

    /// Sets the dataset: a name, an `organization/name` of the hub, or a URL.
    #[must_use]
    pub fn with_dataset(mut self, dataset: impl Into<String>) -> Self {
        self.dataset = Some(dataset.into());
        self
    }

    /// Sets the model that training started from: a name, an `organization/name` of the hub, or a URL.
    #[must_use]
    pub fn with_base_model(mut self, base_model: impl Into<String>) -> Self {
        self.base_model = Some(base_model.into());
        self
    }

    /// Sets the commit of the training code.
    #[must_use]
    pub fn with_git_commit(mut self, commit: impl Into<String>) -> Self {
        self.git_commit = Some(commit.into());
        self
    }

    /// Sets a metric; one of the same name is replaced. A number that is not finite is an error at export.
    #[must_use]
    pub fn with_metric(mut self, name: impl Into<String>, value: f64) -> Self {
        self.metrics.insert(name.into(), value);
        self
    }

    /// Sets an entry of one's own; one of the same name is replaced.
    #[must_use]
    pub fn with_custom(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.custom.insert(name.into(), value.into());
        self
    }

    /// Whether everything can be written.
    ///
    /// # Errors
    /// A metric is not finite; a value is empty or has control characters (custom values may have line
    /// breaks, and may be empty); a name has characters that no key can have, or makes the key too long; the
    /// year has not four digits.
    pub fn validate(&self) -> Result<(), Error> {
        for (key, value) in self.fields() {
            check_value(key, &value, Lines::One)?;
        }
        if !(0..=9999).contains(&self.timestamp.year()) {
            return Err(Error::Timestamp { found: self.timestamp.to_string() });
        }
        for (name, &value) in &self.metrics {
            check_name("metric", METRIC, name)?;
            if !value.is_finite() {
                return Err(Error::NotFinite { metric: name.clone(), value });
            }
        }
        for (name, value) in &self.custom {
            check_name("custom", CUSTOM, name)?;
            if !value.trim().is_empty() {
                check_value(&format!("{CUSTOM}{name}"), value, Lines::Many)?;
            }
        }
        Ok(())
    }

    /// The fields with a key of their own, in order.
    fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let timestamp = self.timestamp.to_rfc3339_opts(SecondsFormat::Secs, true);
        [
            ("entrenar.experiment_id", Some(self.experiment_id.clone())),
            ("entrenar.run_id", Some(self.run_id.clone())),
            ("entrenar.timestamp", Some(timestamp)),
            ("entrenar.config_hash", self.config_hash.clone()),
            ("entrenar.dataset", self.dataset.as_deref().map(told).map(str::to_owned)),
            ("entrenar.base_model", self.base_model.as_deref().map(told).map(str::to_owned)),
            ("entrenar.git_commit", self.git_commit.clone()),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
    }

    fn own_pairs(&self) -> impl Iterator<Item = (String, String)> {
        let metrics = self.metrics.iter().map(|(name, &value)| (format!("{METRIC}{name}"), shortest(value)));
        let custom = self.custom.iter().map(|(name, value)| (format!("{CUSTOM}{name}"), value.clone()));
        self.fields().map(|(key, value)| (key.to_string(), value)).chain(metrics).chain(custom)
    }

    /// What the standard keys name: base model, then dataset.
    fn references(&self) -> impl Iterator<Item = (Kind, &str)> {
        [(Kind::BaseModel, &self.base_model), (Kind::Dataset, &self.dataset)]
            .into_iter()
            .filter_map(|(kind, text)| Some((kind, text.as_deref()?)))
    }

    fn standard_pairs(&self) -> impl Iterator<Item = (String, Value)> {
        self.references().flat_map(|(kind, text)| reference_pairs(kind, text))
    }

    /// The pairs as text: first the `entrenar.*` keys in the order that the type's documentation gives, then
    /// the standard keys for base model and dataset. (In a file, those stand with the other `general.*` keys.)
    ///
    /// Numbers are in the shortest form that reads back as the same number. Does not
    /// [validate](Self::validate).
    #[must_use]
    pub fn to_metadata_pairs(&self) -> Vec<(String, String)> {
        let standard = self.standard_pairs().map(|(key, value)| (key, to_text(&value)));
        self.own_pairs().chain(standard).collect()
    }

    /// The pairs as they go into a file: the standard keys, then `entrenar.*`.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn to_metadata(&self) -> Result<Metadata, Error> {
        self.validate()?;
        let own = self.own_pairs().map(|(key, value)| (key, Value::from(value)));
        Ok(self.standard_pairs().chain(own).collect())
    }

    /// Puts these pairs over those of a checkpoint: the `entrenar.*` keys at the end, the standard keys in
    /// their place. A base model set here replaces all that the checkpoint names; so does a dataset.
    ///
    /// # Errors
    /// As [`validate`](Self::validate); the metadata is then unchanged.
    pub fn merge_into(&self, metadata: &mut Metadata) -> Result<(), Error> {
        let pairs = self.to_metadata()?;
        for (kind, _) in self.references() {
            remove_references(metadata, kind);
        }
        merge(metadata, pairs);
        Ok(())
    }
}
