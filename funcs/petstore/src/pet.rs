//! `Pet`, and the operations on pets.

use funcatron_guest::{Json, Problem, Request, Response, Result};
use serde::{Deserialize, Serialize};

use crate::credentials::{self, Scheme};
use crate::store::{self, ApiResponse, Store};

/// A pet, as the document describes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pet {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<i64>,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<Label>,
    pub(crate) photo_urls: Vec<String>,
    #[serde(default)]
    pub(crate) tags: Vec<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
}

/// A category or a tag.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Label {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Available,
    Pending,
    Sold,
}

pub(crate) fn add(request: &Request) -> Result<Json<Pet>> {
    credentials::check(request, &[Scheme::PetstoreAuth])?;
    let mut pet: Pet = request.json()?;
    let store = Store::open(request)?;
    pet.id = store::id_of_new(pet.id, store.pets.iter().map(|pet| pet.id));
    Ok(Json(pet))
}

pub(crate) fn update(request: &Request) -> Result<Json<Pet>> {
    credentials::check(request, &[Scheme::PetstoreAuth])?;
    let pet: Pet = request.json()?;
    match pet.id {
        Some(id) => find(request, id)?,
        None => return Err(Problem::not_found("a pet without an id is not in the store")),
    };
    Ok(Json(pet))
}

pub(crate) fn find_by_status(request: &Request) -> Result<Json<Vec<Pet>>> {
    credentials::check(request, &[Scheme::PetstoreAuth])?;
    let status = request.query("status")?.unwrap_or(Status::Available);
    let pets = Store::open(request)?.pets.into_iter();
    Ok(Json(pets.filter(|pet| pet.status == Some(status)).collect()))
}

pub(crate) fn find_by_tags(request: &Request) -> Result<Json<Vec<Pet>>> {
    credentials::check(request, &[Scheme::PetstoreAuth])?;
    let tags: Vec<String> = request.query("tags")?.unwrap_or_default();
    let has_tag =
        |pet: &Pet| pet.tags.iter().any(|tag| tag.name.as_ref().is_some_and(|name| tags.contains(name)));
    let pets = Store::open(request)?.pets.into_iter();
    Ok(Json(pets.filter(has_tag).collect()))
}

pub(crate) fn get(request: &Request) -> Result<Json<Pet>> {
    credentials::check(request, &[Scheme::ApiKey, Scheme::PetstoreAuth])?;
    find(request, request.path("petId")?).map(Json)
}

pub(crate) fn update_with_form(request: &Request) -> Result<Json<Pet>> {
    credentials::check(request, &[Scheme::PetstoreAuth])?;
    let mut pet = find(request, request.path("petId")?)?;
    if let Some(name) = request.query("name")? {
        pet.name = name;
    }
    if let Some(status) = request.query("status")? {
        pet.status = Some(status);
    }
    Ok(Json(pet))
}

pub(crate) fn delete(request: &Request) -> Result<Response> {
    credentials::check(request, &[Scheme::PetstoreAuth])?;
    let id: i64 = request.path("petId")?;
    store::delete(find(request, id).is_ok(), &format!("pet {id}"))?;
    Ok(Response::new(200))
}

pub(crate) fn upload_image(request: &Request) -> Result<Json<ApiResponse>> {
    credentials::check(request, &[Scheme::PetstoreAuth])?;
    let id: i64 = request.path("petId")?;
    find(request, id)?;
    let message = format!("{} bytes for pet {id}", request.body().len());
    Ok(Json(ApiResponse::new("image", message)))
}

fn find(request: &Request, id: i64) -> Result<Pet> {
    let mut pets = Store::open(request)?.pets.into_iter();
    let found = pets.find(|pet| pet.id == Some(id));
    found.ok_or_else(|| Problem::not_found(format!("no pet {id}")))
}

impl Pet {
    pub(crate) fn seed() -> Vec<Self> {
        use Status::{Available, Pending, Sold};
        let seed = [
            (1, "Cat 1", (2, "Cats"), Available),
            (2, "Cat 2", (2, "Cats"), Available),
            (3, "Cat 3", (2, "Cats"), Pending),
            (4, "Dog 1", (1, "Dogs"), Available),
            (5, "Dog 2", (1, "Dogs"), Sold),
            (6, "Dog 3", (1, "Dogs"), Pending),
            (7, "Lion 1", (4, "Lions"), Available),
            (8, "Lion 2", (4, "Lions"), Available),
            (9, "Rabbit 1", (3, "Rabbits"), Available),
            (10, "doggie", (1, "Dogs"), Available),
        ];
        let pet = |(id, name, (category, category_name), status)| Self {
            id: Some(id),
            name: String::from(name),
            category: Some(Label::new(category, category_name)),
            photo_urls: vec![format!("https://example.com/pets/{id}.jpg")],
            tags: vec![Label::new(1, "tag1"), Label::new(1 + id, &format!("tag{}", 1 + id))],
            status: Some(status),
        };
        seed.into_iter().map(pet).collect()
    }
}

impl Label {
    fn new(id: i64, name: &str) -> Self {
        Self { id: Some(id), name: Some(name.into()) }
    }
}
