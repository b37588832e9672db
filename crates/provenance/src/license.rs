//! Licences: SPDX ids, and what the Hugging Face hub writes in their place.

use std::fmt;

use serde::{Deserialize, Serialize};
use spdx::{Expression, ParseMode};

use crate::error::Error;

macro_rules! licenses {
    ($($variant:ident $spdx:literal $hub:literal $title:literal;)*) => {
        /// A licence.
        ///
        /// The frequent ones have a variant. [`License::Spdx`] is any other licence or expression of the SPDX
        /// list, [`License::Custom`] one that no list knows. As JSON, a licence is its SPDX id or expression; a
        /// custom one is `{"custom": "its name"}`.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "Written", into = "Written")]
        #[non_exhaustive]
        pub enum License {
            $(#[doc = concat!($title, ", SPDX `", $spdx, "`.")] $variant,)*
            /// An SPDX id or expression without a variant of its own: `Zlib`, `MIT OR Apache-2.0`.
            Spdx(String),
            /// A licence that is on no list, by its name.
            Custom(String),
        }

        impl License {
            /// The licences that have a variant of their own.
            pub const ALL: &'static [License] = &[$(License::$variant,)*];

            /// The SPDX id or expression; `None` for a custom licence.
            #[must_use]
            pub fn spdx_id(&self) -> Option<&str> {
                match self {
                    $(Self::$variant => Some($spdx),)*
                    Self::Spdx(expression) => Some(expression),
                    Self::Custom(_) => None,
                }
            }

            /// The id in a model card of the Hugging Face hub, which is in lower case and knows no difference
            /// between `-only` and `-or-later`; `other` for a custom licence.
            #[must_use]
            pub fn hub_id(&self) -> String {
                match self {
                    $(Self::$variant => $hub.to_string(),)*
                    Self::Spdx(expression) => expression.to_ascii_lowercase(),
                    Self::Custom(_) => "other".to_string(),
                }
            }
        }
    };
}

licenses! {
    Mit         "MIT"               "mit"             "The MIT licence";
    Apache2     "Apache-2.0"        "apache-2.0"      "The Apache licence, version 2.0";
    Bsd2        "BSD-2-Clause"      "bsd-2-clause"    "The BSD licence with two clauses";
    Bsd3        "BSD-3-Clause"      "bsd-3-clause"    "The BSD licence with three clauses";
    Isc         "ISC"               "isc"             "The ISC licence";
    Mpl2        "MPL-2.0"           "mpl-2.0"         "The Mozilla public licence, version 2.0";
    Gpl2        "GPL-2.0-only"      "gpl-2.0"         "The GNU GPL, version 2 only";
    Gpl2OrLater "GPL-2.0-or-later"  "gpl-2.0"         "The GNU GPL, version 2 or later";
    Gpl3        "GPL-3.0-only"      "gpl-3.0"         "The GNU GPL, version 3 only";
    Gpl3OrLater "GPL-3.0-or-later"  "gpl-3.0"         "The GNU GPL, version 3 or later";
    Lgpl3       "LGPL-3.0-only"     "lgpl-3.0"        "The GNU LGPL, version 3 only";
    Agpl3       "AGPL-3.0-only"     "agpl-3.0"        "The GNU AGPL, version 3 only";
    Unlicense   "Unlicense"         "unlicense"       "The Unlicense";
    Cc0         "CC0-1.0"           "cc0-1.0"         "Creative Commons Zero, version 1.0";
    CcBy4       "CC-BY-4.0"         "cc-by-4.0"       "Creative Commons Attribution, version 4.0";
    CcBySa4     "CC-BY-SA-4.0"      "cc-by-sa-4.0"    "Creative Commons Attribution, ShareAlike, version 4.0";
    CcByNc4     "CC-BY-NC-4.0"      "cc-by-nc-4.0"    "Creative Commons Attribution, NonCommercial, version 4.0";
    CcByNd4     "CC-BY-ND-4.0"      "cc-by-nd-4.0"    "Creative Commons Attribution, NoDerivatives, version 4.0";
    CcByNcSa4   "CC-BY-NC-SA-4.0"   "cc-by-nc-sa-4.0" "Creative Commons Attribution, NonCommercial, ShareAlike, 4.0";
    CcByNcNd4   "CC-BY-NC-ND-4.0"   "cc-by-nc-nd-4.0" "Creative Commons Attribution, NonCommercial, NoDerivatives, 4.0";
}

/// Ids that the Hugging Face hub has and SPDX has not (documentation of model cards, table of licences).
const HUB_ONLY: &[&str] = &[
    "apple-amlr",
    "apple-ascl",
    "bigcode-openrail-m",
    "bigscience-bloom-rail-1.0",
    "bigscience-openrail-m",
    "bsd",
    "c-uda",
    "cc",
    "creativeml-openrail-m",
    "deepfloyd-if-license",
    "fair-noncommercial-research-license",
    "gemma",
    "gfdl",
    "gpl",
    "grok2-community",
    "h-research",
    "intel-research",
    "lgpl",
    "lgpl-lr",
    "llama2",
    "llama3",
    "llama3.1",
    "llama3.2",
    "llama3.3",
    "llama4",
    "odbl",
    "odc-by",
    "openrail",
    "openrail++",
    "other",
    "pddl",
    "unknown",
];

/// Valid SPDX, plus the ids that SPDX has deprecated: model cards are full of `gpl-3.0`.
const MODE: ParseMode =
    ParseMode { allow_deprecated: true, allow_postfix_plus_on_gpl: true, ..ParseMode::STRICT };

impl License {
    /// Reads an SPDX id or expression, or an id of the Hugging Face hub that means one; ids in any case.
    /// `None` if it is neither.
    ///
    /// `GPL-3.0`, deprecated, is read as `GPL-3.0-only`, which is what SPDX says it meant.
    #[must_use]
    pub fn from_spdx(text: &str) -> Option<Self> {
        let text = text.trim();
        let known = Self::ALL.iter().find(|license| {
            license.spdx_id().is_some_and(|id| id.eq_ignore_ascii_case(text))
                || license.hub_id().eq_ignore_ascii_case(text)
        });
        if let Some(license) = known {
            return Some(license.clone());
        }
        if let Some(listed) = listed(text) {
            return Some(Self::Spdx(listed.to_string()));
        }
        Expression::parse_mode(text, MODE).ok().map(|_| Self::Spdx(text.to_string()))
    }

    /// Whether the licence is what its variant says: an SPDX expression that parses, a custom name that is
    /// not empty.
    ///
    /// # Errors
    /// [`Error::License`] or [`Error::Empty`].
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Spdx(expression) => check(expression),
            Self::Custom(name) => crate::text::check_value("license", name, crate::text::Lines::One),
            _ => Ok(()),
        }
    }
}

