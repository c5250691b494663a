//! `Content` is a documented body by media type: it picks the type and checks the bytes.

use std::fmt;

use serde_json::Value;

use crate::{
    Fault, Location, form, multipart,
    schema::{Schema, Shape},
    secrets::{Secret, Secrets},
};

/// The media types of a body, in document order.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) media: Vec<Media>,
}

/// One media type and the schema of its bodies.
#[derive(Debug)]
pub(crate) struct Media {
    pub(crate) range: Range,
    pub(crate) schema: Option<Schema>,
    pub(crate) shape: Shape,
    pub(crate) secret: Secret,
}

/// `type/subtype`, where either may be `*`; lower case, without parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range(String);

/// How the bytes of a media type are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Form,
    Multipart,
    Text,
    Binary,
}

impl Range {
    pub(crate) fn parse(text: &str) -> Option<Range> {
        let essence = text.split(';').next().unwrap_or_default().trim();
        let (kind, subtype) = essence.split_once('/')?;
        let is_token = |token: &str| {
            !token.is_empty()
                && token
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte))
        };
        (is_token(kind) && is_token(subtype)).then(|| Range(essence.to_ascii_lowercase()))
    }

    /// Whether bodies of this type are text that only the schema gives types to.
    pub(crate) fn is_typed_by_schema(&self) -> bool {
        self.0.contains('*') || matches!(kind(&self.0), Kind::Form | Kind::Multipart | Kind::Text)
    }

    /// How exactly it fits a concrete type: 3 exact, 2 `type/*`, 1 `*/*`.
    fn fit(&self, concrete: &str) -> Option<u8> {
        match self.0.strip_suffix("/*") {
            _ if self.0.eq_ignore_ascii_case(concrete) => Some(3),
            Some("*") => Some(1),
            Some(kind) if concrete.split('/').next().is_some_and(|own| own.eq_ignore_ascii_case(kind)) => {
                Some(2)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Content {
    /// The entry for a `Content-Type`: exact, then `type/*`, then `*/*`.
    pub(crate) fn pick(&self, content_type: &str) -> Option<&Media> {
        let concrete = content_type.split(';').next().unwrap_or_default().trim();
        let fits = self.media.iter().filter_map(|media| Some((media.range.fit(concrete)?, media)));
        // `max_by_key` takes the last of equals; documents are read from the top.
        fits.rev().max_by_key(|(fit, _)| *fit).map(|(_, media)| media)
    }

    /// Where the secrets of a body are, of which perhaps no byte is there. One whose type is not documented may be
    /// any of those that are.
    pub(crate) fn secrets(&self, content_type: &str, body: Option<&[u8]>) -> Secrets {
        let has_secrets = |media: &Media| media.secret.is_somewhere();
        match (self.pick(content_type), body) {
            (Some(media), Some(body)) => media.secrets(content_type, body),
            (Some(media), None) if has_secrets(media) => Secrets::Somewhere,
            (None, _) if self.media.iter().any(has_secrets) => Secrets::Somewhere,
            _ => Secrets::None,
        }
    }

    pub(crate) fn accepted(&self) -> String {
        self.media.iter().map(|media| media.range.0.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl Media {
    /// Whether a check of a body of this type has to read it.
    pub(crate) fn reads(&self, content_type: &str) -> bool {
        match kind(content_type) {
            Kind::Json => true,
            Kind::Binary => false,
            Kind::Form | Kind::Multipart | Kind::Text => self.schema.is_some(),
        }
    }

    /// Checks the bytes of a body of this type.
    pub(crate) fn check(&self, content_type: &str, body: &[u8], location: Location, faults: &mut Vec<Fault>) {
        let Some(schema) = &self.schema else {
            if kind(content_type) == Kind::Json
                && let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(body)
            {
                faults.push(Fault::new(location, "", not_json(&error)));
            }
            return;
        };
        let value = match self.value(content_type, body) {
            Ok(Some(value)) => value,
            Ok(None) => return,
            Err(reason) => return faults.push(Fault::new(location, "", reason)),
        };
        if let Err(mistakes) = schema.check(&value, body.len()) {
            faults.extend(
                mistakes.into_iter().map(|mistake| Fault::new(location, mistake.pointer, mistake.reason)),
            );
        }
    }

    /// Where the secrets of a body of this type are.
    pub(crate) fn secrets(&self, content_type: &str, body: &[u8]) -> Secrets {
        match kind(content_type) {
            Kind::Json => self.secret.of_json(body),
            Kind::Form => self.secret.of_form(body),
            // To take parts of one apart nobody needed yet.
            Kind::Multipart | Kind::Text | Kind::Binary if self.secret.is_somewhere() => Secrets::Somewhere,
            Kind::Multipart | Kind::Text | Kind::Binary => Secrets::None,
        }
    }

    /// The body as a value for the schema; `None` for bytes that no schema describes.
    fn value(&self, content_type: &str, body: &[u8]) -> Result<Option<Value>, String> {
        match kind(content_type) {
            Kind::Json => serde_json::from_slice(body).map(Some).map_err(|error| not_json(&error)),
            Kind::Form => form::read(body, &self.shape).map(Some),
            Kind::Multipart => multipart::read(content_type, body, &self.shape).map(Some),
            Kind::Text => text(body).map(|text| Some(self.shape.value(text))),
            Kind::Binary => Ok(None),
        }
    }
}

fn not_json(error: &serde_json::Error) -> String {
    format!("is not valid JSON: {error}")
}

pub(crate) fn text(body: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(body).map_err(|error| format!("is not UTF-8: {error}"))
}

/// Whether bodies of this type are JSON.
pub(crate) fn is_json(content_type: &str) -> bool {
    kind(content_type) == Kind::Json
}

/// Whether bodies of this type are pairs of names and values.
pub(crate) fn is_form(content_type: &str) -> bool {
    kind(content_type) == Kind::Form
}

fn kind(content_type: &str) -> Kind {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let ends_with = |tail: &str| {
        let at = essence.len().wrapping_sub(tail.len());
        essence.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(tail))
    };
    if ends_with("/json") || ends_with("+json") {
        Kind::Json
    } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Kind::Form
    } else if essence.eq_ignore_ascii_case("multipart/form-data") {
        Kind::Multipart
    } else if essence.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/")) {
        Kind::Text
    } else {
        Kind::Binary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_beats_type_beats_star() {
        let media = ["*/*", "application/*", "application/json"];
        let media = media.map(|text| Media {
            range: Range::parse(text).unwrap(),
            schema: None,
            shape: Shape::default(),
            secret: Secret::default(),
        });
        let content = Content { media: media.into() };
        let picked = |text: &str| content.pick(text).unwrap().range.to_string();
        assert_eq!(picked("Application/JSON; charset=utf-8"), "application/json");
        assert_eq!(picked("application/xml"), "application/*");
        assert_eq!(picked("text/plain"), "*/*");
    }

    #[test]
    fn kinds_are_told_by_type() {
        assert_eq!(kind("application/problem+json;x=1"), Kind::Json);
        assert_eq!(kind("Text/Plain"), Kind::Text);
        assert_eq!(kind("application/octet-stream"), Kind::Binary);
        assert_eq!(kind("é"), Kind::Binary);
        assert_eq!(kind(""), Kind::Binary);
    }
}
