//! `Body` is the documented request body of an operation.

use serde_json::Value;

use crate::{
    Fault, Location, Payload, Refusal, Request,
    media::{self, Content},
    multipart,
    parameter::{Pairs, Parameter},
    parameters::shape_of,
    schema::Shape,
    secrets::{self, Secrets},
};

/// What a request may carry.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) required: bool,
    pub(crate) content: Content,
    /// The fields of a Swagger 2.0 form, which has no schema of its own.
    pub(crate) fields: Vec<Parameter>,
    shape: Shape,
}

impl Body {
    pub(crate) fn new(required: bool, content: Content, fields: Vec<Parameter>) -> Body {
        let shape = shape_of(&fields);
        Body { required, content, fields, shape }
    }

    /// Refuses a body of a type that is not documented.
    pub(crate) fn check_type(&self, request: &Request<'_>) -> Result<(), Refusal> {
        if request.body.is_empty() || self.content.media.is_empty() {
            return Ok(());
        }
        let content_type = request.header("content-type").unwrap_or_default();
        if self.content.pick(content_type).is_some() {
            return Ok(());
        }
        Err(Refusal::new(
            415,
            format!("the content type is not accepted; accepted: {}", self.content.accepted()),
        ))
    }

    /// Whether a check of this body has to read it.
    pub(crate) fn reads(&self, request: &Request<'_>) -> bool {
        let content_type = request.header("content-type").unwrap_or_default();
        !self.fields.is_empty()
            || self.content.pick(content_type).is_some_and(|media| media.reads(content_type))
    }

    /// Where the secrets of a body are, of which perhaps no byte is there.
    pub(crate) fn secrets(&self, content_type: &str, body: Option<&[u8]>) -> Secrets {
        let secret = || self.fields.iter().filter(|field| field.is_secret());
        if secret().next().is_none() {
            return self.content.secrets(content_type, body);
        }
        match body {
            Some(body) if media::is_form(content_type) => {
                secrets::of_form(body, |name| secret().any(|field| field.is_found_under(name)))
            }
            _ => Secrets::Somewhere,
        }
    }

    /// Checks what there is to read of a body.
    pub(crate) fn check(&self, request: &Request<'_>, faults: &mut Vec<Fault>) {
        let Payload::Whole(body) = request.body else { return };
        if body.is_empty() {
            if self.required {
                faults.push(Fault::new(Location::Body, "", "a body is required"));
            }
            return;
        }
        let content_type = request.header("content-type").unwrap_or_default();
        if !self.fields.is_empty() {
            return self.check_form(content_type, body, faults);
        }
        if let Some(media) = self.content.pick(content_type) {
            media.check(content_type, body, Location::Body, faults);
        }
    }

    fn check_form(&self, content_type: &str, body: &[u8], faults: &mut Vec<Fault>) {
        let refused = if is_multipart(content_type) {
            multipart::read(content_type, body, &self.shape)
                .map(|form| self.check_object(form, body.len(), faults))
        } else {
            media::text(body).and_then(Pairs::query).map(|pairs| {
                for field in &self.fields {
                    field.find(&pairs, faults);
                }
            })
        };
        if let Err(reason) = refused {
            faults.push(Fault::new(Location::Body, "", reason));
        }
    }

    fn check_object(&self, form: Value, bytes: usize, faults: &mut Vec<Fault>) {
        let Value::Object(mut object) = form else { return };
        for field in &self.fields {
            match object.remove(&field.name) {
                Some(value) => field.checked(value, bytes, faults),
                None => field.absent(faults),
            };
        }
    }
}

fn is_multipart(content_type: &str) -> bool {
    content_type.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
}
