//! Why a single option could not be read or asked for. Problems with what a person wrote are in [`super::Problem`].

use super::value::Mismatch;

/// A single option could not be read or asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The option has no value and no default.
    #[error("option `{key}` has no value; set it with `--{flag}`")]
    Missing {
        /// Key of the option.
        key: String,
        /// Its flag without dashes.
        flag: String,
    },
    /// The value is not what the option accepts.
    #[error("option `{key}`, set by {from}, cannot be used")]
    Wrong {
        /// Key of the option.
        key: String,
        /// Where the value was written.
        from: String,
        /// What is wrong with it.
        #[source]
        mismatch: Box<Mismatch>,
    },
    /// A reference in the value could not be replaced.
    #[error("option `{key}`, set by {from}, refers to what cannot be used")]
    Reference {
        /// Key of the option.
        key: String,
        /// Where the value was written.
        from: String,
        /// What is wrong with the reference.
        #[source]
        error: ReferenceError,
    },
    /// The extension did not ask for the option, so its view does not have it.
    #[error("option `{key}` is not in this view: list it under `config_options`")]
    NotRequested {
        /// Key of the option.
        key: String,
    },
    /// The option hangs at an entity option and no entity was named.
    #[error(
        "option `{key}` has one value per entity of `{at}`, and this view belongs to none of them"
    )]
    NoEntity {
        /// Key of the option.
        key: String,
        /// Key of the entity option.
        at: String,
    },
    /// Two extensions declare one key with different meanings.
    #[error("option `{key}` is declared differently by `{first}` and `{second}`: {difference}")]
    Conflict {
        /// Key of the option.
        key: String,
        /// Who declared it first.
        first: String,
        /// Who declared it otherwise.
        second: String,
        /// What differs.
        difference: String,
    },
    /// The declaration of an option contradicts itself.
    #[error("option `{key}` of `{owner}` cannot be declared like this: {reason}")]
    Declaration {
        /// Key of the option.
        key: String,
        /// Who declared it.
        owner: String,
        /// What is wrong.
        reason: String,
    },
}

/// A reference like `${output.dir}` could not be replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// Nobody knows the key, or it has no value.
    #[error("`${{{name}}}` refers to nothing{}", near.as_ref().map(|near| format!(": did you mean `${{{near}}}`?")).unwrap_or_default())]
    Unknown {
        /// The key as it was written.
        name: String,
        /// The nearest key that has a value.
        near: Option<String>,
    },
    /// The key exists but has neither a value nor a default.
    #[error("`${{{name}}}` refers to an option without a value")]
    Unset {
        /// The key as it was written.
        name: String,
    },
    /// It would show a secret.
    #[error("`${{{name}}}` is a secret, which only another secret can refer to")]
    Secret {
        /// The key as it was written.
        name: String,
    },
    /// A reference in a secret; which one is not shown.
    #[error(
        "a reference in a text that is not shown cannot be replaced; `$${{` stands for the characters `${{`"
    )]
    Hidden,
    /// Values refer to each other in a circle.
    #[error("the references go round in a circle: {}", path.join(" → "))]
    Cycle {
        /// The keys on the way; the first and the last are the same.
        path: Vec<String>,
    },
    /// `${` without `}`, or something between them that is no key.
    #[error(
        "`{text}` is not a reference; a reference is `${{key}}`, and `$${{` stands for the characters `${{`"
    )]
    Malformed {
        /// The beginning of what was written.
        text: String,
    },
    /// The text would become too long.
    #[error("with its references replaced the text is longer than {limit} bytes")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
}