/// The SPDX id in its proper case.
fn listed(text: &str) -> Option<&'static str> {
    spdx::identifiers::LICENSES.iter().map(|license| license.name).find(|id| id.eq_ignore_ascii_case(text))
}

/// Whether a text can stand in `general.license`: an SPDX expression, an SPDX id in any case, or an id of the
/// Hugging Face hub; several of them with commas, as the converter writes the list of a model card.
pub(crate) fn check(text: &str) -> Result<(), Error> {
    let ids: Vec<&str> = text.split(',').map(str::trim).collect();
    let all_listed =
        ids.iter().all(|id| HUB_ONLY.iter().any(|hub| hub.eq_ignore_ascii_case(id)) || listed(id).is_some());
    if all_listed {
        return Ok(());
    }
    let Err(error) = Expression::parse_mode(text, MODE) else { return Ok(()) };
    let hint = match spdx::imprecise_license_id(text) {
        Some((id, _)) => format!("{} may be meant", id.name),
        None => error.reason.to_string(),
    };
    Err(Error::License { found: text.to_string(), hint })
}

/// The SPDX id, or the name of a custom licence.
impl fmt::Display for License {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Custom(name) => f.pad(name),
            listed => f.pad(listed.spdx_id().unwrap_or_default()),
        }
    }
}

