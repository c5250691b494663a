//! `Vhost`: a virtual host of one's own on the RabbitMQ that the tests were given.

use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::broker::{BrokerUrl, RabbitMq};

/// A virtual host that goes when this does.
pub struct Vhost {
    name: String,
    broker: String,
    api: Api,
}

impl Vhost {
    /// Makes a virtual host on the node that `FUNCATRON_TEST_BROKER` and `FUNCATRON_TEST_BROKER_API` name.
    ///
    /// # Panics
    /// When they are not set: a test that was not run has not passed.
    pub fn make() -> Self {
        let var = |name| {
            env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests with `make unit`"))
        };
        Self::on(&var("FUNCATRON_TEST_BROKER"), &var("FUNCATRON_TEST_BROKER_API"))
    }

    /// Makes a virtual host on the node at these addresses, which end with the port.
    pub fn on(broker: &str, api: &str) -> Self {
        let vhost =
            Self { name: format!("test-{}", Uuid::now_v7()), broker: broker.to_owned(), api: Api::at(api) };
        vhost.api.call("PUT", &format!("/api/vhosts/{}", vhost.name), &json!({}));
        let permissions = json!({"configure": ".*", "write": ".*", "read": ".*"});
        vhost.permit(&vhost.api.user.clone(), &permissions);
        vhost
    }

    /// Its address, for the user that made it.
    pub fn url(&self) -> BrokerUrl {
        BrokerUrl::parse(&format!("{}/{}", self.broker, self.name)).unwrap()
    }

    /// Its address as text.
    pub fn address(&self) -> String {
        format!("{}/{}", self.broker, self.name)
    }

    /// A broker on it.
    pub async fn broker(&self) -> RabbitMq {
        RabbitMq::connect(&self.url(), "test").await.unwrap()
    }

    /// Makes a user who may do this on it, and returns the address for that user.
    pub fn user(&self, permissions: &Value) -> BrokerUrl {
        let (user, password) =
            (format!("{}-{}", self.name, Uuid::now_v7().simple()), Uuid::now_v7().simple());
        self.api.call(
            "PUT",
            &format!("/api/users/{user}"),
            &json!({"password": password.to_string(), "tags": ""}),
        );
        self.permit(&user, permissions);
        let (_, host) = self.broker.rsplit_once('@').unwrap();
        BrokerUrl::parse(&format!("amqp://{user}:{password}@{host}/{}", self.name)).unwrap()
    }

    /// Says what a user may publish to an exchange, by routing key.
    pub fn permit_topic(&self, url: &BrokerUrl, exchange: &str, write: &str) {
        let user = url.to_string();
        let user = user.strip_prefix("amqp://").unwrap().split('@').next().unwrap();
        let permissions = json!({"exchange": exchange, "write": write, "read": ".*"});
        self.api.call("PUT", &format!("/api/topic-permissions/{}/{user}", self.name), &permissions);
    }

    /// Asks the management API for something below the virtual host: `/api/<what>/<vhost><rest>`.
    pub fn get(&self, what: &str, rest: &str) -> Value {
        let answer = self.api.call("GET", &format!("/api/{what}/{}{rest}", self.name), &Value::Null);
        serde_json::from_str(&answer).unwrap()
    }

    /// The broker's whole list of something: `/api/<what>`.
    pub fn list(&self, what: &str) -> Value {
        serde_json::from_str(&self.api.call("GET", &format!("/api/{what}"), &Value::Null)).unwrap()
    }

    /// Deletes something: `/api/<what>`.
    pub fn delete(&self, what: &str) {
        self.api.call("DELETE", &format!("/api/{what}"), &Value::Null);
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn permit(&self, user: &str, permissions: &Value) {
        self.api.call("PUT", &format!("/api/permissions/{}/{user}", self.name), permissions);
    }
}

impl Drop for Vhost {
    fn drop(&mut self) {
        // The node may be gone, when that is what the test is about.
        let _gone = self.api.try_call("DELETE", &format!("/api/vhosts/{}", self.name), &Value::Null);
    }
}

/// The management API, as its user.
struct Api {
    user: String,
    password: String,
    host: String,
}

impl Api {
    fn at(url: &str) -> Self {
        let (who, host) = url.strip_prefix("http://").unwrap().split_once('@').unwrap();
        let (user, password) = who.split_once(':').unwrap();
        Self { user: user.to_owned(), password: password.to_owned(), host: host.to_owned() }
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> String {
        let answer = self.try_call(method, path, body).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap();
        assert!(status.starts_with('2'), "{method} {path}: {head} {body}");
        body.to_owned()
    }

    fn try_call(&self, method: &str, path: &str, body: &Value) -> std::io::Result<String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let credentials = BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password));
        let head = format!(
            "{method} {path} HTTP/1.0\r\nhost: {}\r\nauthorization: Basic {credentials}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.host)?;
        stream.write_all((head + &body).as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}
