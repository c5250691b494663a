//! The operations as a client sees them.

use funcatron_guest::{Request, Response};
use serde_json::{Value, json};

use crate::func;

fn call(request: Request) -> Response {
    func().call(&request.with_header("authorization", "Bearer special-token"))
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

#[test]
fn pet_of_the_seed_is_found_and_another_is_not() {
    let found = call(Request::new("getPetById").with_path("petId", 1));
    assert_eq!((found.status_code(), body(&found)["name"].as_str()), (200, Some("Cat 1")));
    assert_eq!(call(Request::new("getPetById").with_path("petId", 77)).status_code(), 404);
}

#[test]
fn pet_that_is_added_can_be_followed() {
    let sent = json!({ "id": 4711, "name": "Rex", "photoUrls": [], "status": "sold" });
    let added = body(&call(Request::new("addPet").with_json(sent)));
    assert_eq!((added["name"].as_str(), added["id"].as_i64()), (Some("Rex"), Some(10)));
    let followed = call(Request::new("getPetById").with_path("petId", &added["id"]));
    assert_eq!(followed.status_code(), 200);
}

#[test]
fn deleted_pet_is_absent_and_the_seed_stays() {
    assert_eq!(call(Request::new("deletePet").with_path("petId", 77)).status_code(), 200);
    assert_eq!(call(Request::new("deletePet").with_path("petId", 1)).status_code(), 403);
}

#[test]
fn wrong_credentials_are_a_401() {
    let request = Request::new("getInventory").with_header("api_key", "guess");
    assert_eq!(func().call(&request).status_code(), 401);
    let request = Request::new("getInventory").with_header("api_key", "special-key");
    assert_eq!(body(&func().call(&request)), json!({ "available": 7, "pending": 2, "sold": 1 }));
    let request =
        Request::new("getInventory").with_header("api_key", "k").with_props(json!({ "api_key": "k" }));
    assert_eq!(func().call(&request).status_code(), 200);
}

#[test]
fn props_replace_the_seed() {
    let props = json!({ "pets": [{ "id": 5, "name": "Only", "photoUrls": [] }] });
    let request = Request::new("getPetById").with_path("petId", 5).with_props(&props);
    assert_eq!(body(&call(request))["name"], "Only");
    let request = Request::new("getPetById").with_path("petId", 1).with_props(&props);
    assert_eq!(call(request).status_code(), 404);
}

#[test]
fn pets_are_found_by_status_and_tags() {
    let count = |request| body(&call(request)).as_array().map(Vec::len);
    assert_eq!(count(Request::new("findPetsByStatus").with_query("status", "pending")), Some(2));
    assert_eq!(count(Request::new("findPetsByTags").with_query("tags", ["tag3", "tag4"])), Some(2));
}

#[test]
fn user_logs_in_with_the_right_password_only() {
    let login =
        |password| Request::new("loginUser").with_query("username", "user1").with_query("password", password);
    assert_eq!(call(login("12345")).header_value("x-rate-limit"), Some("5000"));
    assert_eq!(call(login("guess")).status_code(), 401);
}
