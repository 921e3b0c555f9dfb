//! One struct a block of the file: keys that mean something here are typed, the others are known by name.

/// Declares a block.
///
/// ```text
/// block! { /// docs
///     Name { key: Type = default, … }      keys with a meaning
///     later { key … }                      known, without effect yet: a warning where they are set
///     quiet { key … }                      known; what they tune does not exist here, so leaving them out changes nothing
/// }
/// ```
///
/// Any other key is an error that names its place.
macro_rules! block {
    (
        $(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $type:ty = $default:expr,)* }
        later { $($later:ident)* }
        quiet { $($quiet:ident)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, serde::Deserialize, serde::Serialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$attr])* pub $field: $type,)*
            $(#[serde(skip_serializing)] pub(super) $later: ::config::Inert,)*
            $(#[serde(skip_serializing)] pub(super) $quiet: ::config::Inert,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $default,)*
                    $($later: ::config::Inert::default(),)*
                    $($quiet: ::config::Inert::default(),)*
                }
            }
        }

        impl $name {
            /// Adds a warning for each key that is set and has no effect yet.
            #[allow(unused_variables, dead_code)]
            pub(super) fn warn(&self, block: &str, warnings: &mut ::config::Warnings) {
                $(warnings.not_acted_on(&super::block::key(block, stringify!($later)), &self.$later);)*
            }
        }
    };
}

pub(super) use block;

/// The path of a key; keys of the file itself have no block.
pub(super) fn key(block: &str, name: &str) -> String {
    if block.is_empty() { name.to_owned() } else { format!("{block}.{name}") }
}
