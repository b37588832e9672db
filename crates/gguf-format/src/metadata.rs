//! The metadata of a file to be written: pairs in the order in which they stand in the file.

use indexmap::IndexMap;

use crate::value::Value;

/// Metadata pairs in file order, each key once.
///
/// Look-up takes the same time however many pairs there are; taking one out moves those behind it.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    pairs: IndexMap<String, Value>,
}

impl Metadata {
    /// No pairs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key: in its old place if it is there already, else at the end. Gives the old value back.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.pairs.insert(key.into(), value.into())
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.pairs.get(key)
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.pairs.shift_remove(key)
    }

    /// Keeps the pairs for which this is true, in one pass.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        self.pairs.retain(|key, value| keep(key, value));
    }

    /// Takes a key out and puts it back at the end, with this value.
    pub fn move_to_end(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        let key = key.into();
        self.remove(&key);
        self.insert(key, value);
    }

    /// The number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The pairs, in file order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.pairs.iter().map(|(k, v)| (k.as_str(), v))
    }
}

/// The same pairs in the same order.
impl PartialEq for Metadata {
    fn eq(&self, other: &Self) -> bool {
        self.pairs.iter().eq(&other.pairs)
    }
}

impl<K: Into<String>, V: Into<Value>> Extend<(K, V)> for Metadata {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        self.pairs.extend(pairs.into_iter().map(|(key, value)| (key.into(), value.into())));
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut metadata = Self::new();
        metadata.extend(pairs);
        metadata
    }
}

impl IntoIterator for Metadata {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.pairs.into_iter().collect::<Vec<_>>().into_iter()
    }
}