/// The text that [`GeneralMetadata::with_license`](crate::GeneralMetadata::with_license) takes: the SPDX id.
impl From<License> for String {
    fn from(license: License) -> Self {
        license.to_string()
    }
}

/// A licence as it stands in JSON.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Id(String),
    Custom(CustomName),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomName {
    custom: String,
}

impl From<License> for Written {
    fn from(license: License) -> Self {
        match license {
            License::Custom(custom) => Self::Custom(CustomName { custom }),
            listed => Self::Id(listed.to_string()),
        }
    }
}

impl TryFrom<Written> for License {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        match written {
            Written::Custom(CustomName { custom }) => {
                let license = Self::Custom(custom);
                license.validate()?;
                Ok(license)
            }
            Written::Id(id) => Self::from_spdx(&id).ok_or_else(|| {
                check(&id).err().unwrap_or_else(|| Error::License {
                    found: id,
                    hint: "an id of Hugging Face that no SPDX licence stands behind".to_string(),
                })
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_is_on_the_spdx_list_and_reads_back() {
        for license in License::ALL {
            let id = license.spdx_id().unwrap();
            assert!(spdx::license_id(id).is_some_and(|l| !l.is_deprecated()), "{id}");
            assert_eq!(License::from_spdx(id).as_ref(), Some(license));
            assert_eq!(License::from_spdx(&id.to_lowercase()).as_ref(), Some(license));
            assert_eq!(check(&license.hub_id()), Ok(()));
            assert_eq!(license.to_string(), id);
        }
    }

    #[test]
    fn other_licences_and_expressions() {
        assert_eq!(License::from_spdx("zlib"), Some(License::Spdx("Zlib".into())));
        assert_eq!(License::from_spdx("GPL-3.0"), Some(License::Gpl3));
        let either = "MIT OR Apache-2.0";
        assert_eq!(License::from_spdx(either), Some(License::Spdx(either.into())));
        for nonsense in ["", "MITT", "MIT OR", "llama3.1", "MIT Apache-2.0", "(MIT"] {
            assert_eq!(License::from_spdx(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn no_id_of_the_hub_is_listed_twice() {
        assert!(HUB_ONLY.is_sorted());
        for id in HUB_ONLY {
            assert_eq!(listed(id), None, "{id} is on the SPDX list");
            assert_eq!(check(id), Ok(()));
        }
    }

    #[test]
    fn a_wrong_licence_says_what_may_be_meant() {
        for text in
            ["mit", "MIT", "Apache-2.0 WITH LLVM-exception", "LicenseRef-mine", "mit, llama2", "GPL-2.0+"]
        {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        let Err(Error::License { found, hint }) = check("apache 2") else { panic!("accepted") };
        assert_eq!((found.as_str(), hint.as_str()), ("apache 2", "Apache-2.0 may be meant"));
        for text in ["", "proprietary", "mit,", "ünïcode", "MIT\0"] {
            assert!(matches!(check(text), Err(Error::License { .. })), "{text:?}");
        }
    }

    #[test]
    fn json_reads_back_and_refuses_nonsense() {
        let custom = License::Custom("Our own".into());
        let zlib = License::Spdx("Zlib".into());
        for license in License::ALL.iter().chain([&custom, &zlib]) {
            let json = serde_json::to_string(license).unwrap();
            assert_eq!(&serde_json::from_str::<License>(&json).unwrap(), license, "{json}");
        }
        assert_eq!(serde_json::to_string(&License::Mit).unwrap(), r#""MIT""#);
        assert_eq!(serde_json::to_string(&custom).unwrap(), r#"{"custom":"Our own"}"#);
        for json in [r#""MITT""#, r#""""#, r#""gemma""#, r#"{"custom":" "}"#, r#"{"custom":"a","b":1}"#, "3"]
        {
            assert!(serde_json::from_str::<License>(json).is_err(), "{json}");
        }
    }
}
