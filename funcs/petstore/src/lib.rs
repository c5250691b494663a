//! The Swagger Petstore as a Func. A Func keeps nothing between requests: the store is a seed, which no
//! request changes; what is sent is checked and given back.

mod credentials;
mod order;
mod pet;
mod store;
mod user;

use funcatron_guest::{Func, serve};

fn func() -> Func {
    Func::new()
        .on("addPet", pet::add)
        .on("updatePet", pet::update)
        .on("findPetsByStatus", pet::find_by_status)
        .on("findPetsByTags", pet::find_by_tags)
        .on("getPetById", pet::get)
        .on("updatePetWithForm", pet::update_with_form)
        .on("deletePet", pet::delete)
        .on("uploadFile", pet::upload_image)
        .on("getInventory", order::inventory)
        .on("placeOrder", order::place)
        .on("getOrderById", order::get)
        .on("deleteOrder", order::delete)
        .on("createUser", user::create)
        .on("createUsersWithListInput", user::create_all)
        .on("loginUser", user::log_in)
        .on("logoutUser", user::log_out)
        .on("getUserByName", user::get)
        .on("updateUser", user::update)
        .on("deleteUser", user::delete)
}

serve!(func);

#[cfg(test)]
mod tests;
