//! The keywords that lowering keeps, by what stands under them.

/// What stands under a schema keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    /// Copied as it is.
    Plain,
    /// A schema for the same value.
    SameValue,
    /// A schema for a part of the value.
    Part,
    /// A list of schemas for the same value.
    SameValueList,
    /// A list of schemas for parts of the value.
    PartList,
    /// Named schemas for parts of the value.
    PartMap,
    /// Named schemas for the same value.
    SameValueMap,
}

/// The keyword's kind, or `None` when it asserts nothing that we check.
pub(crate) fn kind(name: &str) -> Option<Keyword> {
    Some(match name {
        "type" | "enum" | "const" | "multipleOf" | "maximum" | "minimum" | "exclusiveMaximum"
        | "exclusiveMinimum" | "maxLength" | "minLength" | "pattern" | "maxItems" | "minItems"
        | "uniqueItems" | "maxContains" | "minContains" | "maxProperties" | "minProperties" | "required"
        | "dependentRequired" | "format" => Keyword::Plain,
        "not" | "if" | "then" | "else" => Keyword::SameValue,
        "items"
        | "contains"
        | "additionalProperties"
        | "propertyNames"
        | "unevaluatedItems"
        | "unevaluatedProperties" => Keyword::Part,
        "allOf" | "anyOf" | "oneOf" => Keyword::SameValueList,
        "prefixItems" => Keyword::PartList,
        "properties" | "patternProperties" => Keyword::PartMap,
        "dependentSchemas" => Keyword::SameValueMap,
        _ => return None,
    })
}
